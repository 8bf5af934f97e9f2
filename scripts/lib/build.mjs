import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ROOT } from './paths.mjs'

/** What the build reads: a change in any of it, or a file that came or went, makes the output old. */
const INPUTS = ['src', 'electron.vite.config.ts', 'package.json', 'tsconfig.base.json']
/** What the build must have left; the oldest of them counts. */
const OUTPUTS = ['out/main/index.js', 'out/main/cli.js', 'out/preload/index.cjs', 'out/renderer/index.html']
const BUILDER = 'node_modules/electron-vite/bin/electron-vite.js'
/** Two commands started at once must not build over each other. */
const LOCK = join(ROOT, 'node_modules/.cache/ml-intern-build.lock')
const LOCK_POLL_MS = 100
/** A lock is written in the moment it is made; one that is still empty by then lost its process in between. */
const EMPTY_LOCK_MS = 5_000
/** The longest build seen took a quarter of this; by then the number belongs to a process that builds nothing. */
const STALE_LOCK_MS = 120_000

/**
 * Builds `out/` when it is missing or older than its sources; one line on stderr, nothing when there is nothing to do
 * (a scan of file times, some 10 ms). Throws an Error with a text for the user, and the build's output, on failure.
 */
export async function ensureBuilt() {
  if (await isFresh()) return
  if ((await timeOf(join(ROOT, BUILDER))) === null) {
    throw new Error('The packages are not installed. Run `npm ci` in the checkout, then start again.')
  }
  const release = await takeLock()
  try {
    // Another process may have built it while this one waited.
    if (await isFresh()) return
    await build()
  } finally {
    await release()
  }
}

/** Builds in any case; the caller has a reason to. */
async function build() {
  const started = performance.now()
  process.stderr.write('Building ML Intern ... ')
  const { code, output } = await run(process.execPath, [join(ROOT, BUILDER), 'build'])
  if (code !== 0) {
    process.stderr.write('failed\n')
    throw new Error(`${output.trim()}\n\nThe build failed; its output is above.`)
  }
  process.stderr.write(`done in ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
}

async function isFresh() {
  const [built, changed] = await Promise.all([
    Promise.all(OUTPUTS.map((file) => timeOf(join(ROOT, file)))),
    Promise.all(INPUTS.map((path) => newest(join(ROOT, path)))),
  ])
  if (built.includes(null)) return false
  return Math.min(...built) > Math.max(...changed)
}

/** Newest modification time below a path in milliseconds; folders count, since deleting a file changes only those. */
async function newest(path) {
  const info = await stat(path)
  if (!info.isDirectory()) return info.mtimeMs
  const names = await readdir(path)
  const times = await Promise.all(names.map((name) => newest(join(path, name))))
  return Math.max(info.mtimeMs, ...times)
}

async function timeOf(file) {
  try {
    return (await stat(file)).mtimeMs
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

/** Waits for a build that runs in another process; one that died without cleaning up does not count. */
async function takeLock() {
  await mkdir(join(LOCK, '..'), { recursive: true })
  let told = false
  for (;;) {
    try {
      await writeFile(LOCK, String(process.pid), { flag: 'wx' })
      return () => rm(LOCK, { force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (await isAbandoned()) {
      await rm(LOCK, { force: true })
      continue
    }
    if (!told) process.stderr.write('Waiting for a build that is already running ...\n')
    told = true
    await delay(LOCK_POLL_MS)
  }
}

async function isAbandoned() {
  let pid
  let age
  try {
    pid = Number(await readFile(LOCK, 'utf8'))
    age = Date.now() - (await stat(LOCK)).mtimeMs
  } catch (error) {
    // Released in this moment: the next attempt gets it.
    if (error.code === 'ENOENT') return false
    throw error
  }
  if (!Number.isInteger(pid) || pid <= 0) return age > EMPTY_LOCK_MS
  if (age > STALE_LOCK_MS) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text) => {
        output += text
      })
    }
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}
