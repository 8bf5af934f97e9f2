import type { BridgePush } from '@shared/bridge'
import type { AnyEvent } from '@shared/events'
import type { Operation, OperationReceipt } from '@shared/operations'
import { applyEvent, startFold } from '@shared/reducer'
import { initialState, type SessionState } from '@shared/state'
import { create } from 'zustand'
import { type BridgeFailure, call, failureOf } from '../bridge/bridge'
import { createBatcher } from './batch'

/** `loading`: asked for, nothing to show yet. `live`: followed. `failed`: see `failure`. */
export interface SessionFollow {
  phase: 'loading' | 'live' | 'failed'
  failure: BridgeFailure | null
}

interface SessionsStore {
  states: Record<string, SessionState>
  follows: Record<string, SessionFollow>
}

/** States kept of sessions that were left: going back to one of them shows it at once. */
const KEPT_STATES = 4

const useStore = create<SessionsStore>(() => ({ states: {}, follows: {} }))

/** The folded state of an open session; undefined until its first events are here. */
export function useSessionState(id: string | null): SessionState | undefined {
  return useStore((store) => (id === null ? undefined : store.states[id]))
}

/** A part of an open session's state; the component redraws only when that part changes. */
export function useSessionPart<T>(id: string | null, select: (state: SessionState | undefined) => T): T {
  return useStore((store) => select(id === null ? undefined : store.states[id]))
}

export function useSessionFollow(id: string | null): SessionFollow | undefined {
  return useStore((store) => (id === null ? undefined : store.follows[id]))
}

export function getSessionState(id: string): SessionState | undefined {
  return useStore.getState().states[id]
}

/** Resolves when the operation is durable; throws BridgeFailure. */
export function submit(id: string, operation: Operation): Promise<OperationReceipt> {
  return call('session.submit', { id, operation })
}

type Listener<T> = (value: T) => void
const eventListeners = new Map<string, Set<Listener<AnyEvent>>>()
const snapshotListeners = new Map<string, Set<Listener<SessionState>>>()

/**
 * Every live event of an open session, in order and once, at the moment it is folded: what the state shows at the time
 * of this call is what came before.
 */
export function onSessionEvent(id: string, listener: Listener<AnyEvent>): () => void {
  return addListener(eventListeners, id, listener)
}

/** The whole state was replaced: events may have been skipped, so anything drawn from events starts anew. */
export function onSessionSnapshot(id: string, listener: Listener<SessionState>): () => void {
  return addListener(snapshotListeners, id, listener)
}

/** Sessions followed now, with what arrived for them while the answer to `subscribe` was on its way. */
const followed = new Map<string, { held: SessionPush[] | null; run: number }>()
const recent: string[] = []

type SessionPush = Extract<BridgePush, { kind: 'event' | 'snapshot' }>

/** Follows a session: asks for its events after what is known, and keeps folding what comes. */
export function follow(id: string): void {
  if (followed.has(id)) return
  followed.set(id, { held: null, run: 0 })
  void subscribe(id)
}

export function unfollow(id: string): void {
  if (!followed.delete(id)) return
  batcher.flush(id)
  void call('sessions.unsubscribe', { id }).catch((thrown: unknown) => {
    // Disconnected: the host forgot the subscription with the connection.
    console.debug('unsubscribe failed', failureOf(thrown).code)
  })
  remember(id)
}

/** After a (re)connection: the host knows nothing of us, so every followed session is asked for again. */
export function followAgain(): void {
  for (const id of followed.keys()) void subscribe(id)
}

/** The session is gone. */
export function forget(id: string): void {
  followed.delete(id)
  batcher.drop(id)
  useStore.setState((store) => ({ states: without(store.states, id), follows: without(store.follows, id) }))
}

/** Pushes of the bridge that belong to one session. */
export function receive(push: SessionPush): void {
  const id = push.kind === 'event' ? push.event.session : push.state.id
  const entry = followed.get(id)
  if (!entry) return
  if (entry.held) {
    entry.held.push(push)
    return
  }
  if (push.kind === 'event') batcher.add(id, push.event)
  else replaceState(push.state)
}

async function subscribe(id: string): Promise<void> {
  const entry = followed.get(id)
  if (!entry) return
  const run = entry.run + 1
  entry.run = run
  // A live event may overtake the answer; folded first, it would make the older ones look like repetitions.
  entry.held = []
  batcher.flush(id)
  if (!getSessionState(id)) setFollow(id, { phase: 'loading', failure: null })
  const isCurrent = () => followed.get(id) === entry && entry.run === run
  try {
    const reply = await call('sessions.subscribe', { id, after: getSessionState(id)?.last_seq ?? 0 })
    if (!isCurrent()) return
    const held = entry.held ?? []
    entry.held = null
    if (reply.kind === 'snapshot') replaceState(reply.state)
    else for (const event of reply.events) batcher.add(id, event)
    for (const push of held) receive(push)
    batcher.flush(id)
    if (!getSessionState(id)) setSessionState(id, initialState(id))
    setFollow(id, { phase: 'live', failure: null })
  } catch (thrown) {
    if (!isCurrent()) return
    entry.held = null
    const failure = failureOf(thrown)
    // Without a connection the banner speaks, and the subscription is made when it is back.
    if (failure.code !== 'disconnected') setFollow(id, { phase: 'failed', failure })
  }
}

/** Tries again after a failure. */
export function retryFollow(id: string): void {
  if (followed.has(id)) void subscribe(id)
  else follow(id)
}

/**
 * Events above which a batch is folded on one copy of the transcript instead of a copy per event. Below it nothing is
 * copied that did not change, so that a streamed token leaves the list of items the same object.
 */
const MANY_EVENTS = 256

const batcher = createBatcher((id, events, budgetMs) => {
  const before = getSessionState(id) ?? initialState(id)
  const listeners = eventListeners.get(id)
  const until = performance.now() + budgetMs
  const bulk = events.length > MANY_EVENTS ? startFold(before) : null
  let state = before
  let last = before.last_seq
  let folded = 0
  for (const event of events) {
    folded += 1
    if (event.seq > last) {
      last = event.seq
      if (bulk) bulk.apply(event)
      else state = applyEvent(state, event)
      if (listeners) tell(listeners, event)
    }
    // The clock is read once in a while: it costs more than folding a token.
    if (folded % 32 === 0 && performance.now() > until) break
  }
  if (last > before.last_seq) setSessionState(id, bulk ? bulk.end() : state)
  return folded
})

function replaceState(state: SessionState): void {
  batcher.drop(state.id)
  setSessionState(state.id, state)
  const listeners = snapshotListeners.get(state.id)
  if (listeners) tell(listeners, state)
}

function setSessionState(id: string, state: SessionState): void {
  useStore.setState((store) => ({ states: { ...store.states, [id]: state } }))
}

function setFollow(id: string, next: SessionFollow): void {
  useStore.setState((store) => ({ follows: { ...store.follows, [id]: next } }))
}

function remember(id: string): void {
  const at = recent.indexOf(id)
  if (at >= 0) recent.splice(at, 1)
  recent.unshift(id)
  for (const old of recent.splice(KEPT_STATES)) {
    if (!followed.has(old)) forget(old)
  }
}

function tell<T>(listeners: Set<Listener<T>>, value: T): void {
  for (const listener of listeners) {
    try {
      listener(value)
    } catch (thrown) {
      // One broken view must not stop the fold for all others.
      console.error('A listener of session events failed.', thrown)
    }
  }
}

function addListener<T>(map: Map<string, Set<Listener<T>>>, id: string, listener: Listener<T>): () => void {
  const listeners = map.get(id) ?? new Set()
  map.set(id, listeners)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0 && map.get(id) === listeners) map.delete(id)
  }
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  const { [key]: _gone, ...rest } = record
  return rest
}
