import type { SearchResult } from '@shared/bridge'

export interface SearchView {
  /** What the answer is to; empty: nothing was asked. */
  query: string
  result: SearchResult | null
  failure: unknown
  /** A newer question than that of `result` is on its way. */
  busy: boolean
}

export const NOTHING: SearchView = { query: '', result: null, failure: null, busy: false }

/** Milliseconds until an index that is being made is asked again. */
const AGAIN_MS = 1_000

/**
 * A search that follows what is typed. One question is on its way at a time, and its answer is what lets the newest one
 * go: a slow engine is asked less often and no key waits for a clock. Answers to what is no longer wanted are dropped.
 */
export class LiveSearch {
  private wanted = ''
  private asking = false
  private again: ReturnType<typeof setTimeout> | null = null
  private view = NOTHING

  constructor(
    private readonly ask: (query: string) => Promise<SearchResult>,
    private readonly show: (view: SearchView) => void,
  ) {}

  want(text: string): void {
    const query = text.trim()
    if (query === this.wanted) return
    this.wanted = query
    this.stopWaiting()
    if (query === '') this.set(NOTHING)
    else if (this.asking) this.set({ ...this.view, busy: true })
    else void this.run()
  }

  close(): void {
    this.wanted = ''
    this.stopWaiting()
  }

  private async run(): Promise<void> {
    const query = this.wanted
    this.asking = true
    this.set({ ...this.view, busy: true })
    let next: SearchView
    try {
      next = { query, result: await this.ask(query), failure: null, busy: false }
    } catch (failure) {
      next = { query, result: null, failure, busy: false }
    }
    this.asking = false
    if (this.wanted !== query) {
      if (this.wanted !== '') void this.run()
      return
    }
    this.set(next)
    if (next.result && next.result.pending > 0) this.again = setTimeout(() => void this.run(), AGAIN_MS)
  }

  private stopWaiting(): void {
    if (this.again !== null) clearTimeout(this.again)
    this.again = null
  }

  private set(view: SearchView): void {
    this.view = view
    this.show(view)
  }
}
