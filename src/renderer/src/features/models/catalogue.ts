import type { ModelChoice } from '@shared/bridge'
import { DEMO_MODEL } from '@shared/settings'
import { formatTokens } from '../../lib/format'

export interface ModelSection {
  label: string
  models: ModelChoice[]
}

/** More are not drawn: who looks for one of a thousand types a part of its name. */
export const MAX_SHOWN = 150

/**
 * The list of the picker. Without a search the models chosen last come first and stand nowhere else; every word of a
 * search must be in the name, the id or the provider.
 */
export function sectionsOf(models: readonly ModelChoice[], recent: readonly string[], query: string): ModelSection[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const sections = new Map<string, ModelChoice[]>()
  const first = words.length > 0 ? [] : recent.flatMap((id) => models.find((model) => model.id === id) ?? [])
  if (first.length > 0) sections.set('Recent', first)
  let left = MAX_SHOWN - first.length
  for (const model of models) {
    if (left === 0) break
    if (first.includes(model) || !fits(model, words)) continue
    const section = sections.get(model.provider)
    if (section) section.push(model)
    else sections.set(model.provider, [model])
    left -= 1
  }
  return [...sections].map(([label, list]) => ({ label, models: list }))
}

export function countMatches(models: readonly ModelChoice[], query: string): number {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  return models.filter((model) => fits(model, words)).length
}

function fits(model: ModelChoice, words: string[]): boolean {
  const text = `${model.name} ${model.id} ${model.provider}`.toLowerCase()
  return words.every((word) => text.includes(word))
}

/** What stands before the slash of an id that some provider serves. */
const PROVIDERS = /^(anthropic|hf|huggingface|ollama|vllm|lm_studio|llamacpp|openai-compat)\/[^\s/]\S*$/
const HUB_ID = /^[\w.-]+\/[\w.-]+(:[\w.-]+)?$/

/** The id that was typed, where it is one and the list does not have it; a bare Hub id is served by its router. */
export function freeIdOf(query: string, models: readonly ModelChoice[]): string | null {
  const typed = query.trim()
  const id = PROVIDERS.test(typed)
    ? typed
    : /^claude-\S+$/i.test(typed)
      ? `anthropic/${typed}`
      : HUB_ID.test(typed)
        ? `hf/${typed}`
        : null
  return id === null || models.some((model) => model.id === id) ? null : id
}

/** "$4 / $20" for a million tokens in and out. */
export function priceOf(model: ModelChoice): string {
  const { id, input_price, output_price } = model
  if (id === DEMO_MODEL) return 'free'
  if (input_price === null || output_price === null) return 'price not known'
  if (input_price === 0 && output_price === 0) return 'free'
  return `$${dollars(input_price)} / $${dollars(output_price)}`
}

function dollars(price: number): string {
  return price >= 100 ? String(Math.round(price)) : String(Number(price.toPrecision(3)))
}

export function windowOf(model: ModelChoice): string {
  return model.context_window === null ? '–' : formatTokens(model.context_window)
}

/** Who made the model: another maker's may answer where this one declined. */
export function familyOf(id: string): string {
  const [provider = '', maker = ''] = id.split('/')
  return provider === 'hf' ? maker.toLowerCase() : provider
}

/** Models to offer when one declined: of other makers, each maker once before any of them twice. */
export function otherFamilies(models: readonly ModelChoice[], current: string, limit = 3): ModelChoice[] {
  const own = familyOf(current)
  const usable = models.filter(
    (model) =>
      model.available && model.id !== DEMO_MODEL && model.capabilities.tools !== false && familyOf(model.id) !== own,
  )
  const seen = new Set<string>()
  const firsts = usable.filter((model) => !seen.has(familyOf(model.id)) && seen.add(familyOf(model.id)))
  return [...firsts, ...usable.filter((model) => !firsts.includes(model))].slice(0, limit)
}
