import type { SessionState, ToolItem } from '@shared/state'
import { openTools } from '../chat/activity'

/** Commands of the session that run now. */
export function countRunning(state: SessionState | undefined): number {
  return state ? openTools(state).filter((item) => item.tool === 'bash').length : 0
}

/** True once the terminal has something to show. */
export function hasCommands(state: SessionState | undefined): boolean {
  return state?.items.some((item) => item.kind === 'tool' && item.tool === 'bash' && wasStarted(item)) ?? false
}

/** False while a command waits for its approval, and for ever when it did not get it. */
export function wasStarted(item: ToolItem): boolean {
  return item.state !== 'waiting_approval' && item.state !== 'rejected' && item.state !== 'abandoned'
}
