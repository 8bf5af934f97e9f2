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
