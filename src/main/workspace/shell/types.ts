/** One word of a command line. */
export interface Word {
  /** What the program gets where `literal`; otherwise the source text. */
  value: string
  /** As rules see it: quoted only where that is needed; the source text where it is not literal. */
  text: string
  /** No expansion but a leading `~`: `value` is exact. */
  literal: boolean
  /** Begins with `~` outside quotes. */
  tilde: boolean
  /** Written without quotes, escapes and expansions: only then it can be a keyword. */
  plain: boolean
  /** Nothing but `<(…)` or `>(…)`. */
  process: boolean
  /** A part that looks like a substitution is protected by quotes: some builtins evaluate it all the same. */
  hidden: boolean
  /** Names of the variables in it. */
  variables: string[]
}

/** `NAME=value` before a command, or a variable that a builtin sets. */
export interface Assignment {
  name: string
  /** Null: known only when it runs. */
  value: string | null
  /** As written, with the value requoted. */
  text: string
}

export interface Redirect {
  /** What it opens for writing, reads from, or `both`; `here`: the text stands in the command line. */
  direction: 'out' | 'in' | 'both' | 'here'
  target: Word
}

/** A command with its arguments, or (`words`) the words of `for`, `case`, `[[`: nothing runs, but they are looked at. */
export interface SimpleCommand {
  kind: 'command' | 'words'
  assignments: Assignment[]
  words: Word[]
  redirects: Redirect[]
  /** Texts of its here-documents. */
  bodies: string[]
  /** Where it runs, as far as `cd` tells: relative to the start, or absolute; null: not known. */
  dir: string | null
}

export interface ShellLine {
  commands: SimpleCommand[]
  /** There is more in it than `commands` shows: it could not be read to its end, or it defines what names mean. */
  opaque: boolean
}

/** Ends the reading of a text: what follows cannot be told for sure. */
export class Unsure extends Error {}
