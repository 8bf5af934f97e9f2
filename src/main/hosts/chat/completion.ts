import { argumentChoices, type CommandArgument, completeCommand, parseCommand } from '@shared/commands'
import type { Editor } from './editor'

/** Where the values come from that are not a fixed list. */
export interface CompletionSources {
  /** Paths in the session's folder; folders end in `/`. */
  paths(prefix: string): Promise<string[]>
  models(): Promise<string[]>
  sessions(): Promise<string[]>
}

export interface Completion {
  /** What is replaced, as offsets in the text. */
  from: number
  to: number
  /** What can stand there, whole. */
  candidates: string[]
}

/** What can stand at the cursor: a command, its argument, or a path after `@`. Null: nothing is completed here. */
export async function complete(text: string, cursor: number, sources: CompletionSources): Promise<Completion | null> {
  const before = text.slice(0, cursor)
  const path = /(?:^|\s)@(?:"([^"\n]*)|([^\s"]*))$/.exec(before)
  if (path) {
    const typed = path[1] ?? path[2] ?? ''
    const from = cursor - typed.length - (path[1] === undefined ? 0 : 1)
    const candidates = (await sources.paths(typed)).map(quoted)
    return { from, to: cursor, candidates }
  }
  if (/^\/[a-z-]*$/i.test(before)) {
    const candidates = completeCommand(before, 'chat').map(({ name }) => `/${name}`)
    return { from: 0, to: cursor, candidates }
  }
  const parsed = /^\/[a-z-]+\s/i.test(before) ? parseCommand(before, 'chat') : null
  if (parsed?.kind !== 'command') return null
  const word = /\S*$/.exec(before)?.[0] ?? ''
  // Only the first word of the arguments is a value; a free text is nobody's to complete.
  if (parsed.args !== word) return null
  const values = await valuesOf(parsed.spec.argument, sources)
  const begun = values.filter((value) => value.toLowerCase().startsWith(word.toLowerCase()))
  // An id is often known by its end: `opus` for `anthropic/claude-opus-5-5`.
  const held = begun.length > 0 ? begun : values.filter((value) => value.toLowerCase().includes(word.toLowerCase()))
  return { from: cursor - word.length, to: cursor, candidates: held }
}

async function valuesOf(argument: CommandArgument | undefined, sources: CompletionSources): Promise<readonly string[]> {
  if (argument === 'model') return sources.models()
  if (argument === 'session') return sources.sessions()
  return argumentChoices(argument)
}

/** A path with white space is written in quotes; those of a folder stay open. */
function quoted(path: string): string {
  if (!/[\s"]/.test(path)) return path
  return path.endsWith('/') ? `"${path}` : `"${path}"`
}

/** Puts into the line what all candidates have in common. Returns what is left to choose from; empty: it is done. */
export function applyCompletion(editor: Editor, { from, to, candidates }: Completion): string[] {
  const [first, ...others] = candidates
  if (first === undefined) return []
  if (others.length === 0) {
    const open = first.endsWith('/') || editor.text[to] === ' '
    editor.replace(from, to, open ? first : `${first} `)
    return []
  }
  let common = first
  for (const other of others) while (!other.toLowerCase().startsWith(common.toLowerCase())) common = common.slice(0, -1)
  if (common.length > to - from) editor.replace(from, to, common)
  return candidates
}
