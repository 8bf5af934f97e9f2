import type { ApprovalRequest } from '@shared/approvals'

/** Longest arguments the engine takes, in characters of JSON (shared/approvals.ts). */
const MAX_CHARS = 2_000_000

export type Arguments = Record<string, unknown>

export interface MainArgument {
  name: string
  /** What the field holds, for its label. */
  label: string
}

const MAIN: Partial<Record<string, MainArgument>> = {
  bash: { name: 'command', label: 'Command' },
  write: { name: 'content', label: 'Content of the file' },
  edit: { name: 'new_str', label: 'New text' },
}
const SCRIPT: MainArgument = { name: 'script', label: 'Script' }

/** The argument that is edited as plain text; null where all of them are edited as JSON. */
export function mainArgument({
  tool,
  arguments: args,
}: Pick<ApprovalRequest, 'tool' | 'arguments'>): MainArgument | null {
  const own = Object.hasOwn(MAIN, tool) ? MAIN[tool] : undefined
  if (own && typeof args[own.name] === 'string') return own
  return typeof args.script === 'string' ? SCRIPT : null
}

export type Parsed = { ok: true; value: Arguments } | { ok: false; message: string }

/** Reads arguments that were edited as JSON. */
export function parseArguments(text: string): Parsed {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (thrown) {
    // The parser's complaint is the answer.
    return { ok: false, message: `Not valid JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}` }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, message: 'The arguments are one JSON object: { "name": value }.' }
  }
  return checkSize({ ...value })
}

/** The arguments with another text in the main one. */
export function withMain(args: Arguments, name: string, text: string): Parsed {
  return checkSize({ ...args, [name]: text })
}

function checkSize(value: Arguments): Parsed {
  const chars = JSON.stringify(value).length
  if (chars <= MAX_CHARS) return { ok: true, value }
  return { ok: false, message: `${(chars - MAX_CHARS).toLocaleString('en')} characters too long.` }
}

export function formatArguments(args: Arguments): string {
  return JSON.stringify(args, null, 2)
}

/** The same values, whatever the order of the names. */
export function sameArguments(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const left = Object.entries(a)
  const right = new Map(Object.entries(b))
  return (
    left.length === right.size && left.every(([key, value]) => right.has(key) && sameArguments(value, right.get(key)))
  )
}
