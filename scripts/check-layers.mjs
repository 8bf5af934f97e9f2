#!/usr/bin/env node
// The layer rule of docs/ARCHITECTURE.md as a check: which room may import which, and how long a file may be.
// Prints every violation and exits 1 when there is one.
import { readdir, readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { argv, exit } from 'node:process'
import { importsOf } from './lib/imports.mjs'

const root = resolve(argv[2] ?? join(import.meta.dirname, '..'))
const MAX_LINES = 400
const DESKTOP = 'src/main/hosts/desktop/'

/** Rooms of src/main, lowest first. A room imports rooms of lower ranks; within its own rank only types. */
const ranks = [
  ['errors', 'redact', 'redact-patterns', 'redact-pem', 'home'],
  ['credentials', 'settings'],
  ['hub', 'papers', 'github', 'web', 'mcp', 'compute', 'workspace', 'datasets'],
  ['models', 'tools', 'demo', 'budget'],
  ['agent'],
  ['session'],
  ['engine', 'engine-types', 'bridge', 'doctor'],
  ['hosts', 'bootstrap', 'cli', 'index'],
]
const rankOf = new Map(ranks.flatMap((rooms, rank) => rooms.map((room) => [room, rank])))
/** Rooms that together are one layer and may use each other freely. */
const open = new Set([0, ranks.length - 1, ranks.length - 2])

const mayUseElectron = (file) =>
  file === 'src/main/index.ts' || file.startsWith(DESKTOP) || file.startsWith('src/preload/')
/** Path aliases of the tsconfig and Vite files. */
const ALIASES = { '@shared/': 'src/shared/', '@renderer/': 'src/renderer/src/' }

async function* sourceFiles(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* sourceFiles(path)
    else if (/\.([cm]?[jt]sx?|css)$/.test(entry.name)) yield path
  }
}

/** src/main/agent/loop.ts -> { area: 'main', room: 'agent' } */
function place(file) {
  const [, area, second = ''] = file.split('/')
  return { area, room: second.replace(/\.[cm]?[jt]sx?$/, '') }
}

/** The file or folder in the checkout that an import means, without certainty about its extension; null for a package. */
function targetFile(file, target) {
  for (const [alias, folder] of Object.entries(ALIASES)) {
    if (target.startsWith(alias)) return folder + target.slice(alias.length)
  }
  if (!target.startsWith('.')) return null
  return relative(root, resolve(root, dirname(file), target))
    .split(sep)
    .join('/')
}

function violation(file, { target, typeOnly }) {
  const from = place(file)
  if (target === null) return 'what it loads is known only at run time, so nobody can check it'
  if (target === 'electron' || target.startsWith('electron/')) {
    return mayUseElectron(file) ? null : 'only the desktop host and the preload may import electron'
  }
  const inner = targetFile(file, target)
  if (inner === null) {
    if (from.area === 'shared' && target !== 'zod') return 'src/shared may import zod and nothing else from outside'
    if (from.area === 'renderer' && isBuiltin(target)) return 'the window has no Node'
    if (from.area === 'preload') return 'a sandboxed preload can load nothing but electron'
    return null
  }
  if (!inner.startsWith('src/')) return from.area === 'shared' ? 'src/shared may import zod and nothing else' : null
  const to = place(inner)
  if (to.area === 'shared') return null
  if (from.area !== to.area) return `${from.area} may not import ${to.area}: only src/shared is common`
  if (from.area !== 'main') return null
  if (inner.startsWith(DESKTOP) && !mayUseElectron(file) && !typeOnly) {
    return 'the desktop host needs Electron, and everything else has to run on plain Node'
  }
  if (from.room === to.room) return null
  const own = rankOf.get(from.room)
  const other = rankOf.get(to.room)
  if (own === undefined) return `src/main/${from.room} has no layer: add it to scripts/check-layers.mjs`
  if (other === undefined) return `src/main/${to.room} has no layer: add it to scripts/check-layers.mjs`
  if (other < own || (other === own && (typeOnly || open.has(own)))) return null
  return `${from.room} is below ${to.room}: arrows point one way`
}

/** What is wrong with the imports of one file. */
function importProblems(file, text) {
  let imports
  try {
    imports = importsOf(text, file)
  } catch (error) {
    return [`${file}: cannot be read: ${error.message.split('\n')[0]}`]
  }
  return imports.flatMap((found) => {
    const problem = violation(file, found)
    return problem ? [`${file}:${found.line}: imports ${found.target ?? 'something'}: ${problem}`] : []
  })
}

const problems = []
for await (const path of sourceFiles(join(root, 'src'))) {
  const file = relative(root, path).split(sep).join('/')
  const text = await readFile(path, 'utf8')
  const lines = text.split('\n').length - 1
  if (lines > MAX_LINES) problems.push(`${file}: ${lines} lines, more than ${MAX_LINES}: it is two rooms`)
  if (!file.endsWith('.css')) problems.push(...importProblems(file, text))
}
for (const problem of problems.sort()) console.error(problem)
if (problems.length > 0) {
  console.error(`${problems.length} layer violation${problems.length === 1 ? '' : 's'} (docs/ARCHITECTURE.md)`)
  exit(1)
}
