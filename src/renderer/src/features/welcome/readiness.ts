import type { AppInfo, ConnectionState } from '@shared/bridge'
import { isModelUsable } from '../../lib/models'

/**
 * What a press of Enter in the box of the welcome page does now. `wait`: the window is still starting, so the press is
 * kept and done as soon as it can be. `key`: the model needs one first.
 */
export type Readiness = 'ready' | 'wait' | 'key' | 'disconnected'

export function readinessOf(connection: ConnectionState, info: AppInfo | null, model: string): Readiness {
  if (connection === 'refused' || connection === 'lost') return 'disconnected'
  if (connection === 'connecting' || !info) return 'wait'
  return isModelUsable(model, info) ? 'ready' : 'key'
}

export const WHY_NOT: Record<Readiness, string | null> = {
  ready: null,
  wait: 'Starting…',
  key: 'This model needs a key.',
  disconnected: 'Not connected.',
}
