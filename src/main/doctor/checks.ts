import { randomUUID } from 'node:crypto'
import { access, constants, readFile, statfs, unlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Keychain, KeychainFault } from '../credentials/keychain'
import { isNodeError, messageOf } from '../errors'
import { ensureHome } from '../home'
import { checkEndpoint } from './network'
import { inspectPython } from './python'
import { probeSandbox } from './sandbox'
import type { DoctorDeps, Finding } from './types'

export interface Check {
  id: string
  title: string
  run: (deps: DoctorDeps, signal: AbortSignal) => Promise<Finding>
}

/** package.json, `engines`. */
const MIN_NODE: readonly [number, number] = [20, 19]
/** Below this a training run soon has nowhere to write. */
const MIN_FREE_BYTES = 1e9

const ok = (detail: string): Finding => ({ state: 'ok', detail, remedy: '' })

/** In the order of the report. Only what makes every run impossible is `failed`. */
export const CHECKS: readonly Check[] = [
  { id: 'node', title: 'Node.js', run: checkNode },
  { id: 'settings', title: 'Settings', run: checkSettings },
  { id: 'data_folder', title: 'Data folder', run: checkDataFolder },
  { id: 'api_key', title: 'Anthropic API key', run: checkApiKey },
  { id: 'keychain', title: 'Keychain', run: checkKeychain },
  { id: 'python', title: 'Python', run: checkPython },
  { id: 'sandbox', title: 'Sandbox', run: checkSandbox },
  { id: 'electron', title: 'Electron', run: checkElectron },
  {
    id: 'network_anthropic',
    title: 'Anthropic API',
    run: (deps, signal) => checkEndpoint(deps.settings.anthropic_base_url, signal, deps.env, deps.fetch ?? fetch),
  },
  {
    id: 'network_huggingface',
    title: 'Hugging Face Hub',
    run: (deps, signal) =>
      checkEndpoint(deps.env.HF_ENDPOINT || 'https://huggingface.co', signal, deps.env, deps.fetch ?? fetch),
  },
]

async function checkNode({ versions = process.versions }: DoctorDeps): Promise<Finding> {
  const [major = 0, minor = 0] = versions.node.split('.').map(Number)
  const [wantedMajor, wantedMinor] = MIN_NODE
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return ok(`Version ${versions.node}.`)
  return {
    state: 'failed',
    detail: `Version ${versions.node} is too old: ${MIN_NODE.join('.')} or later is needed.`,
    remedy: 'Install a newer Node.js from https://nodejs.org.',
  }
}

async function checkSettings({ files, notes }: DoctorDeps): Promise<Finding> {
  const read = files.length > 0 ? `Read: ${files.join(', ')}.` : 'No configuration file; the defaults hold.'
  if (notes.length === 0) return ok(read)
  return { state: 'ok', detail: [read, ...notes].join(' '), remedy: '' }
}

async function checkDataFolder({ home }: DoctorDeps): Promise<Finding> {
  const remedy = 'Set ML_INTERN_HOME to a folder that you may write to.'
  const file = join(home, `.write-test-${randomUUID()}`)
  try {
    await ensureHome(home)
    await writeFile(file, 'test', { mode: 0o600, flag: 'wx' })
    await unlink(file)
  } catch (error) {
    const reason = isNodeError(error) ? error.code : messageOf(error)
    return { state: 'failed', detail: `${home} cannot be written: ${reason}.`, remedy }
  }
  const { bavail, bsize } = await statfs(home)
  const free = bavail * bsize
  const detail = `${home}, ${(free / 1e9).toFixed(1)} GB free.`
  if (free >= MIN_FREE_BYTES) return ok(detail)
  return { state: 'warning', detail, remedy: 'Free some space: logs, outputs and models are written there.' }
}

async function checkApiKey({ credentials }: DoctorDeps): Promise<Finding> {
  const status = await credentials.status('anthropic')
  if (status.present) {
    const hint = status.hint ? ` (ends in ${status.hint})` : ''
    const from = { environment: 'the environment', keychain: 'the keychain', memory: 'this process only' }
    return ok(`From ${from[status.source ?? 'memory']}${hint}.`)
  }
  return {
    state: 'warning',
    detail: 'There is none. The demo works without one.',
    remedy: 'Set ANTHROPIC_API_KEY, put it into a .env file, or enter it in the window under Settings > Keys.',
  }
}

async function checkKeychain({ keychain }: DoctorDeps): Promise<Finding> {
  try {
    await new Keychain(keychain).probe()
    return ok('Usable: a value was stored, read and deleted.')
  } catch (error) {
    if (!(error instanceof KeychainFault)) throw error
    return { state: 'warning', detail: error.message, remedy: error.remedy }
  }
}

async function checkPython({ env, run }: DoctorDeps, signal: AbortSignal): Promise<Finding> {
  const python = await inspectPython(env, signal, run)
  if (!python) {
    return {
      state: 'failed',
      detail: 'No Python 3 was found; training needs it.',
      remedy: 'Install it: sudo apt-get install python3 (Debian, Ubuntu), or from https://www.python.org.',
    }
  }
  const sklearn = python.sklearn ? 'with scikit-learn' : 'without scikit-learn (optional)'
  return ok(`${python.version} at ${python.path}, ${sklearn}.`)
}

async function checkSandbox({ env, platform, run, settings }: DoctorDeps, signal: AbortSignal): Promise<Finding> {
  const { kind, version, reason, remedy } = await probeSandbox(env, signal, platform, run)
  const name = kind === 'bubblewrap' ? `bubblewrap ${version}` : 'Seatbelt'
  if (settings.sandbox === 'off') {
    const off = 'It is switched off: commands run with your own rights.'
    if (kind === 'none') return { state: 'warning', detail: `${reason} ${off}`, remedy: `${remedy} ${CAREFUL}`.trim() }
    const how = 'Set "sandbox" to "workspace-write" in the settings and start again.'
    return { state: 'warning', detail: `${name} works here. ${off}`, remedy: `${how} ${CAREFUL}` }
  }
  // Bounded commands are never run without their bounds.
  if (kind === 'none') return { state: 'failed', detail: `${reason} Commands are refused.`, remedy }
  return ok(`${name}: commands run in it (${settings.sandbox}).`)
}
const CAREFUL = 'Use the modes "ask" or "plan" where you do not trust the task.'

async function checkElectron(deps: DoctorDeps): Promise<Finding> {
  const { electron } = deps.versions ?? process.versions
  if (electron) return ok(`Running in Electron ${electron}.`)
  const inBrowser = 'ML Intern runs in the browser instead'
  const dir = deps.electron_dir === undefined ? electronDir() : deps.electron_dir
  if (!dir) {
    return {
      state: 'warning',
      detail: `The package is not installed. ${inBrowser}.`,
      remedy: 'From a checkout: npm ci, then npx install-electron.',
    }
  }
  const override = deps.env.ELECTRON_OVERRIDE_DIST_PATH
  try {
    const name = (await readFile(join(dir, 'path.txt'), 'utf8')).trim()
    const binary = override ? join(override, name) : join(dir, 'dist', name)
    await access(binary, constants.X_OK)
    return ok(binary)
  } catch (error) {
    if (!isNodeError(error)) throw error
    return {
      state: 'warning',
      detail: `Its binary has not been downloaded. ${inBrowser}.`,
      remedy: 'To use the desktop window: npx install-electron (ELECTRON_MIRROR names another server).',
    }
  }
}

function electronDir(): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve('electron/package.json'))
  } catch {
    // Not installed: that is the finding, not a fault.
    return null
  }
}
