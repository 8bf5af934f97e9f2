import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { _electron, type Browser, chromium, type Page } from 'playwright-core'
import { findElectron } from '../../scripts/lib/electron.mjs'

const ROOT = resolve(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'out/main/index.js')
const DOUBLE = join(ROOT, 'tests/support/electron-double/register.mjs')

/** The `electron` module as the function in the main process gets it; `happened` only on the double. */
export type Main = typeof import('electron') & { happened?: { kind: string; details: unknown }[] }

/** The running app, the same to a test on Electron and on the double. */
export interface DesktopApp {
  readonly kind: 'Electron' | 'the test double'
  /** The page of the first window. */
  readonly page: Page
  /** Everything the app wrote to stderr. */
  stderr(): string
  /** Runs in the main process; the function may use nothing from outside itself. */
  evaluate<R>(run: (electron: Main) => R | Promise<R>): Promise<R>
  evaluate<R, A>(run: (electron: Main, arg: A) => R | Promise<R>, arg: A): Promise<R>
  /** Ends the app as a user would; the exit code. */
  quit(): Promise<number | null>
}

export interface LaunchOptions {
  home: string
  cwd: string
}

export async function launchDesktop(options: LaunchOptions): Promise<DesktopApp> {
  const program = await findElectron()
  const has_display = process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
  return program !== null && has_display ? launchElectron(program, options) : launchDouble(options)
}

/** A key of the developer must not reach a test. */
function environment({ home }: LaunchOptions): Record<string, string> {
  const inherited = [
    'PATH',
    'HOME',
    'DISPLAY',
    'WAYLAND_DISPLAY',
    'XDG_RUNTIME_DIR',
    'CHROMIUM',
    'TMPDIR',
    'SYSTEMROOT',
  ]
  const kept = inherited.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  })
  return { ...Object.fromEntries(kept), ML_INTERN_HOME: home }
}

async function launchElectron(program: string, options: LaunchOptions): Promise<DesktopApp> {
  const root_flags = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const app = await _electron.launch({
    executablePath: program,
    args: [...root_flags, ROOT],
    cwd: options.cwd,
    env: environment(options),
  })
  const child = app.process()
  return {
    kind: 'Electron',
    page: await app.firstWindow(),
    stderr: textOf(child),
    evaluate: <R, A>(run: (electron: Main, arg: A) => R | Promise<R>, arg?: A) =>
      app.evaluate(run as (electron: Main, arg: unknown) => R, arg),
    quit: async () => {
      const exited = once(child, 'exit')
      await app.evaluate(({ app: main }) => main.quit())
      return (await exited)[0] as number | null
    },
  }
}

type Answer =
  | { type: 'ready'; address: string }
  | { type: 'result'; id: number; value: unknown }
  | { type: 'failure'; id: number; message: string }

async function launchDouble(options: LaunchOptions): Promise<DesktopApp> {
  const child = spawn(process.execPath, ['--import', DOUBLE, MAIN], {
    cwd: options.cwd,
    env: environment(options),
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  const stderr = textOf(child)
  const exited = once(child, 'exit')
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let next_id = 1

  const address = await new Promise<string>((resolve, reject) => {
    child.on('message', (answer: Answer) => {
      if (answer.type === 'ready') return resolve(answer.address)
      const entry = waiting.get(answer.id)
      waiting.delete(answer.id)
      if (answer.type === 'result') entry?.resolve(answer.value)
      else entry?.reject(new Error(answer.message))
    })
    child.once('exit', (code) => reject(new Error(`The app ended with code ${code}:\n${stderr()}`)))
  })
  const browser = await chromium.connectOverCDP(address)

  return {
    kind: 'the test double',
    page: await firstPage(browser),
    stderr,
    evaluate: <R, A>(run: (electron: Main, arg: A) => R | Promise<R>, arg?: A) =>
      new Promise<R>((resolve, reject) => {
        const id = next_id++
        waiting.set(id, { resolve: (value) => resolve(value as R), reject })
        child.send({ id, source: run.toString(), arg })
      }),
    quit: async () => {
      // Detached first: Chromium is about to go away under this connection.
      await browser.close()
      child.send({ id: 0, source: '({ app }) => app.quit()' })
      return (await exited)[0] as number | null
    },
  }
}

/** The window's page, once the app has sent it to its own address. */
async function firstPage(browser: Browser): Promise<Page> {
  const [context] = browser.contexts()
  if (context === undefined) throw new Error('Chromium has no context.')
  const page = context.pages()[0] ?? (await context.waitForEvent('page'))
  await page.waitForURL((url) => url.protocol === 'https:')
  return page
}

function textOf(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  return () => text
}
