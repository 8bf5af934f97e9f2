import { create } from 'zustand'

/** Messages that are being edited in place. They live outside the rows: one that is scrolled away does not exist. */
const useStore = create<Record<string, string | undefined>>(() => ({}))

/** The text in the editor of a message; undefined while it is not edited. */
export function useEditDraft(
  session: string,
  key: string,
): [text: string | undefined, set: (text: string | null) => void] {
  const id = `${session}/${key}`
  const text = useStore((store) => store[id])
  return [text, (next) => setEditDraft(session, key, next)]
}

export function setEditDraft(session: string, key: string, text: string | null): void {
  useStore.setState({ [`${session}/${key}`]: text ?? undefined })
}
