import type { SessionState, ToolItem } from '@shared/state'
import { describeTool, plural } from './tool-text'

export interface Activity {
  text: string
  /** A command or a path, in the fixed-width face. */
  code: string
  /** Milliseconds since the epoch at which it is tried again; null when nothing is waited for. */
  retryAt: number | null
}

/** What the turn does now, from the state alone; null when nothing runs. */
export function activityOf(state: SessionState, retrySince: number): Activity | null {
  if (state.status === 'idle') return null
  const say = (text: string, code = ''): Activity => ({ text, code, retryAt: null })
  if (state.status === 'waiting_approval') return say('Waiting for your approval')
  if (state.retry) {
    const { attempt, delay_ms, reason } = state.retry
    return {
      text: `${reason || 'The model did not answer'} · attempt ${attempt}`,
      code: '',
      retryAt: retrySince + delay_ms,
    }
  }
  if (state.draft) return say(state.draft.text ? 'Writing' : 'Thinking')
  const running = openTools(state)
  const [only] = running
  if (!only) return say(state.activity || 'Thinking')
  if (running.length > 1) return say(`Running ${plural(running.length, 'tool')}`)
  const { detail, mono } = describeTool(only, state.cwd)
  const verb = VERBS[only.tool] ?? 'Running'
  return mono ? say(verb, detail) : say(detail ? `${verb} — ${detail}` : verb)
}

const VERBS: Record<string, string> = {
  bash: 'Running',
  read: 'Reading',
  write: 'Writing',
  edit: 'Editing',
  plan_tool: 'Planning',
}

/** Calls of the running turn that have no result yet, oldest first. They are all behind its last user message. */
export function openTools(state: SessionState): ToolItem[] {
  const open: ToolItem[] = []
  for (let i = state.items.length - 1; i >= 0; i--) {
    const item = state.items[i]
    if (item?.kind === 'tool' && item.state === 'running') open.unshift(item)
    if (item?.kind === 'user' && item.source === 'user') break
  }
  return open
}
