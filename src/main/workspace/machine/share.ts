interface Entry<T> {
  promise: Promise<T>
  controller: AbortController
  waiting: number
  listeners: Set<(line: string) => void>
}

export interface ShareOptions {
  signal: AbortSignal
  onProgress?: (line: string) => void
}

export type SharedWork<T> = (signal: AbortSignal, progress: (line: string) => void) => Promise<T>

/**
 * Work that several callers want at the same time and that is done once: all get its result and its progress. A caller
 * that aborts leaves alone; when the last one leaves, the work itself is aborted, and that caller waits until it has
 * cleaned up.
 */
export class Shared<T> {
  readonly #entries = new Map<string, Entry<T>>()

  run(key: string, { signal, onProgress }: ShareOptions, work: SharedWork<T>): Promise<T> {
    if (signal.aborted) return Promise.reject(signal.reason)
    const running = this.#entries.get(key)
    // Work that is being aborted is of no use to a new caller; it starts its own.
    const entry = running && !running.controller.signal.aborted ? running : this.#start(key, work)
    if (onProgress) entry.listeners.add(onProgress)
    entry.waiting += 1
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal.removeEventListener('abort', onAbort)
        if (onProgress) entry.listeners.delete(onProgress)
        entry.waiting -= 1
      }
      const onAbort = () => {
        leave()
        const give = () => reject(signal.reason)
        if (entry.waiting > 0) return give()
        entry.controller.abort(signal.reason)
        entry.promise.then(give, give)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      entry.promise.then(
        (value) => {
          if (signal.aborted) return
          leave()
          resolve(value)
        },
        (error: unknown) => {
          if (signal.aborted) return
          leave()
          reject(error)
        },
      )
    })
  }

  #start(key: string, work: SharedWork<T>): Entry<T> {
    const controller = new AbortController()
    const listeners = new Set<(line: string) => void>()
    const tell = (line: string) => {
      for (const listener of listeners) listener(line)
    }
    const promise = work(controller.signal, tell).finally(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
    })
    const entry: Entry<T> = { promise, controller, waiting: 0, listeners }
    this.#entries.set(key, entry)
    return entry
  }
}
