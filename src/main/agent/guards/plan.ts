import type { PlanItem } from '@shared/content'
import { DEMO_MODEL } from '@shared/settings'
import type { AssistantItem, SessionState, ToolItem, TranscriptItem } from '@shared/state'
import { planTool } from '../../tools/plan'
import { asksTheUser } from './question'

/** A model that keeps talking is reminded of its plan this often; then its word that it is done is taken. */
const MAX_REMINDERS = 2

/**
 * The open steps that a reply without calls would leave behind, or null when it may end the turn: because nothing is
 * open, or because ending is right: the user is asked something, said no to a call, stopped the work on this plan, wants
 * no work done (plan mode), or is answered rather than worked for (no call since they last spoke).
 */
export function abandonedSteps(
  state: Pick<SessionState, 'items' | 'plan' | 'mode' | 'model'>,
  turn_start: number,
): PlanItem[] | null {
  const open = state.plan.filter(({ status }) => status !== 'completed')
  if (open.length === 0 || state.mode === 'plan') return null
  // The demo follows a script: it says itself why it ends, and cannot read a note.
  if (state.model === DEMO_MODEL) return null
  const reply = state.items.findLast((item) => item.kind === 'assistant')
  if (!reply || reply.partial || asksTheUser(reply.text)) return null

  const turn = state.items.filter((item) => item.seq > turn_start)
  const lastCall = turn.findLastIndex((item) => item.kind === 'tool')
  if (lastCall < 0 || turn.slice(lastCall).some((item) => item.kind === 'user')) return null
  if (wasStopped(state.items) || wasDenied(turn)) return null
  const reminders = turn.slice(lastCall).filter((item) => item.kind === 'guard' && item.guard === 'unfinished_plan')
  return reminders.length < MAX_REMINDERS ? open : null
}

/** The user stopped the work after this plan was made: it stands again when the model sets it again. */
function wasStopped(items: readonly TranscriptItem[]): boolean {
  const stop = items.findLastIndex((item) => item.kind === 'notice' && item.notice === 'interrupted')
  if (stop < 0) return false
  return !items.slice(stop).some((item) => item.kind === 'tool' && isPlan(item) && item.state === 'ok')
}

/** The newest work that was tried met a no of the user; bringing the plan up to date after it is not work. */
function wasDenied(turn: readonly TranscriptItem[]): boolean {
  const byReply = new Map<AssistantItem, ToolItem[]>()
  let reply: AssistantItem | null = null
  for (const item of turn) {
    if (item.kind === 'assistant') reply = item
    if (item.kind === 'tool' && reply && !isPlan(item)) byReply.set(reply, [...(byReply.get(reply) ?? []), item])
  }
  const newest = [...byReply.values()].at(-1) ?? []
  return newest.some(({ state }) => state === 'rejected' || state === 'abandoned')
}

function isPlan(item: ToolItem): boolean {
  return item.tool === planTool.name
}
