#!/usr/bin/env node
// The whole test suite: set-up, lint, build, unit + integration + desktop (Vitest), window (Playwright).
// Arguments choose parts: `npm test -- unit e2e`. Exit 0 only when everything ran and passed. The last line is always
// `N passed, N failed`.
import './lib/require-node.mjs'

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { argv, env, exit, getuid, platform } from 'node:process'

const root = resolve(import.meta.dirname, '..')
const parts = argv.slice(2)
const PARTS = ['lint', 'unit', 'integration', 'desktop', 'e2e']
const wants = (part) => parts.length === 0 || parts.includes(part)

/** Programs the tests use for real, and the Debian packages that bring them. */
const needed = [
  { program: 'chromium', packages: ['chromium'], alternatives: ['google-chrome', 'chromium-browser'] },
  { program: 'python3', packages: ['python3'] },
  // The demo's script uses scikit-learn when it is there: tested with and without.
  {
    program: 'scikit-learn',
    packages: ['python3-sklearn'],
    isHere: () => runs('/usr/bin/python3', '-c', 'import sklearn'),
  },
  { program: 'bash', packages: ['bash'] },
  { program: 'unshare', packages: ['util-linux'] },
  { program: 'git', packages: ['git'] },
  { program: 'rg', packages: ['ripgrep'] },
  { program: 'bwrap', packages: ['bubblewrap'] },
  { program: 'socat', packages: ['socat'] },
  { program: 'gdb', packages: ['gdb'] },
  {
    program: 'python3-venv',
    packages: ['python3-venv'],
    isHere: () => runs('python3', '-c', 'import ensurepip, venv'),
  },
  { program: 'dbus-run-session', packages: ['dbus', 'dbus-x11'] },
  { program: 'gnome-keyring-daemon', packages: ['gnome-keyring', 'libsecret-1-0'] },
]

function onPath(program) {
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/bin', '/bin', '/usr/sbin']
  return folders.some((folder) => folder !== '' && existsSync(join(folder, program)))
}

function runs(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

/** Whether everything that is needed is here, or was installed. */
function setUp() {
  const missing = needed.filter(({ program, alternatives = [], isHere }) =>
    isHere ? !isHere() : ![program, ...alternatives].some(onPath),
  )
  if (missing.length === 0) return true
  const packages = missing.flatMap((entry) => entry.packages)
  const isRootOnDebian = platform === 'linux' && getuid?.() === 0 && existsSync('/etc/debian_version')
  if (!isRootOnDebian) {
    console.error(`The tests need programs that are not here: ${missing.map((m) => m.program).join(', ')}.`)
    console.error(`On Debian or Ubuntu: sudo apt-get install ${packages.join(' ')}`)
    return false
  }
  console.error(`Installing ${packages.join(', ')} …`)
  const aptEnv = { ...env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = { stdio: ['ignore', 'ignore', 'inherit'], env: aptEnv }
  const update = spawnSync('apt-get', ['update', '-qq'], options)
  const install = spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options)
  if (update.status !== 0 || install.status !== 0) {
    console.error(`apt-get could not install ${packages.join(' ')}: see its messages above.`)
    return false
  }
  return true
}

const failures = []
let passed = 0
let failed = 0

function step(name, command, args, options = {}) {
  console.error(`\n— ${name}`)
  const run = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (run.status !== 0) failures.push(name)
  return run.status === 0
}

const bin = (name) => join(root, 'node_modules', '.bin', name)

async function readJson(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return null
  }
}

async function vitest(folders, report) {
  const args = ['run', ...folders, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  step(`Vitest: ${folders.join(', ')}`, bin('vitest'), args)
  const result = await readJson(report)
  if (!result) failures.push('Vitest wrote no report')
  passed += result?.numPassedTests ?? 0
  failed += result?.numFailedTests ?? 0
  if (result?.numPendingTests > 0) failures.push(`${result.numPendingTests} Vitest tests were skipped`)
}

async function playwright(report) {
  step('Playwright: the window in Chromium', bin('playwright'), ['test'], {
    env: { ...env, PLAYWRIGHT_JSON_OUTPUT_NAME: report },
  })
  const result = await readJson(report)
  if (!result) failures.push('Playwright wrote no report')
  passed += result?.stats.expected ?? 0
  failed += (result?.stats.unexpected ?? 0) + (result?.stats.flaky ?? 0)
  if (result?.stats.flaky > 0) failures.push(`${result.stats.flaky} flaky tests`)
  if (result?.stats.skipped > 0) failures.push(`${result.stats.skipped} Playwright tests were skipped`)
}

async function runParts() {
  const reports = await mkdtemp(join(tmpdir(), 'ml-intern-test-'))
  try {
    if (wants('lint')) step('Format, lint, types, layers', 'npm', ['run', '-s', 'lint'])
    if (parts.length === 0 || parts.some((part) => part !== 'lint' && part !== 'unit')) {
      // Without a build the rest would only fail for the same reason, at length.
      if (!step('Build', bin('electron-vite'), ['build', '--logLevel', 'warn'])) return
    }
    const folders = ['unit', 'integration', 'desktop'].filter(wants).map((part) => `tests/${part}`)
    if (folders.length > 0) await vitest(folders, join(reports, 'vitest.json'))
    if (wants('e2e')) await playwright(join(reports, 'playwright.json'))
  } finally {
    await rm(reports, { recursive: true, force: true })
  }
}

const unknown = parts.filter((part) => !PARTS.includes(part))
if (unknown.length > 0) failures.push(`there is no part "${unknown.join(' ')}"; the parts are ${PARTS.join(', ')}`)
else if (!setUp()) failures.push('set-up')
else await runParts()

for (const failure of failures) console.error(`FAILED: ${failure}`)
// A failure outside any test (lint, a crash of a runner) must count too.
console.log(`${passed} passed, ${Math.max(failed, failures.length > 0 ? 1 : 0)} failed`)
const ranNothing = passed === 0 && !(parts.length === 1 && parts[0] === 'lint')
exit(failures.length > 0 || ranNothing ? 1 : 0)
