import { create } from 'zustand'

/**
 * What the user opened and closed. It lives outside the components, because a row that is scrolled away does not exist.
 */
const useStore = create<Record<string, boolean>>(() => ({}))

/** Whether a part of a session is open, and how to turn that over. `byDefault` holds until the user decides. */
export function useDisclosure(session: string, key: string, byDefault: boolean): [open: boolean, toggle: () => void] {
  const id = `${session}/${key}`
  const open = useStore((store) => store[id]) ?? byDefault
  return [open, () => useStore.setState({ [id]: !open })]
}
