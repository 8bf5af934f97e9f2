import type { Capabilities, ModelInfo } from '../types'
import { fetchJson, isObject, listOf, numberOf, objectOf, textOf, windowOf } from './json'

/** One provider of a model of the router. */
export interface Route {
  provider: string
  live: boolean
  /** The router's own word for it: live, staging, error. */
  status: string
  context_window: number | null
  price: { input: number; output: number } | null
  /** Null: not told. */
  tools: boolean | null
}

export interface RouterModel {
  id: string
  /** Null: not told. */
  images: boolean | null
  routes: Route[]
}

export interface RouterCatalogue {
  /** What is known now, without asking. */
  models(): readonly RouterModel[]
  /** Asks at most every five minutes, and 15 s after a failure, or now. Never rejects: what was known stays. */
  refresh(signal: AbortSignal, force?: boolean): Promise<void>
}

const TIMEOUT_MS = 5000
const FRESH_MS = 300_000
const FAILED_MS = 15_000

const catalogues = new Map<string, RouterCatalogue>()

/** One for each address in this process. No token is sent: the list is public. */
export function routerCatalogue(baseURL: string): RouterCatalogue {
  const known = catalogues.get(baseURL)
  if (known) return known
  const made = createRouterCatalogue(baseURL)
  catalogues.set(baseURL, made)
  return made
}

export function createRouterCatalogue(baseURL: string, now: () => number = Date.now): RouterCatalogue {
  let models: RouterModel[] = []
  let next = 0
  let asking: Promise<void> | null = null
  const ask = async (signal: AbortSignal): Promise<void> => {
    try {
      models = parseModels(await fetchJson(`${baseURL}/models`, { timeout_ms: TIMEOUT_MS }, signal))
      next = now() + FRESH_MS
    } catch {
      // Without the list, window and price are unknown, and are shown as that; a stopped call says nothing about it.
      if (!signal.aborted) next = now() + FAILED_MS
    } finally {
      asking = null
    }
  }
  return {
    models: () => models,
    refresh(signal, force = false) {
      if (!asking && (force || now() >= next)) asking = ask(signal)
      return asking ?? Promise.resolve()
    },
  }
}

/** Throws when the answer is no list. */
function parseModels(body: unknown): RouterModel[] {
  const data = isObject(body) ? body.data : undefined
  if (!Array.isArray(data)) throw new TypeError('no list of models')
  return data.flatMap((value): RouterModel[] => {
    const model = objectOf(value)
    const id = textOf(model.id)
    const inputs = objectOf(model.architecture).input_modalities
    const images = Array.isArray(inputs) ? inputs.includes('image') : null
    return id === null ? [] : [{ id, images, routes: listOf(model.providers).map(routeOf) }]
  })
}

function routeOf(value: unknown): Route {
  const route = objectOf(value)
  const { input, output } = objectOf(route.pricing)
  const prices = { input: numberOf(input), output: numberOf(output) }
  const price = prices.input !== null && prices.output !== null ? { input: prices.input, output: prices.output } : null
  return {
    provider: textOf(route.provider) ?? '',
    live: route.status === undefined || route.status === 'live',
    status: textOf(route.status) ?? 'live',
    context_window: windowOf(route.context_length),
    price: price ?? (route.is_free === true ? { input: 0, output: 0 } : null),
    tools: typeof route.supports_tools === 'boolean' ? route.supports_tools : null,
  }
}

/** Ways to let the router choose (library table, 5.8); anything else after the colon is a provider. */
const POLICIES = new Set(['fastest', 'cheapest', 'preferred'])

export type RouterFacts = Pick<ModelInfo, 'context_window' | 'price'> & { capabilities: Capabilities; notes: string[] }

/**
 * What is known of `<org>/<model>[:provider]`. Where the router chooses the provider, only what all of its live
 * providers agree on is known.
 */
export function routerInfo(models: readonly RouterModel[], model: string): RouterFacts {
  const [id = '', choice = 'fastest'] = model.split(':', 2)
  const found = models.find((candidate) => candidate.id === id)
  const all = found?.routes ?? []
  const routes = POLICIES.has(choice)
    ? all.filter((route) => route.live)
    : all.filter((route) => route.provider === choice)
  const input = agreed(routes.map(({ price }) => price?.input ?? null))
  const output = agreed(routes.map(({ price }) => price?.output ?? null))
  return {
    context_window: agreed(routes.map((route) => route.context_window)),
    // No provider tells what cached input costs: it counts in full, never too little.
    price: input === null || output === null ? null : { input, output, cache_read: input, cache_write: input },
    capabilities: { tools: agreed(routes.map(({ tools }) => tools)), images: found?.images ?? null, reasoning: null },
    notes: found ? notesOf(found, choice, routes) : [],
  }
}

/** Warnings, as far as the router tells anything. */
function notesOf({ id, routes: all }: RouterModel, choice: string, routes: readonly Route[]): string[] {
  const others = all.filter(({ live, provider }) => live && provider !== choice).map(({ provider }) => provider)
  const instead = others.length === 0 ? '' : ` Those that do: ${others.join(', ')}.`
  const [first] = routes
  if (POLICIES.has(choice)) {
    if (!first) return [`No provider serves ${id} at the moment.`]
  } else if (!first) {
    return [`The router does not list ${choice} among the providers of ${id}.${instead}`]
  } else if (!first.live) {
    return [`${choice} does not serve ${id} at the moment (status ${first.status}).${instead}`]
  }
  if (routes.every(({ tools }) => tools === false)) {
    const where = POLICIES.has(choice) ? '' : ` at ${choice}`
    return [`${id} cannot call tools${where}: it can talk, but not work.`]
  }
  return []
}

function agreed<T>(values: (T | null)[]): T | null {
  const [first = null] = values
  return values.every((value) => value === first) ? first : null
}
