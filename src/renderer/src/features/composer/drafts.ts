import { MAX_INPUT_CHARS } from '@shared/operations'
import { readStored, writeStored } from '../../lib/storage'

/** Longer drafts are kept until the window closes, not beyond: storage is small and written at every key. */
const MAX_STORED_CHARS = 20_000

const drafts = new Map<string, string>()

/** What was written and not sent; `id` is a session, or `new` for the welcome page. */
export function readDraft(id: string): string {
  return drafts.get(id) ?? readStored(`draft.${id}`) ?? ''
}

export function keepDraft(id: string, text: string): void {
  drafts.set(id, text)
  writeStored(`draft.${id}`, text && text.length <= MAX_STORED_CHARS ? text : null)
}

const takers = new Map<string, (text: string) => void>()

/** Puts text into the message field of a session, before what is written there already. */
export function offerDraft(id: string, text: string): void {
  const written = readDraft(id)
  const next = written.trim() === '' ? text : `${text}\n\n${written}`
  keepDraft(id, next)
  takers.get(id)?.(next)
}

/** The open message field of a session takes what is offered: the whole text it then shows. */
export function onDraftOffered(id: string, take: (text: string) => void): () => void {
  takers.set(id, take)
  return () => {
    if (takers.get(id) === take) takers.delete(id)
  }
}

export function tooLongText(length: number): string {
  const over = (length - MAX_INPUT_CHARS).toLocaleString('en')
  return `${over} characters too long. Put it into a file and name the file here.`
}
