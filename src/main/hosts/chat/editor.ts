import { graphemes, lineEnd, lineStart, next, previous, wordAfter, wordBefore } from './graphemes'
import type { Key } from './keys'

/** What a key asks of whoever reads the line. `changed`: draw again. */
export type EditorEvent = 'submit' | 'queue' | 'interrupt' | 'eof' | 'complete' | 'cancel' | 'clear' | 'changed'

export interface Search {
  query: string
  /** Index in the history of what is shown; -1: nothing matches. */
  at: number
}

/**
 * A line being edited, of one row or many. It knows keys and text, and nothing of terminals. `history` is oldest first
 * and is read, never written.
 */
export class Editor {
  text = ''
  /** In UTF-16 code units, always between two graphemes. */
  cursor = 0
  /** The history is being searched. */
  search: Search | null = null
  private killed = ''
  /** Index in the history; its length: the text that is being written. */
  private at: number
  private draft = ''
  private before = { text: '', cursor: 0 }

  constructor(private readonly history: readonly string[] = []) {
    this.at = history.length
  }

  set(text: string, cursor = text.length): void {
    this.text = text
    this.cursor = Math.min(cursor, text.length)
    this.search = null
    this.at = this.history.length
  }

  insert(piece: string): void {
    this.replace(this.cursor, this.cursor, piece)
  }

  /** Puts `piece` in the place of what is between the two offsets; the cursor goes behind it. */
  replace(from: number, to: number, piece: string): void {
    this.text = this.text.slice(0, from) + piece + this.text.slice(to)
    this.cursor = from + piece.length
  }

  key(key: Key): EditorEvent | null {
    if (this.search) return this.searchKey(key, this.search)
    if (key.name === 'paste' || (key.text !== '' && !key.ctrl && !key.meta)) {
      this.insert(key.text)
      return 'changed'
    }
    if (key.ctrl) return this.controlKey(key)
    if (key.meta) return this.metaKey(key)
    return this.plainKey(key)
  }

  private plainKey({ name, shift }: Key): EditorEvent | null {
    const { text, cursor } = this
    switch (name) {
      case 'return':
        if (shift || this.continues()) return this.newline()
        return 'submit'
      case 'enter':
        // Ctrl+J.
        return this.newline()
      case 'tab':
        return shift ? null : 'complete'
      case 'escape':
        return 'cancel'
      case 'left':
        return this.move(previous(text, cursor))
      case 'right':
        return this.move(next(text, cursor))
      case 'home':
        return this.move(lineStart(text, cursor))
      case 'end':
        return this.move(lineEnd(text, cursor))
      case 'up':
        return this.vertical(-1) ? 'changed' : this.recall(-1)
      case 'down':
        return this.vertical(1) ? 'changed' : this.recall(1)
      case 'backspace':
        return this.remove(previous(text, cursor), cursor)
      case 'delete':
        return this.remove(cursor, next(text, cursor))
      default:
        return null
    }
  }

  private controlKey({ name }: Key): EditorEvent | null {
    const { text, cursor } = this
    switch (name) {
      case 'c':
        return 'interrupt'
      case 'd':
        return text === '' ? 'eof' : this.remove(cursor, next(text, cursor))
      case 'l':
        return 'clear'
      case 'j':
        return this.newline()
      case 'a':
        return this.move(lineStart(text, cursor))
      case 'e':
        return this.move(lineEnd(text, cursor))
      case 'b':
        return this.move(previous(text, cursor))
      case 'f':
        return this.move(next(text, cursor))
      case 'p':
        return this.recall(-1)
      case 'n':
        return this.recall(1)
      case 'h':
        return this.remove(previous(text, cursor), cursor)
      case 'left':
        return this.move(wordBefore(text, cursor))
      case 'right':
        return this.move(wordAfter(text, cursor))
      case 'u':
        return this.kill(lineStart(text, cursor), cursor)
      case 'k':
        // At the end of a line it joins the next one, as in Emacs.
        return this.kill(cursor, text[cursor] === '\n' ? cursor + 1 : lineEnd(text, cursor))
      case 'w':
        return this.kill(wordBefore(text, cursor, true), cursor)
      case 'y':
        this.insert(this.killed)
        return 'changed'
      case 'r':
        this.before = { text, cursor }
        this.search = { query: '', at: this.history.length }
        return 'changed'
      default:
        return null
    }
  }

  private metaKey({ name }: Key): EditorEvent | null {
    const { text, cursor } = this
    switch (name) {
      case 'return':
      case 'enter':
        return this.newline()
      case 'q':
        return 'queue'
      case 'b':
      case 'left':
        return this.move(wordBefore(text, cursor))
      case 'f':
      case 'right':
        return this.move(wordAfter(text, cursor))
      case 'd':
        return this.kill(cursor, wordAfter(text, cursor))
      case 'backspace':
        return this.kill(wordBefore(text, cursor), cursor)
      default:
        return null
    }
  }

  private move(to: number): 'changed' {
    this.cursor = to
    return 'changed'
  }

  private remove(from: number, to: number): 'changed' {
    this.replace(from, to, '')
    return 'changed'
  }

  private kill(from: number, to: number): 'changed' {
    if (to > from) this.killed = this.text.slice(from, to)
    return this.remove(from, to)
  }

  private newline(): 'changed' {
    this.insert('\n')
    return 'changed'
  }

  /** A backslash before the cursor at the end: the line goes on, and the backslash was not meant. */
  private continues(): boolean {
    if (this.cursor !== this.text.length || !this.text.endsWith('\\')) return false
    this.remove(this.cursor - 1, this.cursor)
    return true
  }

  /** One line up or down, in the same place of it; false at the first or last line. */
  private vertical(by: -1 | 1): boolean {
    const { text, cursor } = this
    const start = lineStart(text, cursor)
    const end = lineEnd(text, cursor)
    if (by < 0 ? start === 0 : end === text.length) return false
    const column = graphemes(text.slice(start, cursor)).length
    const from = by < 0 ? lineStart(text, start - 1) : end + 1
    const line = graphemes(text.slice(from, lineEnd(text, from)))
    this.cursor = from + line.slice(0, column).join('').length
    return true
  }

  private recall(by: -1 | 1): EditorEvent | null {
    const at = this.at + by
    if (at < 0 || at > this.history.length || at === this.at) return null
    if (this.at === this.history.length) this.draft = this.text
    this.at = at
    this.text = at === this.history.length ? this.draft : (this.history[at] ?? '')
    this.cursor = this.text.length
    return 'changed'
  }

  private searchKey(key: Key, search: Search): EditorEvent | null {
    const leave = (): void => {
      this.search = null
      this.at = this.history.length
    }
    if (key.ctrl && key.name === 'r') return this.find(search.query, search.at - 1)
    if (key.name === 'backspace') return this.find(search.query.slice(0, -1), this.history.length - 1)
    if (key.text !== '') return this.find(search.query + key.text, this.history.length - 1)
    if (key.name === 'return') {
      leave()
      return this.text === '' ? 'changed' : 'submit'
    }
    if (key.name === 'escape' || (key.ctrl && ['c', 'g'].includes(key.name))) {
      this.text = this.before.text
      this.cursor = this.before.cursor
      leave()
      return 'changed'
    }
    leave()
    return this.key(key) ?? 'changed'
  }

  /** The newest entry from `from` on backwards that holds the query. */
  private find(query: string, from: number): 'changed' {
    if (query === '') {
      this.search = { query, at: this.history.length }
      this.text = this.before.text
      this.cursor = this.before.cursor
      return 'changed'
    }
    const wanted = query.toLowerCase()
    for (let at = Math.min(from, this.history.length - 1); at >= 0; at--) {
      const entry = this.history[at] ?? ''
      const found = entry.toLowerCase().indexOf(wanted)
      if (found < 0) continue
      this.search = { query, at }
      this.text = entry
      this.cursor = found
      return 'changed'
    }
    // What was found last stays, and the next search does not begin behind it.
    this.search = { query, at: this.search?.query === query ? this.search.at : -1 }
    return 'changed'
  }
}
