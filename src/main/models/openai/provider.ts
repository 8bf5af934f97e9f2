import type { ModelChoice } from '@shared/bridge'
import type { Price, Settings } from '@shared/settings'
import { UserError } from '../../errors'
import type { ModelClient, ModelInfo } from '../types'
import { createOpenAiClient } from './client'
import { discoverLocal, localPrice, localWindow } from './discovery'
import { type Endpoint, LOCAL_KINDS, localEndpoint, routerEndpoint } from './local'
import { routerCatalogue, routerInfo } from './router'

export interface OpenAiDeps {
  settings: Pick<Settings, 'prices'>
  /** With `.env`: addresses and keys of the servers. */
  env: NodeJS.ProcessEnv
}

/**
 * A client for `hf/<org>/<model>[:provider]` or `<local server>/<model>`; null for an id of neither form. Waits at most
 * 5 s for window and price, and goes on without them. Throws `no_credentials` and `config`.
 */
export async function createOpenAiModel(id: string, deps: OpenAiDeps): Promise<ModelClient | null> {
  const router = /^hf\/([\w.-]+\/[\w.-]+(?::[\w.-]+)?)$/.exec(id)?.[1]
  if (router !== undefined) return routerClient(id, router, deps)
  const kind = LOCAL_KINDS.find((candidate) => id.startsWith(`${candidate}/`))
  const model = kind ? id.slice(kind.length + 1) : ''
  if (!kind || !/^\S+$/.test(model)) return null
  return localClient(id, model, localEndpoint(kind, deps.env), deps)
}

async function routerClient(id: string, model: string, { env, settings }: OpenAiDeps): Promise<ModelClient> {
  const token = tokenOf(env)
  if (token === null) throw noToken(id, env)
  const endpoint = routerEndpoint(env, token)
  const catalogue = routerCatalogue(endpoint.baseURL)
  const user = userPrice(settings, model) ?? userPrice(settings, model.replace(/:.*$/, ''))
  const { refresh } = catalogue
  // A price under a cap has to be there before the first call.
  await refresh(AbortSignal.timeout(FACTS_MS))
  const info = () => infoOf(model, routerInfo(catalogue.models(), model), user)
  return createOpenAiClient({ id, model, endpoint, info, refresh })
}

/** The catalogue's own limit. */
const FACTS_MS = 5000
/** A local model is loaded by its first call, and may be loaded again with another window. */
const WINDOW_FRESH_MS = 30_000

async function localClient(id: string, model: string, endpoint: Endpoint, deps: OpenAiDeps): Promise<ModelClient> {
  let context_window: number | null = null
  let asked = 0
  const refresh = async (signal: AbortSignal): Promise<void> => {
    if (context_window !== null && Date.now() - asked < WINDOW_FRESH_MS) return
    const found = await localWindow(endpoint, model, signal)
    if (found === null) return
    context_window = found
    asked = Date.now()
  }
  await refresh(AbortSignal.timeout(FACTS_MS))
  const free = localPrice(endpoint)
  const price = free ? { ...free, cache_read: 0, cache_write: 0 } : null
  const user = userPrice(deps.settings, model)
  return createOpenAiClient({
    id,
    model,
    endpoint,
    info: () => infoOf(model, { context_window, price }, user),
    refresh,
  })
}

/** The user's own table wins, as it does for every provider. */
function infoOf(model: string, known: Pick<ModelInfo, 'context_window' | 'price'>, user: Price | undefined): ModelInfo {
  const price = user
    ? {
        input: user.input,
        output: user.output,
        cache_read: user.cache_read ?? user.input,
        cache_write: user.cache_write ?? user.input,
      }
    : known.price
  return { name: model, context_window: user?.context_window ?? known.context_window, max_output: null, price }
}

function userPrice({ prices }: Pick<Settings, 'prices'>, model: string): Price | undefined {
  return Object.hasOwn(prices, model) ? prices[model] : undefined
}

function tokenOf(env: NodeJS.ProcessEnv): string | null {
  return env.HF_TOKEN?.trim() || null
}

function noToken(id: string, env: NodeJS.ProcessEnv): UserError {
  const what = env.HF_TOKEN === undefined ? 'there is none' : 'HF_TOKEN is set but empty'
  return new UserError(
    'no_credentials',
    `${id} needs a Hugging Face token, and ${what}.`,
    'Set HF_TOKEN in the environment or in a file named .env in the working folder. Tokens are made at ' +
      'huggingface.co/settings/tokens and need the permission "Make calls to Inference Providers".',
  )
}

/** Models of the router in the list of choices; every other one can be chosen by its id. */
const MAX_ROUTER_MODELS = 20
/** The window waits for the list: a catalogue that is slower is there the next time. */
const LIST_MS = 300

/** Running local models, and with a token the first models of the router that can call tools. Never rejects. */
export async function listOpenAiModels(deps: OpenAiDeps): Promise<ModelChoice[]> {
  const signal = AbortSignal.timeout(LIST_MS)
  const [local, hosted] = await Promise.all([discoverLocal(deps.env, signal), routerModels(deps, signal)])
  return [...local, ...hosted]
}

async function routerModels({ env, settings }: OpenAiDeps, limit: AbortSignal): Promise<ModelChoice[]> {
  const token = tokenOf(env)
  if (token === null) return []
  let endpoint: Endpoint
  try {
    endpoint = routerEndpoint(env, token)
  } catch (error) {
    // A wrong address is told when a model of the router is chosen.
    if (error instanceof UserError) return []
    throw error
  }
  const catalogue = routerCatalogue(endpoint.baseURL)
  const waited = new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([catalogue.refresh(AbortSignal.timeout(FACTS_MS)), waited])
  const models = catalogue.models()
  return models
    .filter(({ routes }) => routes.some((route) => route.live && route.tools !== false))
    .slice(0, MAX_ROUTER_MODELS)
    .map(({ id }) => {
      const { context_window, price } = infoOf(id, routerInfo(models, id), userPrice(settings, id))
      return {
        id: `hf/${id}`,
        name: `${id.slice(id.indexOf('/') + 1)} (Hugging Face)`,
        context_window,
        input_price: price?.input ?? null,
        output_price: price?.output ?? null,
        available: true,
      }
    })
}
