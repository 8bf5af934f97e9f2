import { useCallback, useSyncExternalStore } from 'react'

export function useMediaQuery(query: string): boolean {
  const subscribe = useCallback(
    (changed: () => void) => {
      const list = window.matchMedia(query)
      list.addEventListener('change', changed)
      return () => list.removeEventListener('change', changed)
    },
    [query],
  )
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches)
}

const NARROW = '(width < 900px)'

/** Below this width the panes are drawers over the conversation. The same number stands in tokens.css. */
export function useIsNarrow(): boolean {
  return useMediaQuery(NARROW)
}

export function isNarrowNow(): boolean {
  return window.matchMedia(NARROW).matches
}
