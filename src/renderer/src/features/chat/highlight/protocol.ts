/** Kinds of token that get a colour of their own; the order is the wire format between worker and window. */
export const TOKEN_KINDS = [
  '',
  'keyword',
  'string',
  'comment',
  'constant',
  'function',
  'parameter',
  'link',
  'added',
  'removed',
] as const

/** A run of characters of one kind: index into TOKEN_KINDS, text. */
export type Token = [kind: number, text: string]
export type TokenLine = Token[]

/** Lines coloured at once: small enough to draw between two frames, large enough to be few. */
export const LEAF_LINES = 40
/** Leaves that get colours; the rest of a very long block stays plain. */
export const MAX_COLOURED_LEAVES = 100

export type Language = 'python' | 'bash' | 'json' | 'typescript' | 'yaml' | 'toml' | 'diff' | 'markdown'

export type WorkerRequest =
  | { type: 'colour'; block: number; lang: Language; first: number; leaves: string[] }
  | { type: 'forget'; block: number }

export type WorkerReply =
  | { type: 'leaf'; block: number; leaf: number; lines: TokenLine[] }
  | { type: 'done'; block: number }

const ALIASES: Record<string, Language> = {
  python: 'python',
  py: 'python',
  python3: 'python',
  pycon: 'python',
  bash: 'bash',
  sh: 'bash',
  shell: 'bash',
  zsh: 'bash',
  console: 'bash',
  json: 'json',
  jsonc: 'json',
  json5: 'json',
  jsonl: 'json',
  typescript: 'typescript',
  ts: 'typescript',
  javascript: 'typescript',
  js: 'typescript',
  mjs: 'typescript',
  yaml: 'yaml',
  yml: 'yaml',
  toml: 'toml',
  diff: 'diff',
  patch: 'diff',
  markdown: 'markdown',
  md: 'markdown',
}

/** The grammar for the name on a fence or a file's extension; null: no colours. */
export function languageFor(name: string): Language | null {
  return Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? null) : null
}

/** Code in leaves of LEAF_LINES lines, each with its newlines; only the last may end without one. */
export function leavesOf(code: string): string[] {
  const leaves: string[] = []
  let start = 0
  while (start < code.length) {
    let end = start
    for (let line = 0; line < LEAF_LINES && end < code.length; line++) {
      const newline = code.indexOf('\n', end)
      end = newline < 0 ? code.length : newline + 1
    }
    leaves.push(code.slice(start, end))
    start = end
  }
  return leaves
}
