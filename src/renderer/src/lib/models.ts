import type { AppInfo, CredentialStatus, ModelChoice } from '@shared/bridge'
import { DEMO_MODEL, type Effort } from '@shared/settings'
import type { Choice } from '../components/ChoiceMenu'
import { EFFORTS } from './modes'

/** The demo model is scripted: it is never shown as if it were an AI. */
export const DEMO_MODEL_NAME = 'Scripted demo model — no AI'

/** What a model is called on screen. */
export function modelName(id: string, info: AppInfo | null): string {
  if (id === DEMO_MODEL) return DEMO_MODEL_NAME
  return info?.models.find((model) => model.id === id)?.name ?? id.replace(/^[^/]+\//, '')
}

/** Why a model cannot be chosen now; null when it can, as far as anybody knows. */
export function whyUnavailable(model: ModelChoice): string | null {
  if (model.available) return null
  return model.note || (isAnthropic(model.id) ? 'Needs an Anthropic key' : 'Not available now')
}

export function isAnthropic(id: string): boolean {
  return id.startsWith('anthropic/')
}

/** What the catalogue knows of a model; undefined when it does not list it. */
export function findModel(id: string, info: AppInfo | null): ModelChoice | undefined {
  return info?.models.find((model) => model.id === id)
}

/** The levels of effort to offer for a model, and the one that holds although the model does not take it. */
export function effortChoices(model: ModelChoice | undefined, current: Effort | null): Choice<Effort | 'default'>[] {
  const taken = model?.efforts
  if (!taken) return EFFORTS
  return EFFORTS.flatMap((choice) => {
    if (choice.value === 'default' || taken.includes(choice.value)) return [choice]
    return choice.value === current ? [{ ...choice, note: 'not taken by this model', disabled: true }] : []
  })
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
