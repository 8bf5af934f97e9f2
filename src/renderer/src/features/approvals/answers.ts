import { useMemo } from 'react'
import { create } from 'zustand'
import type { Choice, Choices, Edits } from './decisions'
import type { Arguments } from './edits'

/** What the user said about one call that waits, before all of it is sent. */
interface Answer {
  choice?: Choice
  edited?: Arguments
}

/**
 * Answers of cards that are not sent yet. They live outside the components: whoever looks at another session for a
 * moment finds a half-answered card as it was left.
 */
const useStore = create<Record<string, Answer>>(() => ({}))

const keyOf = (session: string, callId: string): string => `${session}/${callId}`

export function useAnswers(session: string, ids: readonly string[]): { choices: Choices; edits: Edits } {
  const store = useStore()
  return useMemo(() => {
    const answers = ids.map((id) => [id, store[keyOf(session, id)]] as const)
    return {
      choices: Object.fromEntries(answers.map(([id, answer]) => [id, answer?.choice])),
      edits: Object.fromEntries(answers.map(([id, answer]) => [id, answer?.edited])),
    }
  }, [store, session, ids])
}

export function setChoice(session: string, callId: string, choice: Choice | null): void {
  change(session, callId, { choice: choice ?? undefined })
}

/** Null: as the model wrote them. */
export function setEdited(session: string, callId: string, edited: Arguments | null): void {
  change(session, callId, { edited: edited ?? undefined })
}

function change(session: string, callId: string, part: Partial<Answer>): void {
  const key = keyOf(session, callId)
  useStore.setState((store) => ({ [key]: { ...store[key], ...part } }))
}

/** Forgets the answers of a session to calls that no longer wait. */
export function keepAnswers(session: string, ids: readonly string[]): void {
  const wanted = new Set(ids.map((id) => keyOf(session, id)))
  const kept = Object.entries(useStore.getState()).filter(([key]) => !key.startsWith(`${session}/`) || wanted.has(key))
  if (kept.length < Object.keys(useStore.getState()).length) useStore.setState(Object.fromEntries(kept), true)
}
