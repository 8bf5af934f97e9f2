import { create } from 'zustand'
import { type BridgeFailure, call, failureOf } from '../bridge/bridge'
import { readStored, writeStored } from '../lib/storage'
import { useApp } from './app'

/** Models chosen last that the picker shows first. */
const MAX_RECENT = 4

interface ModelsStore {
  /** The providers are being asked. */
  loading: boolean
  /** Why the last question got no answer; the list of before stays. */
  failure: BridgeFailure | null
  /** Ids, the newest first. */
  recent: string[]
}

/** The list itself is `info.models` of the app store: there is one. */
export const useModels = create<ModelsStore>(() => ({ loading: false, failure: null, recent: readRecent() }))

let run = 0

/** Asks for the models that can be chosen now; `refresh` asks the providers again. An older answer is dropped. */
export async function loadModels(refresh: boolean): Promise<void> {
  run += 1
  const mine = run
  useModels.setState({ loading: true, failure: null })
  try {
    const models = await call('models.list', refresh ? { refresh } : {})
    if (mine !== run) return
    useApp.setState(({ info }) => (info ? { info: { ...info, models } } : {}))
    useModels.setState({ loading: false })
  } catch (thrown) {
    if (mine === run) useModels.setState({ loading: false, failure: failureOf(thrown) })
  }
}

export function noteChosen(id: string): void {
  const recent = [id, ...useModels.getState().recent.filter((other) => other !== id)].slice(0, MAX_RECENT)
  writeStored('recentModels', recent.join('\n'))
  useModels.setState({ recent })
}

function readRecent(): string[] {
  return (readStored('recentModels') ?? '').split('\n').filter(Boolean).slice(0, MAX_RECENT)
}
