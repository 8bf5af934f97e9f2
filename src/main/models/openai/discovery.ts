import type { ModelChoice } from '@shared/bridge'
import type { Effort } from '@shared/settings'
import { choiceOf } from '../choices'
import { EFFORTS } from '../effort'
import type { Capabilities, ModelInfo } from '../types'
import { fetchJson, isObject, type JsonObject, listOf, objectOf, textOf, windowOf } from './json'
import { type Endpoint, isPrivate, localEndpoints, rootOf } from './local'

/** For one server, everything included: the window waits for this list. */
const DISCOVERY_MS = 300
/** Facts of one model, asked once before its first call. */
const FACTS_MS = 2000
/** More than this is a registry, not somebody's machine. */
const MAX_MODELS = 50
const NO_CHAT = /(^|[-_/])(text-)?embed|rerank/i
/** System prompt, tools and one file fill about this much; below it a session is mostly compaction. */
const SMALL_WINDOW = 16_384

/** What a server tells of one of its models; null and absent: nothing. */
export interface LocalFacts {
  context_window: number | null
  max_output: number | null
  capabilities: Capabilities
  /** Null: it does not say, and is then never sent one. */
  efforts: Effort[] | null
}

const UNKNOWN: Capabilities = { tools: null, images: null, reasoning: null }

/**
 * The models of local servers that run now, asked in parallel; a server that does not answer within `wait_ms` counts as
 * not running. Never rejects. For lists only: a short run of one prompt has no use for it.
 */
export async function discoverLocal(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  wait_ms = DISCOVERY_MS,
): Promise<ModelChoice[]> {
  const found = await Promise.all(localEndpoints(env).map((endpoint) => modelsOf(endpoint, signal, wait_ms)))
  return found.flat()
}

async function modelsOf(endpoint: Endpoint, signal: AbortSignal, wait_ms: number): Promise<ModelChoice[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(wait_ms)])
  const models = await listModels(endpoint, limit, wait_ms).catch(() => [])
  const price = localPrice(endpoint)
  return Promise.all(
    models
      .filter(({ id }) => !NO_CHAT.test(id))
      .slice(0, MAX_MODELS)
      .map(async ({ id, facts }) => {
        const own = merged(await ownFacts(endpoint, id, limit, wait_ms), facts)
        const info: ModelInfo = {
          ...own,
          name: `${id} (${endpoint.name})`,
          price: price ? { ...price, cache_read: 0, cache_write: 0 } : null,
          notes: localNotes(id, own),
        }
        return choiceOf(`${endpoint.kind}/${id}`, endpoint.name, info, true)
      }),
  )
}

/** What the server tells of the model as it runs it now; null when it does not run. Never rejects. */
export async function localFacts(endpoint: Endpoint, model: string, signal: AbortSignal): Promise<LocalFacts | null> {
  const [own, listed] = await Promise.all([
    ownFacts(endpoint, model, signal, FACTS_MS),
    listModels(endpoint, signal, FACTS_MS).catch(() => []),
  ])
  const facts = listed.find(({ id }) => id === model)?.facts
  return facts ? merged(own, facts) : own
}

/** Sentences for the user; empty when nothing is wrong. */
export function localNotes(model: string, { capabilities, context_window }: LocalFacts): string[] {
  const notes: string[] = []
  if (capabilities.tools === false) notes.push(`${model} cannot call tools: it can talk, but not work.`)
  if (context_window !== null && context_window < SMALL_WINDOW) {
    notes.push(`Its window of ${context_window} tokens is small; start the server with a larger context.`)
  }
  return notes
}

/** Nobody bills a server in one's own house by the token; `openai-compat` may be a gateway to one that does. */
export function localPrice(endpoint: Endpoint): { input: number; output: number } | null {
  return endpoint.kind !== 'openai-compat' && isPrivate(endpoint.baseURL) ? { input: 0, output: 0 } : null
}

function merged(own: LocalFacts | null, listed: LocalFacts): LocalFacts {
  if (!own) return listed
  return {
    context_window: own.context_window ?? listed.context_window,
    max_output: own.max_output ?? listed.max_output,
    capabilities: {
      tools: own.capabilities.tools ?? listed.capabilities.tools,
      images: own.capabilities.images ?? listed.capabilities.images,
      reasoning: own.capabilities.reasoning ?? listed.capabilities.reasoning,
    },
    efforts: own.efforts ?? listed.efforts,
  }
}

async function listModels(
  endpoint: Endpoint,
  signal: AbortSignal,
  timeout_ms: number,
): Promise<{ id: string; facts: LocalFacts }[]> {
  const body = await ask(endpoint, `${endpoint.baseURL}/models`, signal, timeout_ms)
  const data = isObject(body) ? body.data : undefined
  if (!Array.isArray(data)) return []
  return data.flatMap((value) => {
    const model = objectOf(value)
    const id = textOf(model.id)
    return id === null ? [] : [{ id, facts: listedFacts(model) }]
  })
}

/** vLLM's names, then those of gateways (OpenRouter's `supported_parameters` and `architecture` are widely copied). */
function listedFacts(model: JsonObject): LocalFacts {
  const takes = Array.isArray(model.supported_parameters) ? model.supported_parameters : null
  const inputs = objectOf(model.architecture).input_modalities
  const reasoning = takes && ['reasoning', 'reasoning_effort', 'include_reasoning'].some((name) => takes.includes(name))
  return {
    // llama.cpp's `meta.n_ctx_train` is what the model could, not what it has.
    context_window: windowOf(model.max_model_len) ?? windowOf(model.context_length) ?? windowOf(model.context_window),
    max_output: windowOf(objectOf(model.top_provider).max_completion_tokens),
    capabilities: {
      tools: takes ? takes.includes('tools') : null,
      images: Array.isArray(inputs) ? inputs.includes('image') : null,
      reasoning,
    },
    efforts: takes?.includes('reasoning_effort') ? ['low', 'medium', 'high'] : null,
  }
}

/** What the server tells outside of the common API; null: nothing. */
async function ownFacts(
  endpoint: Endpoint,
  model: string,
  signal: AbortSignal,
  timeout_ms: number,
): Promise<LocalFacts | null> {
  const root = rootOf(endpoint.baseURL)
  const get = (path: string, body?: unknown) =>
    // Older servers have none of these; the facts are then unknown.
    ask(endpoint, `${root}${path}`, signal, timeout_ms, body).then(objectOf, () => null)
  const nothing = { max_output: null, efforts: null }
  switch (endpoint.kind) {
    case 'llamacpp': {
      const props = await get('/props')
      if (!props) return null
      const window = windowOf(objectOf(props.default_generation_settings).n_ctx) ?? windowOf(props.n_ctx)
      const tools = flag(objectOf(props.chat_template_caps).supports_tools)
      const images = flag(objectOf(props.modalities).vision)
      return { ...nothing, context_window: window, capabilities: { tools, images, reasoning: null } }
    }
    case 'ollama': {
      const [running, shown] = await Promise.all([get('/api/ps'), get('/api/show', { model })])
      return running || shown ? ollamaFacts(running ?? {}, shown ?? {}, model) : null
    }
    case 'lm_studio': {
      const told = await get(`/api/v0/models/${encodeURI(model)}`)
      if (!told) return null
      const tools = Array.isArray(told.capabilities) ? told.capabilities.includes('tool_use') : null
      const images = told.type === 'vlm' ? true : told.type === 'llm' ? false : null
      const context_window = windowOf(told.loaded_context_length)
      return { ...nothing, context_window, capabilities: { tools, images, reasoning: null } }
    }
    default:
      return null
  }
}

/** The window: what a loaded model really has, else what its settings ask for, else what it was built for. */
function ollamaFacts(running: JsonObject, shown: JsonObject, model: string): LocalFacts {
  const loaded = listOf(running.models)
    .map(objectOf)
    .find(({ name, model: id }) => [name, id].some((known) => known === model || known === `${model}:latest`))
  const asked = /^num_ctx\s+(\d+)$/m.exec(textOf(shown.parameters) ?? '')?.[1]
  const built = Object.entries(objectOf(shown.model_info)).find(([key]) => key.endsWith('.context_length'))?.[1]
  const can = Array.isArray(shown.capabilities) ? shown.capabilities : null
  // Named levels only: most thinking models there can be switched on and off, and nothing else.
  const levels = listOf(objectOf(shown.thinking).values)
  const named = EFFORTS.filter((level) => levels.includes(level))
  return {
    context_window:
      windowOf(loaded?.context_length) ?? windowOf(asked === undefined ? null : Number(asked)) ?? windowOf(built),
    max_output: null,
    capabilities: can
      ? { tools: can.includes('tools'), images: can.includes('vision'), reasoning: can.includes('thinking') }
      : UNKNOWN,
    efforts: named.length > 0 ? named : null,
  }
}

function flag(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null
}

function ask(
  { apiKey }: Endpoint,
  url: string,
  signal: AbortSignal,
  timeout_ms: number,
  body?: unknown,
): Promise<unknown> {
  const usable = apiKey !== null && /^[\x21-\x7e]+$/.test(apiKey)
  return fetchJson(
    url,
    { ...(usable ? { headers: { authorization: `Bearer ${apiKey}` } } : {}), body, timeout_ms },
    signal,
  )
}
