import type { ModelChoice } from '@shared/bridge'
import { DEMO_MODEL, type Settings } from '@shared/settings'
import type { CredentialStore } from '../credentials/types'
import { messageOf, UserError } from '../errors'
import { createCatalogue, LiveModels } from './catalogue'
import { choiceOf } from './choices'
import type { ListOptions } from './openai/provider'
import { closest, didYouMean } from './suggest'
import type { ModelClient } from './types'

export { alternatives } from './choices'

export interface ModelDeps {
  credentials: Pick<CredentialStore, 'get'>
  settings: Pick<Settings, 'prices' | 'anthropic_base_url'>
  /** Only to explain a key that is set but empty. */
  env: NodeJS.ProcessEnv
  /** Makes the scripted demo client; called only for its id. */
  demo: () => Promise<ModelClient>
  /** Shared by everything in an engine; absent: only the built-in table. */
  catalogues?: Catalogues
}

/** What the providers list at the moment; one an engine. The router's list is kept for its address by itself. */
export interface Catalogues {
  readonly anthropic: LiveModels
}

export function createCatalogues(): Catalogues {
  return { anthropic: new LiveModels() }
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
  const catalogue = createCatalogue(prices, deps.catalogues?.anthropic)
  return createAnthropicClient({ id: full, model, apiKey, baseURL, catalogue })
}

/** Providers that speak OpenAI's chat completions. Their code is loaded for their ids only. */
const OPENAI_ID = /^(hf|ollama|vllm|lm_studio|llamacpp|openai-compat)\//

/** The id as it stands in settings and events: `claude-*` gets its provider, everything else stays. */
export function normalizeModelId(id: string): string {
  // The reference's name for the Hugging Face router.
  const trimmed = id.trim().replace(/^huggingface\//, 'hf/')
  return /^claude-/i.test(trimmed) ? `anthropic/${trimmed}` : trimmed
}

/** The window waits for the list: one that is slower is there the next time. */
const LIST_MS = 300
/** With `refresh`, and for a list that is fetched in the background. */
const REFRESH_MS = 5000

export type ListDeps = Pick<ModelDeps, 'credentials' | 'settings' | 'catalogues'> & { env?: NodeJS.ProcessEnv }

/**
 * The models offered for choice, with what is known of them. With `env` also those of local servers that run now and,
 * with a Hugging Face token, of its router; with `catalogues` and a key also what Anthropic lists now. That asks the
 * network, for at most 300 ms, or 5 s with `refresh`.
 */
export async function listModels(deps: ListDeps, options: ListOptions = {}): Promise<ModelChoice[]> {
  const { env, settings, catalogues } = deps
  const others = env
    ? import('./openai/provider').then((provider) => provider.listOpenAiModels({ env, settings }, options))
    : []
  const key = await deps.credentials.get('anthropic')
  let problem = ''
  if (key && catalogues) {
    const asked = refreshAnthropic(deps, catalogues, key, options.refresh).catch((error: unknown) => {
      // Behind a gateway there may be no list; one who asked for it is told.
      if (options.refresh) problem = `The list of models could not be refreshed: ${messageOf(error).slice(0, 200)}`
    })
    await Promise.race([asked, pause(options.refresh ? REFRESH_MS : LIST_MS)])
  }
  const catalogue = createCatalogue(settings.prices, catalogues?.anthropic)
  const choices = catalogue.offered().map((model) => {
    const info = catalogue.info(model)
    const notes = problem === '' ? info.notes : [...info.notes, problem]
    return choiceOf(`anthropic/${model}`, 'Anthropic', { ...info, notes }, Boolean(key))
  })
  return [...choices, ...(await others), DEMO]
}

/**
 * Brings the lists up to date, for the window and the chat at their start; a short run leaves it. Never rejects: what
 * was known stays.
 */
export async function refreshCatalogues(deps: ListDeps & { catalogues: Catalogues }): Promise<void> {
  const { env, catalogues } = deps
  const key = await deps.credentials.get('anthropic').catch(() => null)
  const router = async () => {
    if (!env?.HF_TOKEN) return
    const { refreshRouter } = await import('./openai/provider')
    await refreshRouter(env, AbortSignal.timeout(REFRESH_MS))
  }
  await Promise.allSettled([key ? refreshAnthropic(deps, catalogues, key) : null, router()])
}

async function refreshAnthropic(
  { settings }: ListDeps,
  { anthropic }: Catalogues,
  apiKey: string,
  force = false,
): Promise<void> {
  const list = async (signal: AbortSignal) => {
    const { listAnthropicModels } = await import('./anthropic')
    return listAnthropicModels({ apiKey, baseURL: settings.anthropic_base_url }, signal)
  }
  await anthropic.refresh(list, AbortSignal.timeout(REFRESH_MS), force)
}

/** What the user should know before using a model, one sentence each. Throws like `createModelClient`. */
export async function modelNotes(id: string, deps: ModelDeps): Promise<string[]> {
  return (await createModelClient(id, deps)).info().notes ?? []
}

const DEMO: ModelChoice = choiceOf(
  DEMO_MODEL,
  'Demo',
  {
    name: 'Demo (scripted, no model)',
    context_window: null,
    max_output: null,
    price: { input: 0, output: 0, cache_read: 0, cache_write: 0 },
    capabilities: { tools: true, images: false, reasoning: false },
    efforts: [],
  },
  true,
)

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
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
  const hint = didYouMean(closest(id, offered))
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
