import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExportFormat } from '@shared/bridge'
import { type SessionEvent, serializeEvent } from '@shared/events'
import { foldEvents } from '@shared/reducer'
import { type AssistantItem, initialState, type SessionState } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { exportFile, exportSession, fileName } from '../../../src/main/session/export'
import { fenced } from '../../../src/main/session/export/markdown'
import { makeEvent, SESSION, userMessage } from '../../support/log-events'

const blocks = [
  { type: 'reasoning' as const, text: 'First I look.\n```\nnot a fence\n```' },
  { type: 'text' as const, text: 'I look at **the data**.' },
]
const usage = { completion_tokens: 200, total_tokens: 1400, cache_read_tokens: 800, cache_creation_tokens: 100 }
const call = {
  model: 'anthropic/m',
  latency_ms: 900,
  first_token_ms: 300,
  finish_reason: 'tool_use',
  context_window: null,
}

const events: SessionEvent[] = [
  makeEvent(1, 'session_update', { cwd: '/work/`odd`', model: 'anthropic/m', title: 'Train\n a   model' }),
  userMessage(2, 'Train it\n\non data.csv'),
  makeEvent(3, 'plan_update', {
    plan: [
      { id: '1', content: 'Look', status: 'completed' },
      { id: '2', content: 'Train', status: 'in_progress' },
      { id: '3', content: 'Report', status: 'pending' },
    ],
  }),
  makeEvent(4, 'assistant_message', {
    id: 'a',
    content: 'I look at **the data**.',
    blocks,
    model: 'anthropic/m',
    stop_reason: 'tool_use',
  }),
  makeEvent(5, 'llm_call', { ...call, ...usage, prompt_tokens: 1200, cost_usd: 0.0123, kind: 'main' }),
  makeEvent(6, 'llm_call', { ...call, ...usage, prompt_tokens: 1200, cost_usd: null, kind: 'main' }),
  makeEvent(7, 'tool_call', { tool: 'bash', tool_call_id: 'c1', arguments: { command: 'cat x' }, intent: 'cat x' }),
  makeEvent(8, 'tool_output', {
    tool: 'bash',
    tool_call_id: 'c1',
    output: 'a fence:\n````\nand more',
    success: false,
    duration_ms: 75_400,
    details: { kind: 'command', command: 'cat x', cwd: '/work', exit_code: 3, signal: null, timed_out: false },
    spill: { file: 'c1.txt', bytes: 123_456, omitted_chars: 100_000 },
  }),
  makeEvent(9, 'tool_call', { tool: 'write', tool_call_id: 'c2', arguments: { path: 'train.py' } }),
  makeEvent(10, 'tool_output', {
    tool: 'write',
    tool_call_id: 'c2',
    output: '',
    success: true,
    duration_ms: 12,
    details: { kind: 'diff', path: 'train.py', patch: '+x\n', added: 1, removed: 0, created: true, truncated: false },
  }),
  makeEvent(11, 'guard', { kind: 'doom_loop', content: 'Same call again.' }),
  makeEvent(12, 'error', { error: 'Overloaded.', code: 'overloaded', remedy: 'Try later.' }),
]
const state = foldEvents(initialState(SESSION), events)

async function exported(format: ExportFormat, from: SessionState = state, secrets: string[] = []): Promise<string> {
  let text = ''
  for await (const piece of exportSession({ state: from, log_file: '/nowhere', secrets }, format)) text += piece
  return text
}

describe('markdown', async () => {
  const text = await exported('markdown')

  it('has the title on one line, the model and the dates', () => {
    expect(text.startsWith('# Train a model\n')).toBe(true)
    expect(text).toContain('- Model: `anthropic/m`')
    expect(text).toContain('- Folder: `` /work/`odd` ``')
    expect(text).toContain(`- Created: ${events[0]?.time}`)
    expect(text).toContain(`- Last change: ${events.at(-1)?.time}`)
  })

  it('has the conversation in order', () => {
    const marks = [
      '> Train it\n>\n> on data.csv',
      'I look at **the data**.',
      '### Tool `bash`',
      '### Tool `write`',
      'Same call again.',
      '> **Error**\n> Overloaded.\n> Try later.',
    ]
    const at = marks.map((mark) => text.indexOf(mark))
    expect(at).not.toContain(-1)
    expect(at).toEqual([...at].sort((a, b) => a - b))
  })

  it('says how every tool call ended', () => {
    expect(text).toContain('### Tool `bash`: `cat x`\n\nfailed · exit code 3 · 1 min 15 s')
    expect(text).toContain('### Tool `write`\n\nfinished · +1 −0 lines · 12 ms')
    expect(text).toContain('File: `train.py`\n\n```diff\n+x\n```')
    expect(text).toContain('No output.')
    expect(text).toContain(
      "100,000 characters are left out here; the whole output (123,456 bytes) is in the session's folder: `outputs/c1.txt`",
    )
  })

  it('shows the plan and the cost, as a lower bound when a price is not known', () => {
    expect(text).toContain('- [x] Look\n- [~] Train\n- [ ] Report')
    expect(text).toContain('| Conversation | `anthropic/m` | 2 | 2,400 | 1,600 | 200 | 400 | at least $0.0123 |')
    expect(text).toContain('| All |  | 2 | 2,400 | 1,600 | 200 | 400 | at least $0.0123 |')
    expect(text).toContain('Calls without a known price: 1.')
  })

  it('fences content so that nothing in it ends the block', () => {
    expect(text).toContain('`````text\na fence:\n````\nand more\n`````')
    expect(text).toContain('````text\nFirst I look.\n```\nnot a fence\n```\n````')
    expect(fenced('x')).toBe('```\nx\n```')
    expect(fenced('`'.repeat(9))).toBe(`${'`'.repeat(10)}\n${'`'.repeat(9)}\n${'`'.repeat(10)}`)
  })

  it('exports a session without a title, and one in mid-reply', async () => {
    const empty = await exported('markdown', initialState(SESSION))
    expect(empty).toContain('# Untitled session')
    const draft = makeEvent(13, 'assistant_chunk', { id: 'b', content: 'half a sen' })
    expect(await exported('markdown', foldEvents(state, [draft]))).toContain('### Assistant (unfinished)\n\nhalf a sen')
  })
})

describe('what the user changed', () => {
  const asked = { type: 'tool_use' as const, id: 'c1', name: 'bash', input: { command: 'rm -r data' } }
  const reply = { id: 'a', content: '', blocks: [asked], model: 'm', stop_reason: 'tool_use' }
  const request = { tool: 'bash', arguments: asked.input, tool_call_id: 'c1' }
  const decision = { tool_call_id: 'c1', approved: true, arguments: { command: 'ls data' } }
  const edited = foldEvents(initialState(SESSION), [
    userMessage(1, 'Clean up'),
    makeEvent(2, 'assistant_message', reply),
    makeEvent(3, 'approval_required', { tools: [request], count: 1 }),
    makeEvent(4, 'approval_resolved', { decisions: [decision], by: 'user' }),
    makeEvent(5, 'notice', { code: 'x', text: 'The disk is nearly full.' }),
  ])

  it('stands beside what the model had asked for', async () => {
    const text = await exported('markdown', edited)
    const marks = ['The user edited the arguments', 'rm -r data', 'What ran:', 'ls data', '> **Note**\n> The disk']
    const at = marks.map((mark) => text.indexOf(mark))
    expect(at).not.toContain(-1)
    expect(at).toEqual([...at].sort((a, b) => a - b))
    const page = await exported('html', edited)
    expect(page).toContain('edited by the user')
    expect(page.indexOf('rm -r data')).toBeGreaterThan(page.indexOf('The model had asked for'))
  })

  it('is not claimed of a call that ran as it was', async () => {
    const plain = foldEvents(initialState(SESSION), [
      makeEvent(2, 'assistant_message', reply),
      makeEvent(3, 'tool_call', { tool: 'bash', arguments: asked.input, tool_call_id: 'c1' }),
    ])
    expect(await exported('markdown', plain)).not.toContain('edited')
  })
})

describe('json', () => {
  it('is the state itself, indented as JSON.stringify does it', async () => {
    expect(await exported('json')).toBe(`${JSON.stringify(state, null, 2)}\n`)
    const empty = initialState(SESSION)
    expect(await exported('json', empty)).toBe(`${JSON.stringify(empty, null, 2)}\n`)
  })
})

describe('jsonl', () => {
  const read = async (text: string, secrets: string[] = []): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'ml-intern-export-'))
    try {
      const log_file = join(folder, 'events.jsonl')
      await writeFile(log_file, text)
      let result = ''
      for await (const piece of exportSession({ state, log_file, secrets }, 'jsonl')) result += piece
      return result
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  it('gives the stored events byte for byte, newer kinds included, without what is no event', async () => {
    const newer = '{"seq":13,"time":"2027-01-01T00:00:00.000Z","session":"s","type":"of_2027","data":{"a":1},"more":2}'
    const large = serializeEvent(userMessage(20, 'ä🤖'.repeat(50_000)))
    const lines = [...events.map(serializeEvent), newer, large]
    const again = serializeEvent(userMessage(5, 'a number that was already there'))
    const text = await read(`${[...lines.slice(0, 13), '{broken', '[]', again, large].join('\n')}\n{"seq":21,`)
    expect(text).toBe(`${lines.join('\n')}\n`)
  })

  it('redacts lines of an older version, and only those', async () => {
    const token = `hf_${'a1B2'.repeat(9)}`
    const leak = makeEvent(2, 'tool_output', {
      tool: 'bash',
      tool_call_id: 'c',
      output: `my-very-secret-value and ${token}`,
      success: true,
      duration_ms: 1,
    })
    const text = await read(`${serializeEvent(userMessage(1))}\n${serializeEvent(leak)}\n`, ['my-very-secret-value'])
    expect(text).toContain(serializeEvent(userMessage(1)))
    expect(text).not.toContain('my-very-secret-value')
    expect(text).not.toContain(token)
    expect(text).toContain('[REDACTED] and [REDACTED_HF_TOKEN]')
  })
})

it('every format leaves secrets out, wherever in the session they are', async () => {
  const known = 'correct-horse-battery'
  const token = `hf_${'a1B2'.repeat(9)}`
  const both = `${known} ${token} API_TOKEN=q1w2e3r4t5y6u7i8o9`
  const block = { type: 'tool_use' as const, id: 'c1', name: 'read', input: { path: both } }
  const leaky = foldEvents(initialState(SESSION), [
    makeEvent(1, 'session_update', { title: both, cwd: `/home/${known}`, model: 'm' }),
    userMessage(2, both),
    makeEvent(3, 'assistant_message', {
      id: 'a',
      content: both,
      blocks: [{ type: 'reasoning', text: both }, block],
      model: 'm',
      stop_reason: 'x',
    }),
    makeEvent(4, 'tool_call', { tool: 'read', tool_call_id: 'c1', arguments: block.input, intent: both }),
    makeEvent(5, 'tool_output', {
      tool: 'read',
      tool_call_id: 'c1',
      output: both,
      success: true,
      duration_ms: 1,
      details: { kind: 'diff', path: both, patch: `+${both}`, added: 1, removed: 0, created: true, truncated: false },
    }),
    makeEvent(6, 'guard', { kind: 'doom_loop', content: both }),
    makeEvent(7, 'error', { error: both, code: 'x', remedy: both }),
    makeEvent(8, 'plan_update', { plan: [{ id: '1', content: both, status: 'pending' }] }),
    makeEvent(9, 'assistant_chunk', { id: 'b', content: both }),
  ])
  for (const format of ['markdown', 'html', 'json', 'trace'] as const) {
    const text = await exported(format, leaky, [known])
    for (const secret of [known, token, 'q1w2e3r4t5y6u7i8o9']) expect(`${format}: ${text}`).not.toContain(secret)
    expect(text.match(/REDACTED_HF_TOKEN/g)?.length).toBeGreaterThan(3)
  }
  expect(fileName({ state: leaky, secrets: [known] }, 'html')).not.toContain('horse')
})

describe('a file for the window', () => {
  const source = { state, log_file: '/nowhere', secrets: [] }

  it('has a name that every system takes', () => {
    const named = (title: string) => fileName({ state: { ...state, title }, secrets: [] }, 'html')
    expect(named('Train a model')).toBe('ml-intern-train-a-model-6f9619ff.html')
    expect(named('Étude n° 3: CON / ../../x')).toBe('ml-intern-etude-n-3-con-x-6f9619ff.html')
    expect(named('訓練')).toBe('ml-intern-6f9619ff.html')
    expect(named(`${'word '.repeat(40)}`).length).toBeLessThan(80)
    expect(fileName(source, 'trace')).toBe('ml-intern-train-a-model-6f9619ff.trace.jsonl')
  })

  it('says what to do when it is too large, before it has used the memory', async () => {
    expect(await exportFile(source, 'markdown')).toMatchObject({ mime: 'text/markdown' })
    await expect(exportFile(source, 'json', 1000)).rejects.toMatchObject({
      code: 'too_large',
      remedy: expect.stringContaining(`ml-intern sessions export ${SESSION} --format json`),
    })
  })
})

it('others run while a session of 10 MB is exported', async () => {
  const text = `${'A paragraph with **bold** and `code` in it.\n\n'.repeat(40)}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n`
  const items = Array.from({ length: 5_000 }, (_, i) => ({ ...assistantItem(text), key: `a${i}`, seq: i + 1 }))
  for (const format of ['markdown', 'html', 'json', 'trace'] as const) {
    let turns = 0
    let over = false
    const count = () => {
      turns++
      if (!over) setImmediate(count)
    }
    setImmediate(count)
    let chars = 0
    const source = { state: { ...state, items }, log_file: '', secrets: ['correct-horse'] }
    for await (const piece of exportSession(source, format)) chars += piece.length
    over = true
    expect(chars).toBeGreaterThan(9_000_000)
    // A piece of work is 5 ms; the whole is some hundreds of milliseconds on any machine.
    expect(turns).toBeGreaterThan(5)
  }
}, 60_000)

function assistantItem(text: string): AssistantItem {
  return {
    kind: 'assistant',
    key: 'a',
    seq: 1,
    time: '2026-11-20T10:00:00.000Z',
    text,
    reasoning: '',
    blocks: [{ type: 'text', text }],
    model: 'm',
    stop_reason: 'end_turn',
    seen_seq: null,
    partial: false,
  }
}
