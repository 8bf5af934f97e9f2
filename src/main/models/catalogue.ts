import type { Effort, Settings } from '@shared/settings'
import builtIn from './prices.json'
import type { Capabilities, ModelInfo, TokenUsage } from './types'

/** US dollars per million tokens. */
export interface Rates {
  input: number
  output: number
  cache_read: number
  /** Writing the five-minute cache, the only one we ask for. */
  cache_write: number
}
/** The flat rates are those of the smallest prompts. */
export interface ModelPrice extends Rates {
  /** Where the price depends on the size of the prompt: smallest first, the last one without a limit. */
  tiers?: (Rates & { up_to_prompt_tokens: number | null })[]
}

/** What GET /v1/models tells; null fields are not known. */
export interface LiveModel {
  id: string
  name: string
  context_window: number | null
  max_output: number | null
  adaptive_thinking: boolean | null
  effort: boolean | null
  /** Levels, lowest first; empty: none. */
  efforts: Effort[] | null
  images: boolean | null
  reasoning: boolean | null
}

/**
 * The models that the provider lists for this key, one record for all clients of an engine. Nothing is asked before
 * `refresh` is called, which a short run never does.
 */
export class LiveModels {
  private models: ReadonlyMap<string, LiveModel> = new Map()
  private refreshed: number | null = null
  private asking: Promise<void> | null = null

  constructor(private readonly now: () => number = Date.now) {}

  /** By id without prefix; empty until a list has come. */
  get all(): ReadonlyMap<string, LiveModel> {
    return this.models
  }

  /** Asks at most once an hour, or now with `force`. Rejects when the list cannot be had, and keeps what it knew. */
  refresh(list: (signal: AbortSignal) => Promise<LiveModel[]>, signal: AbortSignal, force = false): Promise<void> {
    if (this.asking) return this.asking
    if (!force && this.refreshed !== null && this.now() - this.refreshed < REFRESH_MS) return Promise.resolve()
    this.asking = this.ask(list, signal).finally(() => {
      this.asking = null
    })
    return this.asking
  }

  /** Another key may have other models. */
  forget(): void {
    this.models = new Map()
    this.refreshed = null
  }

  private async ask(list: (signal: AbortSignal) => Promise<LiveModel[]>, signal: AbortSignal): Promise<void> {
    const found = await list(signal)
    this.models = new Map(found.map((model) => [model.id, model]))
    this.refreshed = this.now()
  }
}

export interface RequestLimits {
  max_tokens: number
  /** For a reply in one piece, which has to be there before the request times out. */
  max_tokens_unstreamed: number
  /** Send `thinking: {type: 'adaptive'}` and an effort: true where nothing says otherwise. */
  adaptive_thinking: boolean
  effort: boolean
  /** Levels it takes, as far as the provider tells. */
  efforts: Effort[] | null
}

export interface Catalogue {
  /** Never throws: an unknown model has null fields and its own id as name. */
  info(model: string): AnthropicInfo
  limits(model: string): RequestLimits
  /** Ids of the models offered to choose from, best first. */
  offered(): string[]
  /**
   * Takes the live list over the built-in table, at most once an hour; only when asked, never in a short run. Rejects
   * when the list cannot be had, and keeps what it knew.
   */
  refresh(list: (signal: AbortSignal) => Promise<LiveModel[]>, signal: AbortSignal): Promise<void>
}
export type AnthropicInfo = ModelInfo & {
  price: ModelPrice | null
  efforts: Effort[] | null
  capabilities: Capabilities
  notes: string[]
}

interface BuiltInModel {
  id: string
  /** Dated names of the same model. Nothing else is matched: a name that looks alike may cost ten times as much. */
  aliases?: string[]
  name: string
  context_window: number | null
  max_output: number | null
  /** Absent: yes. Models before Claude 4.6 refuse adaptive thinking, Haiku 4.5 also effort. */
  adaptive_thinking?: boolean
  effort?: boolean
  tiers: { up_to_prompt_tokens?: number; input: number; output: number; cache_read?: number; cache_write?: number }[]
}

/** Of the input price: library table, "Cache" (platform.claude.com, prompt caching, 2026). */
const CACHE_READ = 0.1
const CACHE_WRITE = 1.25

/** Room for long thinking and a whole file in one call; more is rarely used and makes a runaway reply expensive. */
const MAX_TOKENS = 64_000
/** Every model on offer takes this much. */
const MAX_TOKENS_UNKNOWN_MODEL = 32_000
/** The SDK's rule: an hour for 128,000 tokens, and ten minutes for a reply without streaming. */
const MAX_TOKENS_UNSTREAMED = Math.floor((128_000 * 10) / 60)
const REFRESH_MS = 3_600_000
const NOT_LISTED = 'The provider does not list this model for your key.'

const models: readonly BuiltInModel[] = builtIn.models
const byId = new Map<string, BuiltInModel>(models.flatMap((m) => [m.id, ...(m.aliases ?? [])].map((id) => [id, m])))

/**
 * `prices`: the user's table, by model id without prefix; its entries win over ours. `live`: shared by the catalogues
 * of an engine.
 */
export function createCatalogue(prices: Settings['prices'] = {}, live: LiveModels = new LiveModels()): Catalogue {
  const userPrice = (model: string) => {
    const base = byId.get(model)?.id
    return own(prices, model) ?? (base === undefined ? undefined : own(prices, base))
  }

  return {
    info(model) {
      const known = byId.get(model)
      const seen = live.all.get(model)
      const user = userPrice(model)
      return {
        name: seen?.name ?? known?.name ?? model,
        context_window: user?.context_window ?? seen?.context_window ?? known?.context_window ?? null,
        max_output: seen?.max_output ?? known?.max_output ?? null,
        price: user ? ratesOf(user) : known ? priceOf(known) : null,
        efforts: seen?.efforts ?? (known?.effort === false ? [] : null),
        capabilities: {
          // Every model of this API that is still served calls tools; the list does not say so.
          tools: seen || known ? true : null,
          images: seen?.images ?? null,
          reasoning: seen?.reasoning ?? (known ? known.adaptive_thinking !== false || null : null),
        },
        notes: live.all.size > 0 && !seen ? [NOT_LISTED] : [],
      }
    },
    limits(model) {
      const known = byId.get(model)
      const seen = live.all.get(model)
      const most = seen?.max_output ?? known?.max_output ?? MAX_TOKENS_UNKNOWN_MODEL
      return {
        max_tokens: Math.min(most, MAX_TOKENS),
        max_tokens_unstreamed: Math.min(most, MAX_TOKENS_UNSTREAMED),
        adaptive_thinking: seen?.adaptive_thinking ?? known?.adaptive_thinking ?? true,
        effort: seen?.effort ?? known?.effort ?? true,
        efforts: seen?.efforts ?? null,
      }
    },
    offered() {
      const offered = models.map((model) => model.id)
      const named = new Set(byId.keys())
      return [...offered, ...[...live.all.keys()].filter((id) => !named.has(id))]
    },
    refresh: (list, signal) => live.refresh(list, signal),
  }
}

/** US dollars; null when the price is not known. */
export function costOf(usage: TokenUsage, price: ModelInfo['price']): number | null {
  if (!price) return null
  const rates = ratesFor(price, usage.prompt_tokens)
  const fresh = Math.max(0, usage.prompt_tokens - usage.cache_read_tokens - usage.cache_creation_tokens)
  const dollars =
    fresh * rates.input +
    usage.cache_read_tokens * rates.cache_read +
    usage.cache_creation_tokens * rates.cache_write +
    usage.completion_tokens * rates.output
  return dollars / 1_000_000
}

/** The whole request is charged at the rates of its prompt's size. */
function ratesFor(price: ModelPrice, promptTokens: number): Rates {
  const tier = price.tiers?.find(({ up_to_prompt_tokens: top }) => top === null || promptTokens <= top)
  return tier ?? price
}

function priceOf({ tiers }: BuiltInModel): ModelPrice | null {
  const [first, ...more] = tiers.map((tier) => ({
    up_to_prompt_tokens: tier.up_to_prompt_tokens ?? null,
    ...ratesOf(tier),
  }))
  if (!first) return null
  const { up_to_prompt_tokens: _limit, ...flat } = first
  return more.length === 0 ? flat : { ...flat, tiers: [first, ...more] }
}

function ratesOf(given: { input: number; output: number; cache_read?: number; cache_write?: number }): Rates {
  return {
    input: given.input,
    output: given.output,
    cache_read: given.cache_read ?? given.input * CACHE_READ,
    cache_write: given.cache_write ?? given.input * CACHE_WRITE,
  }
}

function own<T>(table: Record<string, T>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
