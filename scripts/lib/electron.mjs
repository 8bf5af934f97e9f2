import { spawn } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from './paths.mjs'

const FOLDER = join(ROOT, 'node_modules/electron')
/** Where the package itself downloads from, unless a mirror is set. */
const RELEASES = 'https://github.com/electron/electron/releases/download/'
/** A reachable host answers in well under a second; behind a firewall nothing comes at all. */
const PROBE_LIMIT_MS = 4_000
/** Longest silence of the download, its first byte included. */
const SILENCE_LIMIT_MS = 20_000
/** Progress is written at most this often. */
const PROGRESS_EVERY_MS = 500

/** Why this machine cannot show a desktop window at all, in a few words; null when it can. */
export function desktopObstacle(platform = process.platform, env = process.env, user_id = process.getuid?.()) {
  if (platform !== 'linux') return null
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return 'there is no display'
  if (user_id === 0) return 'Electron does not run as root'
  return null
}

/** Path of the Electron program; null when it was not downloaded yet. */
export async function findElectron(env = process.env) {
  const name = await readText(join(FOLDER, 'path.txt'))
  const folder = env.ELECTRON_OVERRIDE_DIST_PATH || join(FOLDER, 'dist')
  if (name === null && !env.ELECTRON_OVERRIDE_DIST_PATH) return null
  const program = join(folder, name ?? 'electron')
  return (await isFile(program)) ? program : null
}

/**
 * Downloads Electron with the package's own means: its cache, its checksums, its mirror settings. Returns why it
 * could not be had, in a few words, or null when it is there. `signal` ends it at any point.
 */
export async function fetchElectron({ signal, env = process.env, report = writeProgress } = {}) {
  if (!(await isFile(join(FOLDER, 'install.js')))) return 'the electron package is not installed'
  const source = downloadBase(env)
  if (!URL.canParse(source)) return `the download address "${source}" is not valid`
  const { host } = new URL(source)
  const require = createRequire(join(FOLDER, 'install.js'))
  const { downloadArtifact, initializeProxy } = await import(pathToFileURL(require.resolve('@electron/get')).href)
  if (env.ELECTRON_GET_USE_PROXY) initializeProxy()
  if (!(await answers(source, signal))) return `Electron cannot be downloaded: ${host} is not reachable`

  const silence = new AbortController()
  const watch = setTimeout(() => silence.abort(), SILENCE_LIMIT_MS)
  const stop = AbortSignal.any([silence.signal, ...(signal ? [signal] : [])])
  try {
    const { version } = require('./package.json')
    await downloadArtifact({
      version,
      artifactName: 'electron',
      cacheRoot: env.electron_config_cache,
      checksums: require('./checksums.json'),
      platform: env.npm_config_platform || process.platform,
      arch: env.npm_config_arch || process.arch,
      downloadOptions: {
        quiet: true,
        signal: stop,
        getProgressCallback: async (progress) => {
          watch.refresh()
          report(progress)
        },
      },
    })
    report(null)
  } catch (error) {
    report(null)
    if (silence.signal.aborted) return `Electron cannot be downloaded: ${host} sent nothing for 20 s`
    if (signal?.aborted) return 'the download was stopped'
    return `Electron cannot be downloaded: ${error.message}`
  } finally {
    clearTimeout(watch)
  }
  // The archive is in the cache now; the package's installer finds it there and unpacks it.
  const failure = await unpack(signal)
  if (failure !== null) return `Electron could not be unpacked: ${failure}`
  return (await findElectron(env)) === null ? 'Electron could not be unpacked' : null
}

/** The same settings, in the same order, as the package's downloader reads them. */
function downloadBase(env) {
  return (
    env.npm_config_electron_mirror ||
    env.NPM_CONFIG_ELECTRON_MIRROR ||
    env.npm_package_config_electron_mirror ||
    env.ELECTRON_MIRROR ||
    RELEASES
  )
}

/** Whether the host answers anything at all, be it an error page. */
async function answers(url, signal) {
  const limit = AbortSignal.timeout(PROBE_LIMIT_MS)
  try {
    const options = {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.any([limit, ...(signal ? [signal] : [])]),
    }
    await fetch(url, options)
    return true
  } catch {
    // Refused, unknown or silent: each of them means that nothing can be fetched from there.
    return false
  }
}

function unpack(signal) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(FOLDER, 'install.js')], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
      signal,
    })
    let errors = ''
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (text) => {
      errors += text
    })
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code) => resolve(code === 0 ? null : (errors.trim().split('\n')[0] ?? `exit code ${code}`)))
  })
}

let last_report = 0

/** One line on stderr that is written over; null ends it. On no terminal: only its start. */
function writeProgress(progress) {
  if (progress === null) {
    if (last_report > 0 && process.stderr.isTTY) process.stderr.write('\n')
    return
  }
  const now = performance.now()
  const is_first = last_report === 0
  if (!is_first && (!process.stderr.isTTY || now - last_report < PROGRESS_EVERY_MS)) return
  last_report = now
  const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`
  const total = progress.total ? ` of ${megabytes(progress.total)}` : ''
  const text = `Downloading Electron (once): ${megabytes(progress.transferred)}${total}`
  process.stderr.write(process.stderr.isTTY ? `\r${text}` : `${text}\n`)
}

async function readText(file) {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

async function isFile(file) {
  try {
    return (await stat(file)).isFile()
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false
    throw error
  }
}
