import { DEFAULT_SETTINGS } from '@shared/settings'
import { createOpenAiModel } from '../../src/main/models/openai/provider'
import { type RetryDelta, withRetry } from '../../src/main/models/retry'
import type { ModelClient, ModelDelta, ModelMessage, ModelRequest } from '../../src/main/models/types'
import { type ChatReply, type FakeOpenAi, type FakeOpenAiOptions, startFakeOpenAi } from './fake-openai'

/** The real clients against the fake server. */
export const TOKEN = 'hf_integrationTestTokenThatIsLong'
export const tool = { name: 'bash', description: 'Runs a command.', input_schema: { type: 'object', properties: {} } }
export const hello: ModelMessage[] = [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }]

let open: FakeOpenAi[] = []

/** For `afterEach`: every server is closed and its rules are judged, whatever the test expects. */
export async function closeServers(): Promise<void> {
  const servers = open
  open = []
  for (const server of servers) await server.close()
}

export async function serve(script: ChatReply[] = [], options: FakeOpenAiOptions = {}): Promise<FakeOpenAi> {
  const server = await startFakeOpenAi(script, options)
  open.push(server)
  return server
}

/** The variable of the address for each prefix. */
export const ADDRESS: Record<string, string> = {
  hf: 'HF_ROUTER_URL',
  ollama: 'OLLAMA_BASE_URL',
  vllm: 'VLLM_BASE_URL',
  lm_studio: 'LMSTUDIO_BASE_URL',
  llamacpp: 'LLAMACPP_BASE_URL',
  'openai-compat': 'LOCAL_LLM_BASE_URL',
}

export async function setup(script: ChatReply[], id = 'vllm/org/model', options: FakeOpenAiOptions = {}) {
  const server = await serve(script, options)
  const prefix = id.slice(0, id.indexOf('/'))
  const env = { [ADDRESS[prefix] ?? '']: server.url, ...(prefix === 'hf' ? { HF_TOKEN: TOKEN } : {}) }
  return { server, client: await clientOf(id, env) }
}

export async function clientOf(id: string, env: NodeJS.ProcessEnv, prices = {}): Promise<ModelClient> {
  const client = await createOpenAiModel(id, { settings: { ...DEFAULT_SETTINGS, prices }, env })
  if (!client) throw new Error(`${id} is not taken`)
  return client
}

export function requestOf(change: Partial<ModelRequest> = {}): ModelRequest {
  return { system: 'Be brief.', messages: hello, tools: [tool], effort: null, streaming: true, ...change }
}

export async function collect(client: ModelClient, request = requestOf(), signal = new AbortController().signal) {
  const deltas: ModelDelta[] = []
  for await (const one of client.stream(request, signal)) deltas.push(one)
  const last = deltas.at(-1)
  const shown = (type: 'text' | 'reasoning') => deltas.flatMap((d) => (d.type === type ? [d.text] : [])).join('')
  return {
    deltas,
    done: last?.type === 'done' ? last : null,
    failed: last?.type === 'failed' ? last : null,
    text: shown('text'),
    reasoning: shown('reasoning'),
  }
}

/** The waits are skipped. */
export async function collectRetrying(client: ModelClient, request = requestOf()): Promise<RetryDelta[]> {
  const deltas: RetryDelta[] = []
  const { signal } = new AbortController()
  for await (const one of withRetry(client, request, signal, { sleep: async () => {}, random: () => 0 })) {
    deltas.push(one)
  }
  return deltas
}
