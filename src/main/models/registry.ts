import type { ModelChoice } from '@shared/bridge'
import { DEMO_MODEL, type Settings } from '@shared/settings'
import type { CredentialStore } from '../credentials/types'
import { UserError } from '../errors'
import { createCatalogue } from './catalogue'
import type { ModelClient } from './types'

export interface ModelDeps {
  credentials: Pick<CredentialStore, 'get'>
  settings: Pick<Settings, 'prices' | 'anthropic_base_url'>
  /** Only to explain a key that is set but empty. */
  env: NodeJS.ProcessEnv
  /** Makes the scripted demo client; called only for its id. */
  demo: () => Promise<ModelClient>
}

/**
 * A client for `<provider>/<model>`. Throws `unknown_model` for an id that no provider here can serve, and
 * `no_credentials` when its key is missing. Whether Anthropic has the model is known at the first call.
 */
export async function createModelClient(id: string, deps: ModelDeps): Promise<ModelClient> {
  const full = normalizeModelId(id)
  if (full === DEMO_MODEL) return deps.demo()
  if (OPENAI_ID.test(full)) {
    const { createOpenAiModel } = await import('./openai/provider')
    const client = await createOpenAiModel(full, deps)
    if (client) return client
  }
  const model = anthropicModel(full)
  if (model === null) throw unknownModel(id)
  const apiKey = await deps.credentials.get('anthropic')
  if (!apiKey) throw noKey(full, deps.env)
  const { createAnthropicClient } = await import('./anthropic')
  const { prices, anthropic_base_url: baseURL } = deps.settings
  return createAnthropicClient({ id: full, model, apiKey, baseURL, catalogue: createCatalogue(prices) })
}

/** Providers that speak OpenAI's chat completions. Their code is loaded for their ids only. */
const OPENAI_ID = /^(hf|ollama|vllm|lm_studio|llamacpp|openai-compat)\//

/** The id as it stands in settings and events: `claude-*` gets its provider, everything else stays. */
export function normalizeModelId(id: string): string {
  // The reference's name for the Hugging Face router.
  const trimmed = id.trim().replace(/^huggingface\//, 'hf/')
  return /^claude-/i.test(trimmed) ? `anthropic/${trimmed}` : trimmed
}

/**
 * The models offered for choice, with what is known of them. With `env` also those of local servers that run now and,
 * with a Hugging Face token, of its router: that asks the network, for at most 300 ms.
 */
export async function listModels(
  deps: Pick<ModelDeps, 'credentials' | 'settings'> & { env?: NodeJS.ProcessEnv },
): Promise<ModelChoice[]> {
  const { env, settings } = deps
  const others = env ? import('./openai/provider').then((provider) => provider.listOpenAiModels({ env, settings })) : []
  const catalogue = createCatalogue(deps.settings.prices)
  const available = Boolean(await deps.credentials.get('anthropic'))
  const choices = catalogue.offered().map((model): ModelChoice => {
    const { name, context_window, price } = catalogue.info(model)
    const prices = { input_price: price?.input ?? null, output_price: price?.output ?? null }
    return { id: `anthropic/${model}`, name, context_window, ...prices, available }
  })
  const demo = { name: 'Demo (scripted, no model)', context_window: null, input_price: 0, output_price: 0 }
  return [...choices, ...(await others), { id: DEMO_MODEL, ...demo, available: true }]
}

/** Null: not an Anthropic id. */
function anthropicModel(id: string): string | null {
  return /^anthropic\/([\w.:@-]+)$/.exec(id)?.[1] ?? null
}

function unknownModel(id: string): UserError {
  const offered = [
    ...createCatalogue()
      .offered()
      .map((model) => `anthropic/${model}`),
    DEMO_MODEL,
  ]
  const close = closest(id, offered)
  const hint = close ? `Did you mean ${close}? ` : ''
  return new UserError(
    'unknown_model',
    `There is no model "${id.slice(0, 100)}" here.`,
    `${hint}Available: ${offered.join(', ')}, or any other model of Anthropic as anthropic/<name>, of Hugging Face as ` +
      'hf/<org>/<model>[:provider], of a local server as ollama/, vllm/, lm_studio/, llamacpp/ or openai-compat/<name>.',
  )
}

function noKey(id: string, env: NodeJS.ProcessEnv): UserError {
  const empty = env.ANTHROPIC_API_KEY !== undefined && env.ANTHROPIC_API_KEY.trim() === ''
  return new UserError(
    'no_credentials',
    `${id} needs an Anthropic API key, and ${empty ? 'ANTHROPIC_API_KEY is set but empty' : 'there is none'}.`,
    'Set ANTHROPIC_API_KEY in the environment or in a file named .env in the working folder, or enter the key in the ' +
      'window under Settings > Keys. Keys are made at platform.claude.com. Without a key, `ml-intern demo` works.',
  )
}

/** The candidate that shares most with a mistyped id; null when none is near. */
function closest(id: string, candidates: readonly string[]): string | null {
  const wanted = id.toLowerCase().slice(0, 100)
  const bare = wanted.slice(wanted.lastIndexOf('/') + 1)
  const ranked = candidates
    .map((candidate) => {
      const name = candidate.slice(candidate.indexOf('/') + 1)
      // `opus`, `haiku-5-5`, `demo`: part of a name counts as near, best first in the list.
      const score = bare.length >= 3 && candidate.includes(bare) ? 1 : likeness(bare, name)
      return { candidate, score }
    })
    .sort((a, b) => b.score - a.score)
  // The reference's cut-off for close ids.
  return ranked[0] && ranked[0].score >= 0.4 ? ranked[0].candidate : null
}

/** Dice's coefficient over pairs of characters: 1 for equal strings, 0 for strings with nothing in common. */
function likeness(a: string, b: string): number {
  const pairs = pairsOf(b)
  const total = Math.max(0, a.length - 1) + pairs.length
  let shared = 0
  for (const pair of pairsOf(a)) {
    const at = pairs.indexOf(pair)
    if (at === -1) continue
    pairs.splice(at, 1)
    shared++
  }
  return total === 0 ? 0 : (2 * shared) / total
}

function pairsOf(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2))
}
