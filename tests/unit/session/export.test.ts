import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SessionEvent, serializeEvent } from '@shared/events'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { exportLog, exportSession, fenced } from '../../../src/main/session/export'
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

describe('markdown', () => {
  const text = exportSession(state, 'markdown')

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
      '> Overloaded.\n> Try later.',
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
      '100,000 characters are left out here; the whole output (123,456 bytes) is in `outputs/c1.txt`',
    )
  })

  it('shows the plan and the cost, as a lower bound when a price is not known', () => {
    expect(text).toContain('- [x] Look\n- [~] Train\n- [ ] Report')
    expect(text).toContain('| Input tokens | 2,400 |')
    expect(text).toContain('| Cost | at least $0.0123 (calls without a known price: 1) |')
  })

  it('fences content so that nothing in it ends the block', () => {
    expect(text).toContain('`````text\na fence:\n````\nand more\n`````')
    expect(text).toContain('````text\nFirst I look.\n```\nnot a fence\n```\n````')
    expect(fenced('x')).toBe('```\nx\n```')
    expect(fenced('`'.repeat(9))).toBe(`${'`'.repeat(10)}\n${'`'.repeat(9)}\n${'`'.repeat(10)}`)
  })

  it('exports a session without a title, and one in mid-reply', () => {
    const empty = exportSession(initialState(SESSION), 'markdown')
    expect(empty).toContain('# Untitled session')
    const draft = makeEvent(13, 'assistant_chunk', { id: 'b', content: 'half a sen' })
    expect(exportSession(foldEvents(state, [draft]), 'markdown')).toContain('### Assistant (unfinished)\n\nhalf a sen')
  })
})

it('json is the state itself', () => {
  expect(JSON.parse(exportSession(state, 'json'))).toEqual(state)
})

it('jsonl gives the stored lines byte for byte, without a torn last one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ml-intern-export-'))
  try {
    const file = join(folder, 'events.jsonl')
    const lines = [...events.map(serializeEvent), '{broken', serializeEvent(userMessage(20, 'ä🤖'.repeat(50_000)))]
    await writeFile(file, `${lines.join('\n')}\n{"seq":21,`)
    let text = ''
    for await (const piece of exportLog(file)) text += piece
    expect(text).toBe(`${lines.join('\n')}\n`)
  } finally {
    await rm(folder, { recursive: true })
  }
})
