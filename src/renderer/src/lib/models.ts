import type { AppInfo, CredentialStatus, ModelChoice } from '@shared/bridge'
import { DEMO_MODEL } from '@shared/settings'
import type { Choice } from '../components/ChoiceMenu'
import { formatTokens } from './format'

/** The demo model is scripted: it is never shown as if it were an AI. */
export const DEMO_MODEL_NAME = 'Scripted demo model — no AI'

/** What a model is called on screen. */
export function modelName(id: string, info: AppInfo | null): string {
  if (id === DEMO_MODEL) return DEMO_MODEL_NAME
  return info?.models.find((model) => model.id === id)?.name ?? id.replace(/^[^/]+\//, '')
}

/** The models to choose from; the current one is among them even when the catalogue does not know it. */
export function modelChoices(info: AppInfo | null, current: string): Choice<string>[] {
  const known = info?.models ?? []
  const choices = known.map((model) => ({
    value: model.id,
    label: modelName(model.id, info),
    ...(model.available ? { description: explain(model) } : { note: 'needs a key' }),
    disabled: !model.available && model.id !== current,
  }))
  if (known.some((model) => model.id === current)) return choices
  return [{ value: current, label: modelName(current, info), description: current }, ...choices]
}

function explain(model: ModelChoice): string {
  if (model.id === DEMO_MODEL) return 'Plays a fixed script. Costs nothing.'
  const window = model.context_window === null ? 'Context unknown' : `${formatTokens(model.context_window)} context`
  const known = model.input_price !== null && model.output_price !== null
  const price = known ? `$${model.input_price} in, $${model.output_price} out per 1M tokens` : 'price unknown'
  return `${window} · ${price}`
}

/** False only when the catalogue says that a key is missing. */
export function isModelUsable(id: string, info: AppInfo | null): boolean {
  return info?.models.find((model) => model.id === id)?.available ?? true
}

export function anthropicKey(info: AppInfo | null): CredentialStatus | null {
  return info?.credentials.find((status) => status.provider === 'anthropic') ?? null
}

/** True when it is known that no key is there. */
export function isKeyMissing(info: AppInfo | null): boolean {
  return anthropicKey(info)?.present === false
}
