import type { TurnChanges } from '@shared/checkpoints'
import { create } from 'zustand'
import { type BridgeFailure, call, failureOf } from '../../bridge/bridge'

/** What is known of a turn's changes. The last answer stays while a newer one is asked for. */
export interface Loaded {
  changes: TurnChanges | null
  failure: BridgeFailure | null
  /** What the answer belongs to: another version means that the turn may have changed more. */
  version: string
}

/** A rewind that can be taken back. */
export interface Rewind {
  undo_id: string
  files: number
  problems: string[]
}

interface ChangesStore {
  /** By session and turn. */
  loaded: Record<string, Loaded>
  /** By session: the newest rewind, while it can be taken back. */
  rewinds: Record<string, Rewind>
  /** The turn that somebody asked to see. */
  focus: { session: string; turn: string } | null
}

/** Turns kept: of many sessions and long ones only those that were looked at last. */
const MAX_LOADED = 200

export const useChanges = create<ChangesStore>(() => ({ loaded: {}, rewinds: {}, focus: null }))

export function keyOf(session: string, turn: string): string {
  return `${session} ${turn}`
}

const asking = new Map<string, string>()

/**
 * Asks for a turn's changes unless this version is known. While an answer is on its way no second question is asked:
 * the newest version is asked for when it is here.
 */
export function loadChanges(session: string, turn: string, version: string): void {
  const key = keyOf(session, turn)
  if (useChanges.getState().loaded[key]?.version === version) return
  const busy = asking.has(key)
  asking.set(key, version)
  if (!busy) void ask(session, turn, key)
}

/** After a failure. */
export function retryChanges(session: string, turn: string): void {
  const version = useChanges.getState().loaded[keyOf(session, turn)]?.version ?? ''
  put(keyOf(session, turn), { changes: null, failure: null, version: '' })
  loadChanges(session, turn, version)
}

async function ask(session: string, turn: string, key: string): Promise<void> {
  for (let version = asking.get(key); version !== undefined; ) {
    const before = useChanges.getState().loaded[key]?.changes ?? null
    try {
      const changes = await call('session.changes', { id: session, user_message_id: turn })
      put(key, { changes, failure: null, version })
    } catch (thrown) {
      put(key, { changes: before, failure: failureOf(thrown), version })
    }
    const wanted = asking.get(key)
    if (wanted === version) {
      asking.delete(key)
      return
    }
    version = wanted
  }
}

function put(key: string, entry: Loaded): void {
  useChanges.setState(({ loaded }) => {
    const { [key]: _old, ...others } = loaded
    const kept = Object.entries(others).slice(-MAX_LOADED + 1)
    return { loaded: { ...Object.fromEntries(kept), [key]: entry } }
  })
}

export function setRewind(session: string, rewind: Rewind | null): void {
  useChanges.setState(({ rewinds }) => {
    const { [session]: _old, ...others } = rewinds
    return { rewinds: rewind ? { ...others, [session]: rewind } : others }
  })
}

export function focusTurn(session: string, turn: string): void {
  useChanges.setState({ focus: { session, turn } })
}
