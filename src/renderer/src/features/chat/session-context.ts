import { createContext, useContext } from 'react'

/** What every row needs of its session and never changes while the session is shown. */
export interface TranscriptSession {
  id: string
  cwd: string
  onRetry: (() => void) | undefined
}

const Context = createContext<TranscriptSession | null>(null)
export const TranscriptSessionProvider = Context.Provider

export function useTranscriptSession(): TranscriptSession {
  const session = useContext(Context)
  if (!session) throw new Error('A row of the transcript was drawn outside of it')
  return session
}
