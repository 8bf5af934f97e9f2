#!/usr/bin/env node
// The layer rule of docs/ARCHITECTURE.md as a check: which room may import which, and how long a file may be.
// Prints every violation and exits 1 when there is one.
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { argv, exit } from 'node:process'

const root = resolve(argv[2] ?? join(import.meta.dirname, '..'))
const MAX_LINES = 400

/** Rooms of src/main, lowest first. A room imports rooms of lower ranks; within its own rank only types. */
const ranks = [
  ['errors', 'redact', 'home'],
  ['credentials', 'settings'],
  ['hub', 'papers', 'github', 'web', 'mcp', 'compute', 'workspace', 'datasets'],
  ['models', 'tools', 'demo'],
  ['agent'],
  ['session'],
  ['engine', 'engine-types', 'bridge', 'doctor'],
  ['hosts', 'bootstrap', 'cli', 'index'],
]
const rankOf = new Map(ranks.flatMap((rooms, rank) => rooms.map((room) => [room, rank])))
/** Rooms that together are one layer and may use each other freely. */
const open = new Set([0, ranks.length - 1, ranks.length - 2])

const mayUseElectron = (file) =>
  file === 'src/main/index.ts' || file.startsWith('src/main/hosts/desktop/') || file.startsWith('src/preload/')

async function* sourceFiles(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* sourceFiles(path)
    else if (/\.(ts|tsx|mts|css)$/.test(entry.name)) yield path
  }
}

/** Every import of a file: static, re-export and dynamic; `typeOnly` when nothing of it exists at run time. */
function importsOf(text) {
  const found = []
  for (const match of text.matchAll(/^\s*(import|export)\s+(type\s)?[^'"`;]*?from\s*['"]([^'"]+)['"]/gm)) {
    found.push({ target: match[3], typeOnly: Boolean(match[2]) })
  }
  for (const match of text.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm))
    found.push({ target: match[1], typeOnly: false })
  for (const match of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    const typeOnly = /[:<|&]\s*$/.test(text.slice(0, match.index)) || text.slice(0, match.index).endsWith('typeof ')
    found.push({ target: match[1], typeOnly })
  }
  return found
}

/** src/main/agent/loop.ts -> { area: 'main', room: 'agent' } */
function place(file) {
  const [, area, second = ''] = file.split('/')
  return { area, room: second.replace(/\.tsx?$/, '') }
}

function targetFile(file, target) {
  if (target.startsWith('@shared/')) return `src/shared/${target.slice(8)}`
  if (target.startsWith('.'))
    return relative(root, resolve(root, dirname(file), target))
      .split(sep)
      .join('/')
  return null
}

function violation(file, { target, typeOnly }) {
  const from = place(file)
  const isNode = target.startsWith('node:')
  if (target === 'electron' || target.startsWith('electron/')) {
    return mayUseElectron(file) ? null : 'only the desktop host and the preload may import electron'
  }
  const inner = targetFile(file, target)
  if (inner === null) {
    if (from.area === 'shared' && target !== 'zod') return 'src/shared may import zod and nothing else from outside'
    if (from.area === 'renderer' && isNode) return 'the window has no Node'
    if (from.area === 'preload' && isNode) return 'a sandboxed preload has no Node'
    return null
  }
  if (!inner.startsWith('src/')) return null
  const to = place(inner)
  if (to.area === 'shared') return null
  if (from.area !== to.area) return `${from.area} may not import ${to.area}: only src/shared is common`
  if (from.area !== 'main' || from.room === to.room) return null
  const own = rankOf.get(from.room)
  const other = rankOf.get(to.room)
  if (own === undefined) return `src/main/${from.room} has no layer: add it to scripts/check-layers.mjs`
  if (other === undefined) return `src/main/${to.room} has no layer: add it to scripts/check-layers.mjs`
  if (other < own || (other === own && (typeOnly || open.has(own)))) return null
  return `${from.room} is below ${to.room}: arrows point one way`
}

const problems = []
for await (const path of sourceFiles(join(root, 'src'))) {
  const file = relative(root, path).split(sep).join('/')
  const text = await readFile(path, 'utf8')
  const lines = text.split('\n').length - 1
  if (lines > MAX_LINES) problems.push(`${file}: ${lines} lines, more than ${MAX_LINES}: it is two rooms`)
  if (file.endsWith('.css')) continue
  for (const found of importsOf(text)) {
    const problem = violation(file, found)
    if (problem) problems.push(`${file}: imports ${found.target}: ${problem}`)
  }
}
for (const problem of problems) console.error(problem)
if (problems.length > 0) {
  console.error(`${problems.length} layer violation${problems.length === 1 ? '' : 's'} (docs/ARCHITECTURE.md)`)
  exit(1)
}
