import type { Block } from '@shared/content'
import type { AnyEvent, EventData, EventType, SessionEvent } from '@shared/events'
import { applyEvent } from '@shared/reducer'
import type { ApprovalMode } from '@shared/settings'
import { initialState } from '@shared/state'
import { z } from 'zod'
import { ApprovalGate } from '../../src/main/agent/approvals'
import type { TurnContext } from '../../src/main/agent/types'
import type { ModelClient, ModelDelta, ModelRequest, StopReason } from '../../src/main/models/types'
import type { Tool, ToolContext, ToolResult } from '../../src/main/tools/types'
import { SAMPLE_SESSION } from './sample-log'

const usage = { prompt_tokens: 10, completion_tokens: 5, cache_read_tokens: 0, cache_creation_tokens: 0 }

/** A whole reply as one model stream. */
export function reply(blocks: Block[], stop_reason?: StopReason): ModelDelta[] {
  const text: ModelDelta[] = blocks.flatMap((b) => (b.type === 'text' ? [{ type: 'text', text: b.text }] : []))
  const reason = stop_reason ?? (blocks.some((b) => b.type === 'tool_use') ? 'tool_use' : 'end_turn')
  return [...text, { type: 'done', blocks, stop_reason: reason, usage, model: 'fake' }]
}
export const say = (text: string): Block => ({ type: 'text', text })
export const use = (id: string, name: string, input: Record<string, unknown> = {}): Block => ({
  type: 'tool_use',
  id,
  name,
  input,
})

/** Answers each request from a script; a request beyond it fails the test. */
export function scriptedClient(script: (ModelDelta[] | ((signal: AbortSignal) => AsyncIterable<ModelDelta>))[]) {
  const requests: ModelRequest[] = []
  const client: ModelClient = {
    id: 'fake/model',
    info: () => ({ name: 'Fake', context_window: null, max_output: null, price: null }),
    async *stream(request, signal) {
      requests.push(structuredClone(request))
      const step = script[requests.length - 1]
      if (!step) throw new Error(`the script has no reply ${requests.length}`)
      yield* typeof step === 'function' ? step(signal) : step
    },
  }
  return { client, requests }
}

export interface TestToolOptions {
  name?: string
  effect?: 'read' | 'write' | 'execute'
  concurrency?: 'parallel' | 'serial'
  run: (input: { value?: string }, context: ToolContext) => Promise<ToolResult>
}

export function testTool({ name = 'probe', effect = 'read', concurrency = 'parallel', run }: TestToolOptions): Tool {
  const schema = z.object({ value: z.string().optional() }).strict()
  return {
    name,
    description: 'A tool of the tests',
    schema,
    concurrency,
    effect: () => effect,
    intent: (input) => `probe ${schema.parse(input).value ?? ''}`,
    run: (input, context) => run(schema.parse(input), context),
  }
}

export interface TurnHarness {
  turn: TurnContext
  events: SessionEvent[]
  controller: AbortController
  /** Resolves with the next event of that type. */
  next: <T extends EventType>(type: T) => Promise<EventData<T>>
  types: () => string[]
}

/** A turn over a state in memory: the real loop, without a disk. */
export function harness(
  client: ModelClient,
  tools: Tool[],
  options: Partial<TurnContext> & { mode?: ApprovalMode } = {},
) {
  const events: SessionEvent[] = []
  const waiters: { type: string; resolve: (data: never) => void }[] = []
  let state = { ...initialState(SAMPLE_SESSION), cwd: process.cwd(), model: client.id, mode: options.mode ?? 'auto' }
  const emit: TurnContext['emit'] = (type, data) => {
    const event = { seq: state.last_seq + 1, time: new Date().toISOString(), session: state.id, type, data }
    state = { ...applyEvent(state, event as AnyEvent), mode: state.mode }
    events.push(event as SessionEvent)
    for (const waiter of waiters.filter((w) => w.type === type)) {
      waiters.splice(waiters.indexOf(waiter), 1)
      waiter.resolve(data as never)
    }
    return event.seq
  }
  const controller = new AbortController()
  emit('user_message', { id: 'u1', content: 'go', source: 'user' })
  const turn: TurnContext = {
    state: () => state,
    emit,
    durable: () => Promise.resolve(),
    client: () => Promise.resolve(client),
    system: () => 'system',
    tools,
    files: { note: () => undefined, get: () => null },
    gate: new ApprovalGate(),
    approvals: 'wait',
    rules: () => ({ lasting: [], given: [] }),
    max_iterations: 300,
    streaming: true,
    outputs_dir: '/nowhere',
    env: {},
    secrets: () => [],
    signal: controller.signal,
    ...options,
  }
  const next: TurnHarness['next'] = (type) => new Promise((resolve) => waiters.push({ type, resolve }))
  return { turn, events, controller, next, types: () => events.map((event) => event.type) }
}
