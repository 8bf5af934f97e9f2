import type { AssistantDraft, ToolItem } from '@shared/state'
import { useSyncExternalStore } from 'react'
import { create } from 'zustand'

/** One timer for everything that counts seconds on screen; it runs only while something is watching. */
const TICK_MS = 1_000
const watchers = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | null = null
let now = Date.now()

function watch(changed: () => void): () => void {
  if (watchers.size === 0) {
    now = Date.now()
    timer = setInterval(() => {
      now = Date.now()
      for (const watcher of watchers) watcher()
    }, TICK_MS)
  }
  watchers.add(changed)
  return () => {
    watchers.delete(changed)
    if (watchers.size > 0 || timer === null) return
    clearInterval(timer)
    timer = null
  }
}

/** The time in milliseconds since the epoch, renewed each second. */
export function useSecond(): number {
  return useSyncExternalStore(watch, () => now)
}

/** Calls remembered: what is older has long ended. */
const KEPT = 500

/** When calls started that had to wait for an approval: their event says only when they were asked for. */
const waited = new Map<string, number | null>()

function put(id: string, started: number | null): void {
  waited.set(id, started)
  const oldest = waited.keys().next()
  if (waited.size > KEPT && !oldest.done) waited.delete(oldest.value)
}

export function noteTool(item: ToolItem): void {
  if (item.state === 'waiting_approval') put(item.call_id, null)
  else if (item.state === 'running' && waited.get(item.call_id) === null) put(item.call_id, Date.now())
}

/** When a running call started, in milliseconds since the epoch, as far as this window knows. */
export function startOf(item: ToolItem): number {
  return waited.get(item.call_id) ?? Date.parse(item.time)
}

/** Durations of reasoning this window saw, in milliseconds, by reply. */
const useThoughts = create<Record<string, number>>(() => ({}))
let thinking: { id: string; started: number } | null = null

/** A draft that has more reasoning than this when it is first seen began before this window looked. */
const FRESH_CHARS = 400

/** Follows the streaming reply: reasoning ends when text comes or when the reply is over. */
export function noteDraft(draft: AssistantDraft | null): void {
  const at = Date.now()
  if (thinking && (draft?.id !== thinking.id || draft.text !== '')) {
    useThoughts.setState({ [thinking.id]: at - thinking.started })
    thinking = null
  }
  if (thinking || draft?.text !== '' || draft.reasoning === '') return
  const started = draft.reasoning.length <= FRESH_CHARS ? at : Math.min(at, Date.parse(draft.started_at))
  thinking = { id: draft.id, started }
}

/** How long a reply was thought about, in milliseconds; undefined when this window did not see it. */
export function useThoughtTime(id: string): number | undefined {
  return useThoughts((times) => times[id])
}
