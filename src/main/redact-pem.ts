/** What stands in the place of a private-key block. */
const MARK = '[REDACTED_PRIVATE_KEY]'
const BEGIN = /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----/
const BEGIN_CHARS = 64
const END = /-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----/
const END_CHARS = 64
/** Newlines as they are and as JSON and shells write them. */
const SEPARATOR = /\r?\n|(?:\\r)?\\n/
/** Headers and blank lines before the key itself, at most, in characters. */
const MAX_OPENING = 2_048
/** A whole key on one line can be this long; more is no key. */
const MAX_LINE = 16_384

/** A line of a key, also behind a line number, a diff sign or a quote. */
const BODY = new RegExp(
  '^[^A-Za-z0-9+/=\\\\]*(?:[0-9]{1,7}[^A-Za-z0-9+/=\\\\]+)?[A-Za-z0-9+/]{16,}={0,2}' +
    '(?: [A-Za-z0-9+/]{16,}={0,2})*(?: [A-Za-z0-9+/]{1,15}={0,2})?["\',;) \\\\]*[+ ]*$',
)
const SHORT = /^[^A-Za-z0-9+/=\\]*(?:[0-9]{1,7}[^A-Za-z0-9+/=\\]+)?=?[A-Za-z0-9+/]{0,15}={0,2}["',;)+ \\]*$/
const HEADER = /^[^A-Za-z]*[A-Za-z][A-Za-z-]{1,30}: .{1,200}$/

/**
 * Takes private-key blocks out of a stream, however it is cut. Outside of a block only the beginning of a block is held
 * back; inside, lines of the key are thrown away as they come, so that little is ever kept. A block without its end is
 * left at the first line that cannot be part of a key.
 */
export class PemFilter {
  private state: 'outside' | 'opening' | 'inside' = 'outside'
  private held = ''
  /** What was taken but is given back should it turn out to be no key. */
  private pending = ''

  /** Nothing is held and no block is open. */
  get idle(): boolean {
    return this.state === 'outside' && this.held === ''
  }

  push(text: string): string {
    if (this.idle && !text.includes('-')) return text
    return this.run(text, false)
  }

  flush(): string {
    let out = this.run('', true)
    if (this.state === 'opening') out += this.pending
    this.state = 'outside'
    this.held = ''
    this.pending = ''
    return out
  }

  private run(text: string, last: boolean): string {
    let rest = this.held + text
    let out = ''
    this.held = ''
    for (;;) {
      const step = this.state === 'outside' ? this.outside(rest, last) : this.inBlock(rest, last)
      out += step.out
      rest = step.rest
      if (!step.again) break
    }
    this.held = rest
    return out
  }

  private outside(text: string, last: boolean): Step {
    let from = 0
    for (;;) {
      const at = text.indexOf('-----BEGIN', from)
      if (at === -1) {
        const keep = last ? 0 : beginningAtEnd(text)
        return { out: text.slice(0, text.length - keep), rest: keep > 0 ? text.slice(-keep) : '', again: false }
      }
      const head = text.slice(at, at + BEGIN_CHARS)
      const found = BEGIN.exec(head)
      if (found?.index === 0) {
        this.state = 'opening'
        this.pending = found[0]
        return { out: text.slice(0, at), rest: text.slice(at + found[0].length), again: true }
      }
      if (!last && head.length < BEGIN_CHARS && /^-----BEGIN[A-Z0-9 ]*-{0,4}$/.test(head)) {
        return { out: text.slice(0, at), rest: head, again: false }
      }
      from = at + 10
    }
  }

  private inBlock(text: string, last: boolean): Step {
    const separator = SEPARATOR.exec(text.length > MAX_LINE ? text.slice(0, MAX_LINE) : text)
    const piece = separator ? text.slice(0, separator.index) : text
    const end = END.exec(piece)
    if (end) {
      const body = piece.slice(0, end.index)
      const key = (this.state === 'inside' && !/[a-z]{3} [a-z]/.test(body)) || BODY.test(body)
      return key ? this.close(text.slice(end.index + end[0].length)) : this.leave(text)
    }
    // A separator that is still being cut off would look like a part of the line.
    const whole = separator !== null && !(separator[0] === '\\r' && !last)
    if (!whole && !last) {
      const open = text.length <= END_CHARS * 2 || couldGoOn(text)
      if (open && text.length < MAX_LINE) return { out: '', rest: text, again: false }
      return this.leave(text)
    }
    const after = separator ? text.slice(separator.index + separator[0].length) : ''
    const taken = piece + (separator?.[0] ?? '')
    if (BODY.test(piece)) {
      const first = this.state === 'opening'
      this.state = 'inside'
      this.pending = ''
      return this.go(first ? MARK : '', after, separator !== null)
    }
    const fits = SHORT.test(piece) || (this.state === 'opening' && HEADER.test(piece))
    const room = this.state === 'opening' ? this.pending.length < MAX_OPENING : this.pending === '' || piece === ''
    if (!fits || !room) return this.leave(text)
    this.pending += taken
    if (separator || !last) return this.go('', after, separator !== null)
    // The text ends in the middle of a key.
    if (this.state === 'inside') this.pending = ''
    return this.leave('')
  }

  private go(out: string, rest: string, again: boolean): Step {
    return { out, rest, again: again && rest !== '' }
  }

  private close(rest: string): Step {
    const out = this.state === 'opening' ? MARK : ''
    this.state = 'outside'
    this.pending = ''
    return { out, rest, again: true }
  }

  /** No key after all, or its end is missing: what is not known to be one is given back. */
  private leave(rest: string): Step {
    const given = this.pending + rest
    const out = this.state === 'inside' && given !== '' ? `\n${this.pending}` : this.pending
    this.state = 'outside'
    this.pending = ''
    return { out, rest, again: true }
  }
}

interface Step {
  out: string
  rest: string
  again: boolean
}

/** An unfinished line inside a block that may become a line of the key or its end: no sentence. */
function couldGoOn(text: string): boolean {
  return !/[^A-Za-z0-9+/=:,.\-\\ \t|>"']/.test(text) && !/(?:^| )[a-z]{1,15} [a-z]{1,15} /.test(text)
}

/** Characters at the end of `text` that may be the first ones of `-----BEGIN`. */
function beginningAtEnd(text: string): number {
  for (let n = Math.min(9, text.length); n > 0; n--) if (text.endsWith('-----BEGIN'.slice(0, n))) return n
  return 0
}

/** Replaces the private-key blocks of a whole text, also one whose beginning is cut off. */
export function redactPem(text: string): string {
  if (!text.includes('PRIVATE KEY')) return text
  const filter = new PemFilter()
  const result = filter.push(text) + filter.flush()
  const end = END.exec(result)
  return end ? withoutTail(result, end.index, end[0].length) : result
}

/** Only the first line of the text can be where a block was cut, so only the first end can lack its beginning. */
function withoutTail(text: string, at: number, length: number): string {
  let from = at
  let first = at
  while (from > 0) {
    const start = text.lastIndexOf('\n', from - 2) + 1
    const line = text.slice(start, from).replace(/\r?\n$/, '')
    if (from - start > MAX_LINE || !(BODY.test(line) || SHORT.test(line))) break
    if (BODY.test(line)) first = start
    from = start
  }
  return first === at ? text : `${text.slice(0, first)}${MARK}${text.slice(at + length)}`
}
