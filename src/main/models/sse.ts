/**
 * Decodes a server-sent event stream, a network chunk at a time. The SDK's own decoder hands over one event per await;
 * this one returns every event of a chunk at once, so that the deltas that arrived together go on together (a reply in
 * 10,000 chunks then costs a few hundred turns of the event loop instead of tens of thousands).
 */
export interface SseEvent {
  /** Null when the event has no `event:` line. */
  event: string | null
  data: string
}

export class SseDecoder {
  #decoder = new TextDecoder()
  #rest = ''
  #event: string | null = null
  #data: string[] = []

  push(bytes: Uint8Array): SseEvent[] {
    return this.#lines(this.#decoder.decode(bytes, { stream: true }))
  }

  /** A last event without its closing empty line is complete enough to be read. */
  end(): SseEvent[] {
    return this.#lines(`${this.#decoder.decode()}\n\n`)
  }

  #lines(chunk: string): SseEvent[] {
    // A line that spans chunks is only joined: searching it again for each chunk would be quadratic.
    if (!chunk.includes('\n') && !chunk.includes('\r')) {
      this.#rest += chunk
      return []
    }
    let text = this.#rest + chunk
    if (text.includes('\r')) {
      // A carriage return at the very end may be half of a CRLF: it waits for the next chunk.
      const held = text.endsWith('\r') ? '\r' : ''
      text = text.slice(0, text.length - held.length).replace(/\r\n?/g, '\n')
      return this.#split(text, held)
    }
    return this.#split(text, '')
  }

  #split(text: string, held: string): SseEvent[] {
    const events: SseEvent[] = []
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      if (end === start) {
        if (this.#data.length > 0) events.push({ event: this.#event, data: this.#data.join('\n') })
        this.#event = null
        this.#data = []
      } else {
        this.#line(text, start, end)
      }
      start = end + 1
    }
    this.#rest = text.slice(start) + held
    return events
  }

  #line(text: string, start: number, end: number): void {
    if (text.startsWith('data:', start)) this.#data.push(value(text, start + 5, end))
    else if (text.startsWith('event:', start)) this.#event = value(text, start + 6, end)
    // Comments, ids and retry hints mean nothing to us.
  }
}

function value(text: string, from: number, end: number): string {
  return text.slice(text[from] === ' ' ? from + 1 : from, end)
}
