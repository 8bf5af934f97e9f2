import type { ModelChoice } from '@shared/bridge'
import type { Price, Settings } from '@shared/settings'
import { UserError } from '../../errors'
import { choiceOf } from '../choices'
import { closest, didYouMean } from '../suggest'
import type { ModelClient, ModelInfo } from '../types'
import { createOpenAiClient } from './client'
import { discoverLocal, type LocalFacts, localFacts, localNotes, localPrice } from './discovery'
import { type Endpoint, LOCAL_KINDS, localEndpoint, routerEndpoint } from './local'
import { type RouterModel, routerCatalogue, routerInfo } from './router'

export interface OpenAiDeps {
  settings: Pick<Settings, 'prices'>
  /** With `.env`: addresses and keys of the servers. */
  env: NodeJS.ProcessEnv
}

/**
 * A client for `hf/<org>/<model>[:provider]` or `<local server>/<model>`; null for an id of neither form. Waits at most
 * 5 s for window and price, and goes on without them. Throws `no_credentials` and `config`, and `unknown_model` for one
 * that the router has not in its list.
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
  checkListed(model, catalogue.models())
  const info = () => infoOf(model, routerInfo(catalogue.models(), model), user)
  return createOpenAiClient({ id, model, endpoint, info, refresh })
}

/** Without a list nothing is known, and the model may be there. */
function checkListed(model: string, models: readonly RouterModel[]): void {
  const [id = '', choice = ''] = model.split(':', 2)
  if (models.length === 0 || models.some((known) => known.id === id)) return
  const near = closest(
    id,
    models.map((known) => known.id),
    SUGGESTED,
  ).map((known) => `hf/${known}${choice === '' ? '' : `:${choice}`}`)
  throw new UserError(
    'unknown_model',
    `The Hugging Face router does not serve a model "${id}".`,
    `${didYouMean(near)}huggingface.co/models?inference_provider=all lists the models that are served.`,
  )
}
const SUGGESTED = 3

/** The catalogue's own limit. */
const FACTS_MS = 5000
/** A local model is loaded by its first call, and may be loaded again with another window. */
const WINDOW_FRESH_MS = 30_000

async function localClient(id: string, model: string, endpoint: Endpoint, deps: OpenAiDeps): Promise<ModelClient> {
  let facts: LocalFacts | null = null
  let asked = 0
  const refresh = async (signal: AbortSignal): Promise<void> => {
    if (facts?.context_window != null && Date.now() - asked < WINDOW_FRESH_MS) return
    const found = await localFacts(endpoint, model, signal)
    if (found === null) return
    // A server that is too busy to tell has not forgotten it.
    facts = { ...found, context_window: found.context_window ?? facts?.context_window ?? null }
    asked = Date.now()
  }
  await refresh(AbortSignal.timeout(FACTS_MS))
  const free = localPrice(endpoint)
  const price = free ? { ...free, cache_read: 0, cache_write: 0 } : null
  const user = userPrice(deps.settings, model)
  const info = () => {
    const known = { context_window: null, ...facts, price }
    return infoOf(model, { ...known, notes: facts ? localNotes(model, facts) : [] }, user)
  }
  return createOpenAiClient({ id, model, endpoint, info, refresh })
}

/** The user's own table wins, as it does for every provider. */
function infoOf(
  model: string,
  known: Omit<ModelInfo, 'name' | 'max_output'> & Partial<ModelInfo>,
  user?: Price,
): ModelInfo {
  const price = user
    ? {
        input: user.input,
        output: user.output,
        cache_read: user.cache_read ?? user.input,
        cache_write: user.cache_write ?? user.input,
      }
    : known.price
  return {
    ...known,
    name: model,
    context_window: user?.context_window ?? known.context_window,
    max_output: known.max_output ?? null,
    price,
  }
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

/** Models of the router in the window's first list; every other one can be searched, or chosen by its id. */
const FIRST_ROUTER_MODELS = 20
/** The window waits for the list: a catalogue that is slower is there the next time. */
const LIST_MS = 300

export interface ListOptions {
  /** Asks again past the cache, and waits up to 5 s instead of 300 ms. */
  refresh?: boolean
  /** All models of the router, and each with its providers: for a list that can be searched. */
  all?: boolean
}

/** Running local models, and with a token those of the router that can call tools. Never rejects. */
export async function listOpenAiModels(
  deps: OpenAiDeps,
  options: ListOptions = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<ModelChoice[]> {
  const wait = options.refresh ? FACTS_MS : LIST_MS
  const limit = AbortSignal.any([signal, AbortSignal.timeout(wait)])
  const [local, hosted] = await Promise.all([discoverLocal(deps.env, limit, wait), routerModels(deps, options, limit)])
  return [...local, ...hosted]
}

/** Brings the router's list up to date where there is a token for it. Never rejects. */
export async function refreshRouter(env: NodeJS.ProcessEnv, signal: AbortSignal, force = false): Promise<void> {
  const endpoint = routerOf(env)
  if (endpoint) await routerCatalogue(endpoint.baseURL).refresh(signal, force)
}

function routerOf(env: NodeJS.ProcessEnv): Endpoint | null {
  const token = tokenOf(env)
  if (token === null) return null
  try {
    return routerEndpoint(env, token)
  } catch (error) {
    // A wrong address is told when a model of the router is chosen.
    if (error instanceof UserError) return null
    throw error
  }
}

async function routerModels(
  { env, settings }: OpenAiDeps,
  { refresh = false, all = false }: ListOptions,
  limit: AbortSignal,
): Promise<ModelChoice[]> {
  const endpoint = routerOf(env)
  if (!endpoint) return []
  const catalogue = routerCatalogue(endpoint.baseURL)
  const waited = new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([catalogue.refresh(AbortSignal.timeout(FACTS_MS), refresh), waited])
  const models = catalogue.models()
  const usable = models.flatMap(({ id, routes }) => {
    const providers = routes.filter((route) => route.live && route.tools !== false).map(({ provider }) => provider)
    return providers.length === 0 ? [] : [{ id, providers }]
  })
  const choice = (model: string): ModelChoice => {
    const [id = '', provider] = model.split(':', 2)
    const user = userPrice(settings, model) ?? userPrice(settings, id)
    const where = provider === undefined ? 'Hugging Face' : `Hugging Face, ${provider}`
    const info = infoOf(model, routerInfo(models, model), user)
    return choiceOf(
      `hf/${model}`,
      'Hugging Face',
      { ...info, name: `${id.slice(id.indexOf('/') + 1)} (${where})` },
      true,
    )
  }
  if (!all) return usable.slice(0, FIRST_ROUTER_MODELS).map(({ id }) => choice(id))
  return usable.flatMap(({ id, providers }) => [
    choice(id),
    // With one provider there is nothing to choose.
    ...(providers.length > 1 ? providers.map((provider) => choice(`${id}:${provider}`)) : []),
  ])
}
