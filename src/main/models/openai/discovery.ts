import type { ModelChoice } from '@shared/bridge'
import { fetchJson, isObject, objectOf, textOf, windowOf } from './json'
import { type Endpoint, isPrivate, localEndpoints, rootOf } from './local'

/** For one server, everything included: the window waits for this list. */
const DISCOVERY_MS = 300
/** Facts of one model, asked once before its first call. */
const FACTS_MS = 2000
/** More than this is a registry, not somebody's machine. */
const MAX_MODELS = 50
const NO_CHAT = /(^|[-_/])(text-)?embed|rerank/i

/**
 * The models of local servers that run now, asked in parallel; a server that does not answer within 300 ms counts as
 * not running. Never rejects. For lists only: a short run of one prompt has no use for it.
 */
export async function discoverLocal(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<ModelChoice[]> {
  const found = await Promise.all(localEndpoints(env).map((endpoint) => modelsOf(endpoint, signal)))
  return found.flat()
}

async function modelsOf(endpoint: Endpoint, signal: AbortSignal): Promise<ModelChoice[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DISCOVERY_MS)])
  const models = await listModels(endpoint, limit, DISCOVERY_MS).catch(() => [])
  const price = localPrice(endpoint)
  return Promise.all(
    models
      .filter(({ id }) => !NO_CHAT.test(id))
      .slice(0, MAX_MODELS)
      .map(async ({ id, context_window }) => ({
        id: `${endpoint.kind}/${id}`,
        name: `${id} (${endpoint.name})`,
        context_window: (await ownWindow(endpoint, id, limit, DISCOVERY_MS)) ?? context_window,
        input_price: price?.input ?? null,
        output_price: price?.output ?? null,
        available: true,
      })),
  )
}

/** Tokens that fit into the model as the server runs it now; null when it does not tell or does not run. Never rejects. */
export async function localWindow(endpoint: Endpoint, model: string, signal: AbortSignal): Promise<number | null> {
  const [own, listed] = await Promise.all([
    ownWindow(endpoint, model, signal, FACTS_MS),
    listModels(endpoint, signal, FACTS_MS).catch(() => []),
  ])
  return own ?? listed.find(({ id }) => id === model)?.context_window ?? null
}

/** Nobody bills a server in one's own house by the token; `openai-compat` may be a gateway to one that does. */
export function localPrice(endpoint: Endpoint): { input: number; output: number } | null {
  return endpoint.kind !== 'openai-compat' && isPrivate(endpoint.baseURL) ? { input: 0, output: 0 } : null
}

async function listModels(
  endpoint: Endpoint,
  signal: AbortSignal,
  timeout_ms: number,
): Promise<{ id: string; context_window: number | null }[]> {
  const body = await ask(endpoint, `${endpoint.baseURL}/models`, signal, timeout_ms)
  const data = isObject(body) ? body.data : undefined
  if (!Array.isArray(data)) return []
  return data.flatMap((value) => {
    const model = objectOf(value)
    const id = textOf(model.id)
    // vLLM's name, then those of gateways. llama.cpp's `meta.n_ctx_train` is what the model could, not what it has.
    const window = windowOf(model.max_model_len) ?? windowOf(model.context_length) ?? windowOf(model.context_window)
    return id === null ? [] : [{ id, context_window: window }]
  })
}

/** What the server tells outside of the common API. */
async function ownWindow(
  endpoint: Endpoint,
  model: string,
  signal: AbortSignal,
  timeout_ms: number,
): Promise<number | null> {
  const root = rootOf(endpoint.baseURL)
  const get = (path: string, body?: unknown) =>
    // Older servers have none of these; the window is then unknown.
    ask(endpoint, `${root}${path}`, signal, timeout_ms, body).then(objectOf, () => ({}) as Record<string, unknown>)
  switch (endpoint.kind) {
    case 'llamacpp': {
      const props = await get('/props')
      return windowOf(objectOf(props.default_generation_settings).n_ctx) ?? windowOf(props.n_ctx)
    }
    case 'ollama': {
      const [running, shown] = await Promise.all([get('/api/ps'), get('/api/show', { model })])
      return ollamaWindow(running, shown, model)
    }
    case 'lm_studio':
      return windowOf((await get(`/api/v0/models/${encodeURI(model)}`)).loaded_context_length)
    default:
      return null
  }
}

/** What a loaded model really has, else what its settings ask for, else what it was built for. */
function ollamaWindow(running: Record<string, unknown>, shown: Record<string, unknown>, model: string): number | null {
  const loaded = (Array.isArray(running.models) ? running.models : [])
    .map(objectOf)
    .find(({ name, model: id }) => [name, id].some((known) => known === model || known === `${model}:latest`))
  const asked = /^num_ctx\s+(\d+)$/m.exec(textOf(shown.parameters) ?? '')?.[1]
  const built = Object.entries(objectOf(shown.model_info)).find(([key]) => key.endsWith('.context_length'))?.[1]
  return windowOf(loaded?.context_length) ?? windowOf(asked === undefined ? null : Number(asked)) ?? windowOf(built)
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
