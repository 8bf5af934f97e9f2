import type { Block, PlanItem } from '@shared/content'
import { describe, expect, it } from 'vitest'
import { runTurn } from '../../../../src/main/agent/loop'
import { planTool } from '../../../../src/main/tools/plan'
import { harness, reply, say, scriptedClient, type TurnHarness, testTool, use } from '../../../support/turn'

const probe = (output: (i: number) => string = () => 'same') => {
  let runs = 0
  return testTool({ run: () => Promise.resolve({ ok: true, output: output(runs++) }) })
}
/** n replies with the same call, and nothing else. */
const again = (n: number, from = 0, value = 'a') =>
  Array.from({ length: n }, (_, i) => reply([use(`c${from + i}`, 'probe', { value })]))
/** Three streaks of three calls each. */
const threeLoops = () => [...again(3), ...again(3, 3, 'b'), ...again(3, 6, 'c')]
const guards = (h: TurnHarness) => h.events.flatMap((e) => (e.type === 'guard' ? [e.data] : []))
const planned = (id: string, ...statuses: PlanItem['status'][]): Block =>
  use(id, 'plan_tool', { todos: statuses.map((status, i) => ({ id: `${i}`, content: `Step ${i}`, status })) })

describe('guards in a turn', () => {
  it('stops a loop with one note a streak, which the model reads beside the result', async () => {
    const { client, requests } = scriptedClient([...again(5), reply([say('It stays the same.')])])
    const h = harness(client, [probe()])
    await runTurn(h.turn)
    expect(guards(h).map(({ kind }) => kind)).toEqual(['doom_loop'])
    expect(JSON.stringify(requests[2]?.messages)).not.toContain('Automatic note')
    expect(requests[3]?.messages.at(-1)?.content).toMatchObject([
      { type: 'tool_result', tool_use_id: 'c2' },
      { type: 'text', text: expect.stringContaining('called `probe` 3 times in a row') },
    ])
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'finished' })
  })

  it('lets a model look at the same thing as often as it changes', async () => {
    const { client } = scriptedClient([...again(12), reply([say('The job is done.')])])
    const h = harness(client, [probe((i) => `step ${i}`)])
    await runTurn(h.turn)
    expect(guards(h)).toEqual([])
  })

  it('lets many equal steps run on after one note, and ends a streak only when it has become absurd', async () => {
    const forty = scriptedClient([...again(40), reply([say('Ready.')])])
    const h = harness(forty.client, [probe()])
    await runTurn(h.turn)
    expect(guards(h)).toHaveLength(1)
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'finished' })

    const endless = scriptedClient(again(300))
    const stuck = harness(endless.client, [probe()])
    await runTurn(stuck.turn)
    expect(guards(stuck)).toHaveLength(3)
    expect(stuck.events.at(-1)?.data).toMatchObject({ reason: 'guard', iterations: 103 })
  })

  it('ends the turn at the third loop, and asks the user in words', async () => {
    const { client, requests } = scriptedClient(threeLoops())
    const h = harness(client, [probe()])
    await runTurn(h.turn)
    expect(requests).toHaveLength(9)
    expect(guards(h).map(({ kind }) => kind)).toEqual(['doom_loop', 'doom_loop', 'doom_loop'])
    expect(h.types().slice(-2)).toEqual(['guard', 'turn_complete'])
    expect(guards(h).at(-1)?.content).toContain('How should it go on?')
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'guard', iterations: 9 })
    expect(h.turn.state().status).toBe('idle')
    expect(h.turn.state().items.at(-1)).toMatchObject({ notice: 'limit', text: guards(h).at(-1)?.content })
  })

  it('goes on after the user has answered: the loops of the ended turn do not count in the next', async () => {
    const { client, requests } = scriptedClient([...threeLoops(), ...again(1, 9), reply([say('Found it.')])])
    const h = harness(client, [probe()])
    await runTurn(h.turn)
    h.turn.emit('user_message', { id: 'u2', content: 'look in the other folder', source: 'user' })
    await runTurn(h.turn)
    expect(guards(h)).toHaveLength(3)
    expect(JSON.stringify(requests[9]?.messages.at(-1))).toMatch(/How should it go on.+look in the other folder/)
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'finished', final_response: 'Found it.' })
  })

  it('tells a model whose arguments cannot be read, and ends the turn when it does not listen', async () => {
    const bad = (i: number): Block => ({ ...use(`m${i}`, 'probe'), malformed: `{"value": ${i}` }) as Block
    const { client, requests } = scriptedClient(Array.from({ length: 6 }, (_, i) => reply([bad(i)])))
    const h = harness(client, [probe()])
    await runTurn(h.turn)
    expect(guards(h).map(({ kind }) => kind)).toEqual(Array(3).fill('malformed_arguments'))
    expect(JSON.stringify(requests[2]?.messages.at(-1))).toContain('not a valid JSON object')
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'guard' })
  })

  it('sends a model back to its unfinished plan, and takes its word after two reminders', async () => {
    const { client, requests } = scriptedClient([
      reply([planned('p1', 'in_progress', 'pending')]),
      reply([say('Next I will train.')]),
      reply([use('c1', 'probe')]),
      ...['Now the training.', 'It comes next.', 'I am done.'].map((text) => reply([say(text)])),
    ])
    const h = harness(client, [probe(), planTool])
    await runTurn(h.turn)
    expect(requests).toHaveLength(6)
    expect(guards(h).map(({ kind }) => kind)).toEqual(Array(3).fill('unfinished_plan'))
    expect(JSON.stringify(requests[2]?.messages.at(-1))).toContain('- Step 0 (in progress)')
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'finished', final_response: 'I am done.' })
  })

  it('keeps a whole reply when the reminder after it cannot be delivered', async () => {
    const failure = {
      kind: 'bad_request',
      message: 'no',
      remedy: '',
      retryable: false,
      retry_after_ms: null,
      status: 400,
    } as const
    const { client } = scriptedClient([
      reply([planned('p', 'completed', 'pending')]),
      reply([say('The model is trained.')]),
      [{ type: 'failed', failure, blocks: [], usage: null }],
    ])
    const h = harness(client, [planTool])
    await runTurn(h.turn)
    expect(h.types().slice(-2)).toEqual(['error', 'turn_complete'])
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'finished', final_response: 'The model is trained.' })
    expect(h.turn.state().last_outcome).toBe('finished')
  })

  it('ends with a question to the user, whatever the plan says', async () => {
    const { client } = scriptedClient([
      reply([planned('p1', 'in_progress')]),
      reply([say('There are two label columns. Which one is the target?')]),
    ])
    const h = harness(client, [planTool])
    await runTurn(h.turn)
    expect(guards(h)).toEqual([])
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'finished' })
  })

  it('ends when the user denied the call that the plan needs', async () => {
    const { client } = scriptedClient([
      reply([planned('p1', 'in_progress'), use('c1', 'bash')]),
      reply([say('You declined the command, so the training was not run.')]),
    ])
    const bash = testTool({ name: 'bash', effect: 'execute', run: () => Promise.resolve({ ok: true, output: '' }) })
    const h = harness(client, [planTool, bash], { mode: 'ask' })
    const asked = h.next('approval_required')
    const running = runTurn(h.turn)
    await asked
    h.turn.gate.resolve({ tool_call_id: 'c1', approved: false })
    await running
    expect(guards(h)).toEqual([])
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'finished' })
  })

  it('shows that calls of a cut reply were not run', async () => {
    const { client } = scriptedClient([reply([use('1', 'probe'), use('2', 'probe')], 'max_tokens'), reply([say('ok')])])
    const h = harness(client, [probe()])
    await runTurn(h.turn)
    expect(guards(h)).toMatchObject([
      { kind: 'truncated_output', content: expect.stringContaining('its 2 calls were not run') },
    ])
  })

  it('says nothing when the limit of model calls is reached first', async () => {
    const { client } = scriptedClient(again(3))
    const h = harness(client, [probe()], { max_iterations: 3 })
    await runTurn(h.turn)
    expect(guards(h)).toEqual([])
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'max_iterations' })
  })

  it('is no message of the user: taking one back goes to what the user wrote', async () => {
    const { client } = scriptedClient([reply([say('Hello')]), ...again(4), reply([say('Same.')])])
    const h = harness(client, [probe()])
    await runTurn(h.turn)
    h.turn.emit('user_message', { id: 'u2', content: 'look', source: 'user' })
    await runTurn(h.turn)
    const { items } = h.turn.state()
    expect(items.some((item) => item.kind === 'guard')).toBe(true)
    expect(h.turn.state().turns).toBe(2)
    const last = items.findLast((item) => item.kind === 'user')
    expect(last?.key).toBe('u2')
    h.turn.emit('undo_complete', { user_message_id: 'u2' })
    expect(h.turn.state().items.map((item) => item.kind)).toEqual(['user', 'assistant'])
    expect(h.turn.state().turns).toBe(1)
  })
})
