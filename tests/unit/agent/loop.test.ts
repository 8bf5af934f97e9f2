import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runTurn } from '../../../src/main/agent/loop'
import { UserError } from '../../../src/main/errors'
import type { ModelDelta, ModelFailure } from '../../../src/main/models/types'
import { readTool } from '../../../src/main/tools/read'
import { temporaryFolder } from '../../support/engine'
import { harness, reply, say, scriptedClient, testTool, use } from '../../support/turn'

const ok = (output: string) => Promise.resolve({ ok: true, output })
const failure = (kind: ModelFailure['kind'], retryable = false): ModelFailure => ({
  kind,
  message: `failed: ${kind}`,
  remedy: 'Do this.',
  retryable,
  retry_after_ms: 0,
  status: null,
})

describe('a link', () => {
  it('that leads to a secret is no way to read it unasked', async () => {
    const { path, remove } = await temporaryFolder()
    try {
      await mkdir(join(path, '.ssh'))
      await writeFile(join(path, '.ssh', 'id_rsa'), 'the key')
      await symlink(join('.ssh', 'id_rsa'), join(path, 'notes.txt'))
      const { client } = scriptedClient([
        reply([use('r', 'read', { path: join(path, 'notes.txt') })]),
        reply([say('ok')]),
      ])
      const h = harness(client, [readTool], { mode: 'ask', approvals: 'unavailable' })
      await runTurn(h.turn)
      // It is asked for, or refused: either way nothing of it is read.
      expect(JSON.stringify(h.events)).not.toContain('the key')
    } finally {
      await remove()
    }
  })
})

describe('runTurn', () => {
  it('answers, records the whole reply and completes', async () => {
    const { client, requests } = scriptedClient([reply([say('Hello')])])
    const h = harness(client, [])
    await runTurn(h.turn)
    expect(h.types()).toEqual([
      'user_message',
      'processing',
      'assistant_chunk',
      'assistant_message',
      'assistant_stream_end',
      'llm_call',
      'turn_complete',
    ])
    expect(h.events.at(-1)?.data).toMatchObject({ final_response: 'Hello', reason: 'finished', iterations: 1 })
    expect(requests[0]).toMatchObject({ system: 'system', streaming: true })
  })

  it('emits no chunks without streaming', async () => {
    const { client } = scriptedClient([reply([say('Hello')])])
    const h = harness(client, [], { streaming: false })
    await runTurn(h.turn)
    expect(h.types()).toEqual(['user_message', 'processing', 'assistant_message', 'llm_call', 'turn_complete'])
  })

  it('runs parallel calls together and records their results in call order', async () => {
    const started: string[] = []
    const release: Record<string, () => void> = {}
    const tool = testTool({
      run: ({ value = '' }) => {
        started.push(value)
        return new Promise((resolve) => {
          release[value] = () => resolve({ ok: true, output: value })
          // The second finishes first: only when both have started.
          if (started.length === 2) release.b?.()
        })
      },
    })
    const { client, requests } = scriptedClient([
      reply([use('t1', 'probe', { value: 'a' }), use('t2', 'probe', { value: 'b' })]),
      reply([say('done')]),
    ])
    const h = harness(client, [tool])
    const running = runTurn(h.turn)
    await h.next('tool_state_change')
    expect(started).toEqual(['a', 'b'])
    expect(h.types()).not.toContain('tool_output')
    release.a?.()
    await running
    const outputs = h.events.flatMap((e) => (e.type === 'tool_output' ? [e.data.tool_call_id] : []))
    expect(outputs).toEqual(['t1', 't2'])
    expect(requests[1]?.messages.at(-1)?.content.map((c) => ('content' in c ? c.content : ''))).toEqual(['a', 'b'])
  })

  it('holds a serial call until those before it are through, and those after it until it is', async () => {
    const log: string[] = []
    const run = async ({ value = '' }: { value?: string }) => {
      log.push(`+${value}`)
      await Promise.resolve()
      log.push(`-${value}`)
      return ok(value)
    }
    const tools = [testTool({ run }), testTool({ name: 'change', concurrency: 'serial', run })]
    const { client } = scriptedClient([
      reply([
        use('1', 'probe', { value: 'a' }),
        use('2', 'change', { value: 'b' }),
        use('3', 'probe', { value: 'c' }),
        use('4', 'probe', { value: 'd' }),
      ]),
      reply([say('done')]),
    ])
    await runTurn(harness(client, tools).turn)
    expect(log).toEqual(['+a', '-a', '+b', '-b', '+c', '+d', '-c', '-d'])
  })

  it('turns a throwing tool into an error result; its siblings and the turn go on', async () => {
    const tool = testTool({
      run: ({ value }) => (value === 'bad' ? Promise.reject(new Error('boom')) : ok('fine')),
    })
    const sync = testTool({
      name: 'sync',
      run: () => {
        throw new Error('at once')
      },
    })
    const { client, requests } = scriptedClient([
      reply([use('1', 'probe', { value: 'bad' }), use('2', 'sync'), use('3', 'probe', { value: 'good' })]),
      reply([say('done')]),
    ])
    const h = harness(client, [tool, sync])
    await runTurn(h.turn)
    expect(requests[1]?.messages.at(-1)?.content).toEqual([
      { type: 'tool_result', tool_use_id: '1', content: 'The tool failed: boom', is_error: true },
      { type: 'tool_result', tool_use_id: '2', content: 'The tool failed: at once', is_error: true },
      { type: 'tool_result', tool_use_id: '3', content: 'fine', is_error: false },
    ])
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'finished' })
  })

  it('does not run unknown tools, malformed arguments or arguments that do not fit, and says which', async () => {
    let runs = 0
    const tool = testTool({ run: () => ok(`${++runs}`) })
    const { client, requests } = scriptedClient([
      reply([
        use('1', 'nope'),
        { type: 'tool_use', id: '2', name: 'probe', input: {}, malformed: '{"value": ' },
        use('3', 'probe', { value: 7 }),
        use('4', 'probe', { other: 'x' }),
      ]),
      reply([say('done')]),
    ])
    await runTurn(harness(client, [tool]).turn)
    expect(runs).toBe(0)
    const results = requests[1]?.messages.at(-1)?.content.map((c) => ('content' in c ? c.content : '')) ?? []
    expect(results[0]).toContain('There is no tool named "nope". Available: probe.')
    expect(results[1]).toContain('not a JSON object')
    expect(results[2]).toContain('- value:')
    expect(results[3]).toContain('other')
  })

  it('gives empty and repeated call ids new ones, so that every result has one call', async () => {
    const tool = testTool({ run: ({ value = '' }) => ok(value) })
    const { client, requests } = scriptedClient([
      reply([use('', 'probe', { value: 'a' }), use('x', 'probe', { value: 'b' }), use('x', 'probe', { value: 'c' })]),
      reply([use('x', 'probe', { value: 'd' })]),
      reply([say('done')]),
    ])
    await runTurn(harness(client, [tool]).turn)
    const ids = requests[2]?.messages.flatMap((m) =>
      m.content.flatMap((c) => ('tool_use_id' in c ? [c.tool_use_id] : [])),
    )
    expect(new Set(ids).size).toBe(4)
    expect(ids).not.toContain('')
  })

  it('ends at the limit of model calls with its own reason, never silently', async () => {
    const tool = testTool({ run: () => ok('again') })
    const { client, requests } = scriptedClient([reply([use('1', 'probe')]), reply([use('2', 'probe')])])
    const h = harness(client, [tool], { max_iterations: 2 })
    await runTurn(h.turn)
    expect(requests).toHaveLength(2)
    expect(h.events.at(-1)).toMatchObject({ type: 'turn_complete', data: { reason: 'max_iterations', iterations: 2 } })
  })

  it('keeps the partial text when interrupted in mid-reply', async () => {
    const { client } = scriptedClient([
      async function* (signal): AsyncGenerator<ModelDelta> {
        yield { type: 'text', text: 'Half a ' }
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        yield { type: 'failed', failure: failure('interrupted'), blocks: [say('Half a ')], usage: null }
      },
    ])
    const h = harness(client, [])
    const chunk = h.next('assistant_chunk')
    const running = runTurn(h.turn)
    await chunk
    h.controller.abort()
    await running
    expect(h.types().slice(-3)).toEqual(['assistant_message', 'assistant_stream_end', 'interrupted'])
    expect(h.turn.state().items.map((item) => item.kind)).toEqual(['user', 'assistant', 'notice'])
  })

  it('ends a running tool on interrupt, keeps what it returns and runs nothing more', async () => {
    let begin = () => {}
    const started = new Promise<void>((resolve) => {
      begin = resolve
    })
    const tool = testTool({
      concurrency: 'serial',
      run: (_, { signal }) => {
        begin()
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ ok: false, output: 'so far' }), { once: true })
        })
      },
    })
    const { client, requests } = scriptedClient([reply([use('1', 'probe'), use('2', 'probe')])])
    const h = harness(client, [tool])
    const running = runTurn(h.turn)
    await started
    h.controller.abort()
    await running
    expect(requests).toHaveLength(1)
    expect(h.events.flatMap((e) => (e.type === 'tool_output' ? [e.data.output] : []))).toEqual([
      'so far',
      'Not run: the user stopped the turn.',
    ])
    expect(h.events.at(-1)?.type).toBe('interrupted')
  })

  it('stops with the error, not as an interrupt, when the log can no longer be written', async () => {
    const { client } = scriptedClient([
      async function* (signal): AsyncGenerator<ModelDelta> {
        yield { type: 'text', text: 'Half a word. ' }
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        yield { type: 'failed', failure: failure('interrupted'), blocks: [], usage: null }
      },
    ])
    const h = harness(client, [])
    const chunk = h.next('assistant_chunk')
    const running = runTurn(h.turn)
    await chunk
    h.controller.abort(new UserError('log_write', 'disk full', 'Free space.'))
    await running
    expect(h.events.at(-1)).toMatchObject({ type: 'error', data: { code: 'log_write', error: 'disk full' } })
  })

  it('tries a dropped stream again and shows no text twice', async () => {
    const { client } = scriptedClient([
      [
        { type: 'text', text: 'Half' },
        { type: 'failed', failure: failure('network', true), blocks: [say('Half')], usage: null },
      ],
      reply([say('Whole')]),
    ])
    const h = harness(client, [])
    await runTurn(h.turn)
    const texts = h.turn.state().items.flatMap((item) => (item.kind === 'assistant' ? [item.text] : []))
    expect(texts).toEqual(['Whole'])
    expect(h.events.some((e) => e.type === 'processing' && e.data.retry?.attempt === 2)).toBe(true)
  })

  it('reports a failure with what to do', async () => {
    const { client } = scriptedClient([[{ type: 'failed', failure: failure('auth'), blocks: [], usage: null }]])
    const h = harness(client, [])
    await runTurn(h.turn)
    expect(h.events.at(-1)).toMatchObject({ type: 'error', data: { code: 'auth', remedy: 'Do this.' } })
  })

  it('does not run calls of a reply that was cut, and goes on', async () => {
    let runs = 0
    const tool = testTool({ run: () => ok(`${++runs}`) })
    const { client, requests } = scriptedClient([
      reply([say('x'), use('1', 'probe')], 'max_tokens'),
      reply([say('more')], 'max_tokens'),
      reply([say('done')]),
    ])
    const h = harness(client, [tool])
    await runTurn(h.turn)
    expect(runs).toBe(0)
    expect(JSON.stringify(requests[1]?.messages.at(-1))).toContain('cut at the output limit')
    expect(h.events.some((e) => e.type === 'guard' && e.data.kind === 'truncated_output')).toBe(true)
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'finished' })
  })

  it('gives up on a model that never gets to the end of its reply', async () => {
    const { client, requests } = scriptedClient(Array.from({ length: 4 }, () => reply([say('and')], 'max_tokens')))
    const h = harness(client, [])
    await runTurn(h.turn)
    expect(requests).toHaveLength(4)
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'guard' })
  })

  it('reads a message that came during the turn before it ends', async () => {
    const { client, requests } = scriptedClient([reply([say('done')]), reply([say('also done')])])
    const h = harness(client, [])
    const chunk = h.next('assistant_chunk').then(() => {
      h.turn.emit('user_message', { id: 'u2', content: 'and this', source: 'steer' })
    })
    await Promise.all([runTurn(h.turn), chunk])
    expect(requests).toHaveLength(2)
    expect(requests[1]?.messages.at(-1)).toEqual({ role: 'user', content: [{ type: 'text', text: 'and this' }] })
  })

  it('explains a refusal and offers another model', async () => {
    const done: ModelDelta = {
      ...(reply([], 'refusal')[0] as Extract<ModelDelta, { type: 'done' }>),
      refusal: 'Not this.',
    }
    const { client } = scriptedClient([[done]])
    const h = harness(client, [])
    await runTurn(h.turn)
    expect(h.events.at(-1)).toMatchObject({ type: 'error', data: { code: 'refusal' } })
    expect(JSON.stringify(h.events.at(-1))).toContain('Not this.')
  })

  it('redacts a secret that a tool streams in two pieces', async () => {
    const secret = 'sk-ant-0123456789'
    const tool = testTool({
      run: (_, { log }) => {
        log(`key=${secret.slice(0, 8)}`, 'stdout')
        log(`${secret.slice(8)}\n`, 'stdout')
        return ok('')
      },
    })
    const { client } = scriptedClient([reply([use('1', 'probe')]), reply([say('done')])])
    const h = harness(client, [tool], { secrets: () => [secret] })
    await runTurn(h.turn)
    const logged = h.events.flatMap((e) => (e.type === 'tool_log' ? [e.data.log] : [])).join('')
    expect(logged).toBe('key=[REDACTED]\n')
  })
})

describe('approvals in a turn', () => {
  const shell = testTool({ name: 'bash', effect: 'execute', run: ({ value = '' }) => ok(`ran ${value}`) })
  const two = () =>
    scriptedClient([reply([use('1', 'bash', { value: 'a' }), use('2', 'bash', { value: 'b' })]), reply([say('done')])])

  it('waits for a decision on each call, and the model reads why one was denied', async () => {
    const { client, requests } = two()
    const h = harness(client, [shell], { mode: 'ask' })
    const asked = h.next('approval_required')
    const running = runTurn(h.turn)
    expect((await asked).tools.map((t) => t.tool_call_id)).toEqual(['1', '2'])
    await Promise.resolve()
    h.turn.gate.resolve({ tool_call_id: '2', approved: false, feedback: 'too risky' })
    h.turn.gate.resolve({ tool_call_id: '1', approved: true })
    await running
    expect(requests[1]?.messages.at(-1)?.content).toEqual([
      { type: 'tool_result', tool_use_id: '1', content: 'ran a', is_error: false },
      {
        type: 'tool_result',
        tool_use_id: '2',
        content: 'The user denied this call and says: too risky',
        is_error: true,
      },
    ])
    const states = h.turn.state().items.flatMap((item) => (item.kind === 'tool' ? [item.state] : []))
    expect(states).toEqual(['ok', 'rejected'])
  })

  it('runs what comes before the first question without waiting for the answer', async () => {
    const look = testTool({ name: 'read', run: () => ok('seen') })
    const { client, requests } = scriptedClient([
      reply([use('1', 'read'), use('2', 'bash', { value: 'b' }), use('3', 'read')]),
      reply([say('done')]),
    ])
    const h = harness(client, [shell, look], { mode: 'ask' })
    const asked = h.next('approval_required')
    const running = runTurn(h.turn)
    expect((await asked).tools.map((t) => t.tool_call_id)).toEqual(['2'])
    expect(h.events.flatMap((e) => (e.type === 'tool_output' ? [e.data.tool_call_id] : []))).toEqual(['1'])
    await Promise.resolve()
    h.turn.gate.resolve({ tool_call_id: '2', approved: true })
    await running
    expect(requests[1]?.messages.at(-1)?.content.map((c) => ('content' in c ? c.content : ''))).toEqual([
      'seen',
      'ran b',
      'seen',
    ])
  })

  it('ends the turn with its own reason where nobody can answer, and answers every call', async () => {
    const { client, requests } = two()
    const h = harness(client, [shell], { mode: 'ask', approvals: 'unavailable' })
    await runTurn(h.turn)
    expect(requests).toHaveLength(1)
    expect(h.types().filter((type) => type === 'tool_output')).toHaveLength(2)
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'approval_unavailable' })
  })

  it('ends the wait at once on interrupt, and no stale decision is left for the next turn', async () => {
    const { client } = two()
    const h = harness(client, [shell], { mode: 'ask' })
    const asked = h.next('approval_required')
    const running = runTurn(h.turn)
    await asked
    h.controller.abort()
    await running
    expect(h.types().slice(-2)).toEqual(['approval_resolved', 'interrupted'])
    expect(h.turn.gate.pending()).toEqual([])
    expect(h.turn.state()).toMatchObject({ status: 'idle', pending_approvals: [] })
  })

  it('refuses changes in plan mode without asking', async () => {
    const { client, requests } = two()
    const h = harness(client, [shell], { mode: 'plan' })
    await runTurn(h.turn)
    expect(h.types()).not.toContain('approval_required')
    expect(JSON.stringify(requests[1]?.messages.at(-1))).toContain('read-only')
  })
})
