import type { ModelRole, Settings } from '@shared/settings'
import { normalizeModelId } from './registry'

/** Small and quick: a name for a session needs no more ($0.10/$0.50 per million tokens, see prices.json). */
const SMALL_ANTHROPIC_MODEL = 'anthropic/claude-haiku-5-5'

/** The model for side work of a session whose own model is `main`: what the settings say, else one of the same provider. */
export function modelForRole(role: ModelRole, main: string, settings: Pick<Settings, 'role_models'>): string {
  const chosen = settings.role_models[role]
  if (chosen !== null) return normalizeModelId(chosen)
  return role === 'title' && main.startsWith('anthropic/') ? SMALL_ANTHROPIC_MODEL : main
}
