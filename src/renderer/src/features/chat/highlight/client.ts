import { type Language, MAX_COLOURED_LEAVES, type TokenLine, type WorkerReply, type WorkerRequest } from './protocol'

/** Colours of finished blocks are kept, so that scrolling back to one does not colour it again. */
const CACHE_CHARS = 2_000_000
const cache = new Map<string, TokenLine[][]>()
let cachedChars = 0

const blocks = new Map<number, BlockColours>()
let nextBlock = 1
let worker: Worker | null = null
/** Set when the worker cannot be had: code then stays plain, which is a loss of colour only. */
let unavailable = false

function send(message: WorkerRequest): void {
  if (unavailable) return
  worker ??= startWorker()
  worker.postMessage(message)
}

function startWorker(): Worker {
  const started = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'highlight' })
  started.onmessage = (event: MessageEvent<WorkerReply>) => blocks.get(event.data.block)?.receive(event.data)
  started.onerror = (event) => {
    unavailable = true
    console.error('Code is shown without colours: the highlighter failed.', event.message)
  }
  return started
}

/** The colours of one block of code that may still be growing. */
export class BlockColours {
  private readonly id = nextBlock++
  private colours: readonly TokenLine[][] = []
  private sent: string[] = []
  private wanted: string[] = []
  private final = false
  private busy = false
  private readonly listeners = new Set<() => void>()

  constructor(private readonly lang: Language) {}

  /** One entry a leaf; an entry covers at least the whole lines the leaf had when it was sent. */
  readonly snapshot = (): readonly TokenLine[][] => this.colours

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    blocks.set(this.id, this)
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size > 0) return
      blocks.delete(this.id)
      send({ type: 'forget', block: this.id })
      // A remount (StrictMode) starts from nothing.
      this.busy = false
      this.sent = []
    }
  }

  update(leaves: string[], final: boolean): void {
    this.final = final
    this.wanted = leaves.slice(0, MAX_COLOURED_LEAVES)
    if (!final) {
      // A line that is being written changes its meaning with each character.
      const last = this.wanted.length - 1
      const tail = this.wanted[last]
      if (tail !== undefined) this.wanted[last] = tail.slice(0, tail.lastIndexOf('\n') + 1)
    }
    const known = final ? cache.get(this.key()) : undefined
    if (known && this.colours.length === 0) {
      this.sent = this.wanted
      this.publish(known)
    } else {
      this.ask()
    }
  }

  receive(reply: WorkerReply): void {
    if (reply.type === 'leaf') {
      const next = this.colours.slice()
      next[reply.leaf] = reply.lines
      this.publish(next)
      return
    }
    this.busy = false
    this.ask()
    if (!this.busy && this.final) remember(this.key(), this.colours, this.wanted)
  }

  private ask(): void {
    if (this.busy || this.listeners.size === 0) return
    const first = this.wanted.findIndex((leaf, i) => leaf !== this.sent[i])
    const leaves = first < 0 ? [] : this.wanted.slice(first).filter((leaf) => leaf !== '')
    if (leaves.length === 0) return
    this.busy = true
    this.sent = this.wanted
    send({ type: 'colour', block: this.id, lang: this.lang, first, leaves })
  }

  private publish(colours: readonly TokenLine[][]): void {
    this.colours = colours
    for (const listener of this.listeners) listener()
  }

  private key(): string {
    return `${this.lang}\n${this.wanted.join('')}`
  }
}

function remember(key: string, colours: readonly TokenLine[][], leaves: string[]): void {
  if (colours.length < leaves.length || cache.has(key)) return
  cache.set(key, [...colours])
  cachedChars += key.length
  for (const [oldest] of cache) {
    if (cachedChars <= CACHE_CHARS) break
    cache.delete(oldest)
    cachedChars -= oldest.length
  }
}
