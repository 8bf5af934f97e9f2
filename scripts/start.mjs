#!/usr/bin/env node
// `npm start`: the desktop app where Electron can run, and otherwise the same window in the browser. Sets up what is
// missing (the build, the Electron program). `--browser` asks for the browser, `--no-open` leaves opening it to you;
// every other flag goes to the app.
import './lib/require-node.mjs'

import { ensureBuilt } from './lib/build.mjs'
import { desktopObstacle, fetchElectron, findElectron } from './lib/electron.mjs'
import { passOnAndOpen } from './lib/open-url.mjs'
import { CLI, ROOT } from './lib/paths.mjs'
import { runForeground } from './lib/run.mjs'

const OWN_FLAGS = new Set(['--browser', '--no-open'])
/** A missing library, or Chromium's own abort (SIGTRAP, SIGABRT) where its sandbox is forbidden ... */
const START_FAILURES = new Set([126, 127, 128 + 5, 128 + 6])
/** ... come this soon; later the same codes are a crash of a running app. */
const START_LIMIT_MS = 10_000
/** Flags that only the browser host has: whoever gives one wants it. */
const BROWSER_FLAGS = /^--(port|host)(=|$)/

const INTERRUPTED = Symbol('interrupted')

const given = process.argv.slice(2)
// `npm start` changes into the checkout; the folder the user is in is where the work is.
const cwd = (process.cwd() === ROOT && process.env.INIT_CWD) || process.cwd()
const flags = given.filter((flag) => !OWN_FLAGS.has(flag))

try {
  process.exitCode = await start()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

async function start() {
  await ensureBuilt()
  if (given.includes('--browser') || flags.some((flag) => BROWSER_FLAGS.test(flag))) return inBrowser()

  const obstacle = desktopObstacle() ?? (await electronObstacle())
  if (obstacle === INTERRUPTED) return 130
  if (obstacle === null) {
    const started = performance.now()
    const code = await runForeground(await findElectron(), [ROOT, ...flags], { cwd })
    if (!START_FAILURES.has(code) || performance.now() - started > START_LIMIT_MS) return code
    console.error(`Electron could not start here (exit code ${code}); opening ML Intern in the browser instead.`)
  } else {
    console.error(`No desktop window because ${obstacle}; opening ML Intern in the browser instead.`)
  }
  return inBrowser()
}

/** Downloads Electron when it is not here. */
async function electronObstacle() {
  if ((await findElectron()) !== null) return null
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  try {
    const obstacle = await fetchElectron({ signal: stop.signal })
    return stop.signal.aborted ? INTERRUPTED : obstacle
  } finally {
    process.removeListener('SIGINT', interrupt)
  }
}

function inBrowser() {
  const onStdout = passOnAndOpen(!given.includes('--no-open'))
  return runForeground(process.execPath, [CLI, 'serve', ...flags], { onStdout, cwd })
}
