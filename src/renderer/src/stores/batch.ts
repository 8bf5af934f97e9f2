import type { AnyEvent } from '@shared/events'

/** Milliseconds of one frame that folding may take; the rest waits for the next frame (16.7 ms at 60 Hz). */
const FRAME_BUDGET_MS = 8
/** Milliseconds after which a hidden window folds without frames: a browser draws none for it. */
const HIDDEN_DELAY_MS = 200

/** Folds events into a session, at most for `budgetMs`; returns how many it took. */
export type FoldBatch = (id: string, events: AnyEvent[], budgetMs: number) => number

export interface Batcher {
  /** Queues an event for the next frame. */
  add: (id: string, event: AnyEvent) => void
  /** Folds everything of a session now. */
  flush: (id: string) => void
  /** Throws away what is queued for a session. */
  drop: (id: string) => void
}

/** Many events, one fold and one store update a frame, so that fast streams do not draw once per token. */
export function createBatcher(fold: FoldBatch): Batcher {
  const queues = new Map<string, AnyEvent[]>()
  let frame: number | null = null
  let timer: ReturnType<typeof setTimeout> | null = null

  function schedule(): void {
    frame ??= requestAnimationFrame(run)
    timer ??= setTimeout(run, HIDDEN_DELAY_MS)
  }

  function run(): void {
    if (frame !== null) cancelAnimationFrame(frame)
    if (timer !== null) clearTimeout(timer)
    frame = null
    timer = null
    const share = FRAME_BUDGET_MS / Math.max(1, queues.size)
    // A copy: what a session has left is put back under the same key, and a Map would visit it again.
    for (const [id, events] of [...queues]) take(id, events, share)
    if (queues.size > 0) schedule()
  }

  function take(id: string, events: AnyEvent[], budgetMs: number): void {
    queues.delete(id)
    const folded = fold(id, events, budgetMs)
    if (folded < events.length) queues.set(id, events.slice(folded))
  }

  return {
    add: (id, event) => {
      const queue = queues.get(id)
      if (queue) queue.push(event)
      else queues.set(id, [event])
      schedule()
    },
    flush: (id) => {
      const events = queues.get(id)
      if (events) take(id, events, Number.POSITIVE_INFINITY)
    },
    drop: (id) => {
      queues.delete(id)
    },
  }
}
