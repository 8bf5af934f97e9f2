import type { ModelChoice } from '@shared/bridge'
import type { ModelInfo } from './types'

/** One line of the model picker. `provider`: for people. */
export function choiceOf(id: string, provider: string, info: ModelInfo, available: boolean): ModelChoice {
  return {
    id,
    name: info.name,
    provider,
    context_window: info.context_window,
    max_output: info.max_output,
    input_price: info.price?.input ?? null,
    output_price: info.price?.output ?? null,
    capabilities: info.capabilities ?? { tools: null, images: null, reasoning: null },
    efforts: info.efforts ?? null,
    available,
    note: info.notes?.join(' ') ?? '',
  }
}

/** How many other models are offered after a refusal. */
const OFFERED = 3

/**
 * Ids of up to three other models that can be used now: those of other makers first, each maker once, because the models
 * of one maker tend to refuse alike. Empty when there is none.
 */
export function alternatives(model: string, choices: readonly ModelChoice[]): string[] {
  const own = makerOf(model)
  const name = bare(model)
  const usable = choices.filter(
    // The demo answers nothing; another provider of the same weights refuses alike.
    ({ id, available, capabilities }) =>
      available && !id.startsWith('demo/') && capabilities.tools !== false && bare(id) !== name,
  )
  const seen = new Set<string>([own])
  const others: string[] = []
  for (const { id } of usable) {
    const maker = makerOf(id)
    if (seen.has(maker)) continue
    seen.add(maker)
    others.push(id)
  }
  const rest = usable.map(({ id }) => id).filter((id) => !others.includes(id))
  const ranked = [...others, ...rest.filter((id) => makerOf(id) !== own), ...rest.filter((id) => makerOf(id) === own)]
  return ranked.slice(0, OFFERED)
}

/** Who made the model, as far as its id tells: `anthropic`, `hf/moonshotai/…` -> `moonshotai`, a local server's kind. */
function makerOf(id: string): string {
  if (/(^|\/)(anthropic\/|claude-)/.test(id)) return 'anthropic'
  const [provider = '', org = ''] = id.split('/')
  return provider === 'hf' ? org.toLowerCase() : provider
}

function bare(id: string): string {
  return id
    .slice(id.lastIndexOf('/') + 1)
    .replace(/:.*$/, '')
    .toLowerCase()
}
