import { argumentChoices } from '@shared/commands'
import { useEffect, useMemo, useState } from 'react'
import { call, failureOf } from '../../bridge/bridge'
import { findModel, modelName, whyUnavailable } from '../../lib/models'
import { EFFORTS, MODES } from '../../lib/modes'
import { useApp } from '../../stores/app'
import { getSessionState } from '../../stores/sessions'
import { UNTITLED } from '../sessions/groups'
import {
  argumentSuggestions,
  commandSuggestions,
  fileSuggestions,
  type Suggestion,
  type Typed,
  typedAt,
  type Value,
} from './completion'

export interface Suggestions {
  typed: Typed | null
  /** Empty: there is nothing to choose from. */
  list: Suggestion[]
}

const NONE: Suggestion[] = []

/** What fits where the caret stands: commands, their arguments, files of the session's folder. */
export function useSuggestions(session: string, text: string, caret: number): Suggestions {
  const typed = useMemo(() => typedAt(text, caret), [text, caret])
  const files = usePaths(session, typed?.kind === 'file' ? typed.word : null)
  const list = useMemo(() => {
    if (!typed) return NONE
    if (typed.kind === 'file') return fileSuggestions(files)
    if (typed.kind === 'command') return commandSuggestions(typed.word)
    return argumentSuggestions(typed.word, valuesOf(session, typed.spec.argument))
  }, [session, typed, files])
  return { typed, list }
}

const NO_PATHS: string[] = []

/** The paths that complete `prefix`; an answer to an older prefix is dropped. */
function usePaths(session: string, prefix: string | null): string[] {
  const [answer, setAnswer] = useState({ prefix: '', paths: NO_PATHS })
  useEffect(() => {
    if (prefix === null) return
    let wanted = true
    call('session.completePath', { id: session, prefix })
      .then((paths) => wanted && setAnswer({ prefix, paths }))
      .catch((thrown: unknown) => {
        // Completing is a help: without it the path is typed.
        console.debug('completePath failed', failureOf(thrown).code)
      })
    return () => {
      wanted = false
    }
  }, [session, prefix])
  // While the answer is on its way the last one stays, if it can still be right.
  return prefix?.startsWith(answer.prefix)
    ? answer.paths.filter((path) => path.toLowerCase().startsWith(prefix.toLowerCase()) || prefix === answer.prefix)
    : NO_PATHS
}

function valuesOf(session: string, argument: Parameters<typeof argumentChoices>[0]): Value[] {
  const { info, sessions } = useApp.getState()
  switch (argument) {
    case 'model':
      return (info?.models ?? [])
        .filter((model) => whyUnavailable(model) === null)
        .map(({ id }) => ({ value: id, description: modelName(id, info) }))
    case 'session':
      return sessions
        .filter(({ id }) => id !== session)
        .map(({ id, title }) => ({ value: id, description: title || UNTITLED }))
    case 'effort': {
      const taken = findModel(getSessionState(session)?.model ?? '', info)?.efforts ?? null
      return argumentChoices(argument)
        .filter((value) => value === 'off' || taken === null || taken.some((level) => level === value))
        .map((value) => ({
          value,
          description: value === 'off' ? 'What the provider recommends.' : descriptionOf(value),
        }))
    }
    default:
      return argumentChoices(argument).map((value) => ({ value, description: descriptionOf(value) }))
  }
}

const OTHERS: Partial<Record<string, string>> = {
  markdown: 'To read and to paste',
  html: 'One page',
  json: 'Messages and totals',
  jsonl: 'The log, event by event',
  trace: 'For the Hub’s trace viewer',
}

function descriptionOf(value: string): string {
  if (value === 'off') return ''
  const known = [...EFFORTS, ...MODES].find((entry) => entry.value === value)
  return known?.description ?? OTHERS[value] ?? ''
}
