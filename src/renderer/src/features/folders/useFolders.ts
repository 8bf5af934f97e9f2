import type { BridgeResults } from '@shared/bridge'
import { useCallback, useEffect, useRef, useState } from 'react'
import { type BridgeFailure, call, failureOf } from '../../bridge/bridge'

interface Folders {
  /** The last folder that could be read. */
  listing: BridgeResults['folders.list'] | null
  failure: BridgeFailure | null
  loading: boolean
  go: (path: string) => void
}

/** Walks through folders of the machine the engine runs on; the answer to an older question is ignored. */
export function useFolders(start: string): Folders {
  const [listing, setListing] = useState<Folders['listing']>(null)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const [loading, setLoading] = useState(true)
  const latest = useRef(0)

  const go = useCallback(async (path: string): Promise<void> => {
    latest.current += 1
    const mine = latest.current
    setLoading(true)
    try {
      const next = await call('folders.list', { path })
      if (mine !== latest.current) return
      setListing(next)
      setFailure(null)
    } catch (thrown) {
      if (mine === latest.current) setFailure(failureOf(thrown))
    } finally {
      if (mine === latest.current) setLoading(false)
    }
  }, [])

  useEffect(() => {
    void go(start)
  }, [go, start])

  return { listing, failure, loading, go: (path) => void go(path) }
}
