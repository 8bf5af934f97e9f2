import { argumentChoices, type CommandSpec, completeCommand, parseCommand } from '@shared/commands'

/** What is being typed at the caret and can be completed. `from` and `to` are offsets in the text. */
export type Typed =
  | { kind: 'command'; from: number; to: number; word: string }
  | { kind: 'argument'; from: number; to: number; word: string; spec: CommandSpec }
  | { kind: 'file'; from: number; to: number; word: string }

export interface Suggestion {
  /** Takes the place of what was typed. */
  insert: string
  label: string
  description: string
  /** Enter takes it and sends; otherwise it is only put into the text. */
  runs: boolean
}

/** More would hide the conversation. */
const MAX_SUGGESTIONS = 50

export function typedAt(text: string, caret: number): Typed | null {
  const before = text.slice(0, caret)
  const command = /^(\s*)(\/[a-z-]*)$/i.exec(before)
  if (command) {
    const from = command[1]?.length ?? 0
    return { kind: 'command', from, to: endOfWord(text, caret), word: before.slice(from) }
  }
  // The file first: `/queue look at @da` completes the file.
  const file = /(?:^|\s)@(?:"([^"\n]*)|([^\s@"]*))$/.exec(before)
  if (file) {
    const quoted = file[1] !== undefined
    const word = file[1] ?? file[2] ?? ''
    const from = caret - word.length - (quoted ? 2 : 1)
    return { kind: 'file', from, to: quoted ? endOfQuote(text, caret) : endOfWord(text, caret), word }
  }
  const parsed = parseCommand(before, 'window')
  if (parsed?.kind !== 'command' || !hasChoices(parsed.spec)) return null
  const argument = /^\s*\/\S+\s+(\S*)$/.exec(before)
  if (!argument) return null
  const word = argument[1] ?? ''
  return { kind: 'argument', from: caret - word.length, to: endOfWord(text, caret), word, spec: parsed.spec }
}

function hasChoices({ argument }: CommandSpec): boolean {
  return argument === 'model' || argument === 'session' || argumentChoices(argument).length > 0
}

function endOfWord(text: string, at: number): number {
  const rest = /^\S*/.exec(text.slice(at))
  return at + (rest?.[0].length ?? 0)
}

/** A quote that was opened, up to where it is closed; where it is not, nothing behind the caret belongs to it. */
function endOfQuote(text: string, at: number): number {
  const rest = /^[^"\n]*"/.exec(text.slice(at))
  return at + (rest?.[0].length ?? 0)
}

/** The command that stands there whole comes first: `/mode` is not the beginning of `/model`. */
export function commandSuggestions(word: string): Suggestion[] {
  const found = completeCommand(word, 'window')
  const whole = found.filter(({ name }) => `/${name}` === word.toLowerCase())
  return [...whole, ...found.filter((spec) => !whole.includes(spec))].map((spec) => ({
    insert: spec.argument === undefined ? `/${spec.name}` : `/${spec.name} `,
    label: `/${spec.name}`,
    description: spec.summary,
    runs: spec.argument === undefined,
  }))
}

/** A value that an argument can have. */
export interface Value {
  value: string
  description: string
}

/** Those that begin with what was typed come before those that only have it somewhere. */
export function argumentSuggestions(word: string, values: readonly Value[]): Suggestion[] {
  const typed = word.toLowerCase()
  const fits = values.filter(({ value, description }) => `${value} ${description}`.toLowerCase().includes(typed))
  const begins = fits.filter(({ value }) => value.toLowerCase().startsWith(typed))
  const others = fits.filter((entry) => !begins.includes(entry))
  return [...begins, ...others]
    .slice(0, MAX_SUGGESTIONS)
    .map(({ value, description }) => ({ insert: value, label: value, description, runs: true }))
}

/** A folder leaves the list open, so that one goes into it. A path with white space is written in quotes. */
export function fileSuggestions(paths: readonly string[]): Suggestion[] {
  return paths.slice(0, MAX_SUGGESTIONS).map((path) => ({
    insert: path.endsWith('/') ? `@${quoteOf(path)}${path}` : `@${quoteOf(path)}${path}${quoteOf(path)} `,
    label: path,
    description: '',
    runs: false,
  }))
}

function quoteOf(path: string): string {
  return /[\s"]/.test(path) ? '"' : ''
}

/** The text with a suggestion in it, and where the caret then stands. */
export function complete(text: string, typed: Typed, { insert }: Suggestion): { text: string; caret: number } {
  const after = text.slice(typed.to)
  const taken = insert.endsWith(' ') && /^\s/.test(after) ? insert.slice(0, -1) : insert
  return { text: text.slice(0, typed.from) + taken + after, caret: typed.from + insert.length }
}
