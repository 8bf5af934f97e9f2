import { createAnthropicClient } from '../../src/main/models/anthropic'
import { createCatalogue } from '../../src/main/models/catalogue'
import { type RetryDelta, withRetry } from '../../src/main/models/retry'
import type { ModelClient, ModelDelta, ModelMessage, ModelRequest } from '../../src/main/models/types'
import { type FakeAnthropic, type FakeOptions, type Script, startFakeAnthropic } from './fake-anthropic'

/** The real client against the fake server, for tests of the client itself. */
export const KEY = 'sk-ant-api03-integration-test-key'
export const MODEL = 'claude-opus-5-5'
export const bash = { name: 'bash', description: 'Runs a command.', input_schema: { type: 'object', properties: {} } }
export const hello: ModelMessage[] = [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }]

let open: FakeAnthropic[] = []

/** For `afterEach`: every server is closed, and its rules are judged, whatever the test expects. */
export async function closeServers(): Promise<void> {
  const servers = open
  open = []
  for (const server of servers) await server.close()
}

export async function setup(
  script: Script,
  options: FakeOptions & { model?: string; key?: string; path?: string } = {},
) {
  const server = await startFakeAnthropic(script, { apiKey: KEY, ...options })
  open.push(server)
  const { model = MODEL, key: apiKey = KEY, path = '' } = options
  const baseURL = server.url + path
  const id = `anthropic/${model}`
  return { server, client: createAnthropicClient({ id, model, apiKey, baseURL, catalogue: createCatalogue() }) }
}

export function requestOf(change: Partial<ModelRequest> = {}): ModelRequest {
  return { system: 'Be brief.', messages: hello, tools: [bash], effort: null, streaming: true, ...change }
}

export async function collect(client: ModelClient, request = requestOf(), signal = new AbortController().signal) {
  const deltas: ModelDelta[] = []
  for await (const delta of client.stream(request, signal)) deltas.push(delta)
  return { deltas, ...endOf(deltas) }
}

/** The waits are recorded and skipped. */
export async function collectRetrying(client: ModelClient, request = requestOf()) {
  const deltas: RetryDelta[] = []
  const waits: number[] = []
  const sleep = async (ms: number) => {
    waits.push(ms)
  }
  const signal = new AbortController().signal
  for await (const delta of withRetry(client, request, signal, { sleep, random: () => 0 })) deltas.push(delta)
  return { deltas, waits, ...endOf(deltas) }
}

export function endOf(deltas: readonly RetryDelta[]) {
  const last = deltas.at(-1)
  const done = last?.type === 'done' ? last : null
  const failed = last?.type === 'failed' ? last : null
  const shown = (type: 'text' | 'reasoning') => deltas.flatMap((d) => (d.type === type ? [d.text] : [])).join('')
  return { done, failed, text: shown('text'), reasoning: shown('reasoning') }
}
