import type { SessionEvent } from '@shared/events'
import { TRANSIENT_EVENTS } from '@shared/events'
import { LIVE_LOG_CHARS } from '@shared/state'

export type TransientEvent = Extract<SessionEvent, { type: 'assistant_chunk' | 'reasoning_chunk' | 'tool_log' }>

export function isTransient(event: SessionEvent): event is TransientEvent {
  return TRANSIENT_EVENTS.has(event.type)
}

/** A run of chunks of one key; it is stored as one event that has the number and the time of the newest of them. */
interface Segment {
  /** Newest chunk; its own text is already part of `text`. */
  newest: TransientEvent
  key: string
  /** Segments of one slot change the same part of the state: they never pass each other. */
  slot: string
  text: string
  /** Begins a draft: stays alone, because the state keeps the time of a draft's first chunk. */
  head: boolean
}

const DRAFT_SLOT = 'draft'

/**
 * Transient events that are not stored yet, merged so that storing `take()` after everything before it gives the same
 * state as the chunks themselves. Pure bookkeeping: no clock, no file.
 */
export class Partials {
  #segments: Segment[] = []
  /** Draft known to have begun since the last durable event. */
  #draft: string | null = null
  /** Pending characters by slot of a tool call, to bound memory. */
  #logChars = new Map<string, number>()

  get empty(): boolean {
    return this.#segments.length === 0
  }

  add(event: TransientEvent): void {
    if (event.type === 'tool_log') this.#addLog(event)
    else this.#addDraft(event)
  }

  /** Takes a durable event into account that will be stored next: what it makes obsolete is given up. */
  supersede(event: SessionEvent): void {
    if (event.type === 'assistant_message') {
      const { id } = event.data
      this.#segments = this.#segments.filter((s) => draftId(s) !== id)
    } else if (event.type === 'assistant_stream_end') {
      this.#endDraft(event.data.id)
    } else if (event.type === 'tool_output') {
      const slot = callSlot(event.data.tool_call_id)
      this.#segments = this.#segments.filter((s) => s.slot !== slot)
      this.#logChars.delete(slot)
    }
    // Any durable event may close the draft; taking it for closed costs one more line and is always right.
    this.#draft = null
  }

  /** Everything pending, in ascending order of number, and nothing pending any more. */
  take(): TransientEvent[] {
    for (const slot of this.#logChars.keys()) this.#trim(slot)
    const events = this.#segments.map(stored)
    this.#segments = []
    this.#logChars.clear()
    return events
  }

  clear(): void {
    this.#segments = []
    this.#logChars.clear()
  }

  #addDraft(event: Extract<TransientEvent, { type: 'assistant_chunk' | 'reasoning_chunk' }>): void {
    const { id, content } = event.data
    const head = this.#draft !== id
    this.#draft = id
    if (!head) {
      // Text and reasoning of one draft are apart in the state and may pass each other. Segments of another draft
      // cannot lie between: they would have ended this one, and the chunk would be a head.
      const at = this.#segments.findLastIndex((s) => s.newest.type === event.type)
      const segment = this.#segments[at]
      if (segment && draftId(segment) === id && !segment.head) {
        this.#extend(at, segment, event, content)
        return
      }
    }
    this.#segments.push({ newest: event, key: event.type, slot: DRAFT_SLOT, text: content, head })
  }

  #addLog(event: Extract<TransientEvent, { type: 'tool_log' }>): void {
    const { tool, log, tool_call_id, stream, agent_id, label } = event.data
    const key = JSON.stringify([tool, stream, agent_id, label])
    // Without a call id a log line changes nothing in the state, so only its own kind matters for the order.
    const slot = tool_call_id === undefined ? `log:${key}` : callSlot(tool_call_id)
    const at = this.#segments.findLastIndex((s) => s.slot === slot)
    const segment = this.#segments[at]
    // stdout and stderr of a call are one text in the state: only neighbours merge.
    if (segment?.key === key) this.#extend(at, segment, event, log)
    else this.#segments.push({ newest: event, key, slot, text: log, head: false })

    const chars = (this.#logChars.get(slot) ?? 0) + log.length
    this.#logChars.set(slot, chars)
    // Twice the bound: cutting costs a pass over the text, this way once per LIVE_LOG_CHARS of new text at most.
    if (chars > 2 * LIVE_LOG_CHARS) this.#trim(slot)
  }

  /** The extended segment becomes the newest one: it moves to the end. */
  #extend(at: number, segment: Segment, event: TransientEvent, text: string): void {
    if (at !== this.#segments.length - 1) {
      this.#segments.splice(at, 1)
      this.#segments.push(segment)
    }
    segment.newest = event
    segment.text += text
  }

  /** The state keeps the newest LIVE_LOG_CHARS characters of a call's log; what is older need not be stored. */
  #trim(slot: string): void {
    let room = LIVE_LOG_CHARS
    if ((this.#logChars.get(slot) ?? 0) <= room) return
    const kept: Segment[] = []
    for (const segment of this.#segments.toReversed()) {
      if (segment.slot === slot) {
        if (room === 0) continue
        if (segment.text.length > room) segment.text = segment.text.slice(-room)
        room -= segment.text.length
      }
      kept.push(segment)
    }
    this.#segments = kept.reverse()
    this.#logChars.set(slot, LIVE_LOG_CHARS)
  }

  /**
   * The text of an ended stream is obsolete, but its chunks also ended a retry notice and replaced an older draft: one
   * empty chunk keeps that. With chunks of several drafts pending the order matters, and they are stored as they are.
   */
  #endDraft(id: string): void {
    const drafts = this.#segments.filter((s) => s.slot === DRAFT_SLOT)
    const last = drafts.at(-1)
    if (!last || drafts.some((s) => draftId(s) !== id)) return
    this.#segments = this.#segments.filter((s) => s.slot !== DRAFT_SLOT || s === last)
    last.text = ''
  }
}

function draftId(segment: Segment): string | null {
  return segment.newest.type === 'tool_log' ? null : segment.newest.data.id
}

function callSlot(callId: string): string {
  return `call:${callId}`
}

function stored({ newest, text }: Segment): TransientEvent {
  return newest.type === 'tool_log'
    ? { ...newest, data: { ...newest.data, log: text } }
    : { ...newest, data: { ...newest.data, content: text } }
}
