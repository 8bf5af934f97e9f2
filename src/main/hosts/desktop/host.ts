import { join, resolve } from 'node:path'
import { app, type BrowserWindow, dialog, session } from 'electron'
import type { Engine } from '../../engine-types'
import { messageOf, UserError } from '../../errors'
import { desktopArguments } from './arguments'
import { serveIpc } from './ipc'
import { installMenu } from './menu'
import { ownOrigin } from './origin'
import { registerScheme, serveScheme } from './scheme'
import { lockDownContents, lockDownSession } from './security'
import { createWindow, preloadPath } from './window'

/** Writing the logs and ending process groups takes well under a second; longer means that it hangs. */
const CLOSE_LIMIT_MS = 10_000

export interface DesktopOptions {
  /** Folder of the built main files, absolute; preload and renderer lie beside it. */
  main_dir: string
  boot(options: {
    cwd: string
    host: 'desktop'
    flags: Record<string, unknown>
    configFile?: string
    env: NodeJS.ProcessEnv
  }): Promise<Engine>
}

/** The whole life of the desktop app. Everything before the first `await` has to run before Electron is ready. */
export async function runDesktopHost({ main_dir, boot }: DesktopOptions): Promise<void> {
  app.enableSandbox()
  registerScheme()
  keepDataTogether(process.env)
  // A second start shows the window of the first one.
  if (!app.requestSingleInstanceLock()) {
    app.quit()
    return
  }

  const dev_url = app.isPackaged ? null : (process.env.ELECTRON_RENDERER_URL ?? null)
  const origin = ownOrigin(dev_url)
  lockDownContents(origin)

  const given = desktopArguments(process.argv.slice(app.isPackaged ? 1 : 2), process.cwd())
  const booting = boot({
    cwd: given.cwd ?? startFolder(),
    host: 'desktop',
    flags: given.flags,
    configFile: given.config ?? undefined,
    env: process.env,
  })
  // Its failure is reported below, where it is awaited; until then it must not count as unhandled.
  booting.catch(() => undefined)
  closeEngineBeforeQuit(booting)

  try {
    await app.whenReady()
    installMenu()
    lockDownSession(session.defaultSession, origin, dev_url !== null)
    if (dev_url === null) await serveScheme(join(main_dir, '../renderer'))
    serveIpc(await booting, origin)
    await keepOneWindow(origin.window_url, preloadPath(main_dir))
  } catch (error) {
    const remedy = error instanceof UserError ? error.remedy : ''
    const text = [messageOf(error), remedy].filter(Boolean).join('\n\n')
    console.error(text)
    dialog.showErrorBox('ML Intern cannot start', text)
    app.exit(1)
  }
}

/** With a data folder of its own, this copy is independent of others: their single-instance locks must not meet. */
function keepDataTogether(env: NodeJS.ProcessEnv): void {
  if (env.ML_INTERN_HOME) app.setPath('userData', join(resolve(env.ML_INTERN_HOME), 'window'))
}

/** Started from a menu, the current folder is the root of the disk or the app's own: the home folder is meant. */
function startFolder(): string {
  return app.isPackaged ? app.getPath('home') : process.cwd()
}

/** Opens the window now and whenever it is asked for again. */
async function keepOneWindow(window_url: string, preload: string): Promise<void> {
  let window: BrowserWindow | null = null

  const show = async () => {
    if (window !== null) {
      if (window.isMinimized()) window.restore()
      window.show()
      window.focus()
      return
    }
    const created = createWindow(preload)
    window = created
    created.once('closed', () => {
      window = null
    })
    try {
      await created.loadURL(window_url)
    } catch (error) {
      // Closed before it had loaded: that is the user's right, and no failure.
      if (!created.isDestroyed()) throw error
    }
  }
  const showAgain = () => {
    show().catch((error: unknown) => dialog.showErrorBox('The window could not be opened', messageOf(error)))
  }
  app.on('second-instance', showAgain)
  app.on('activate', showAgain)
  app.on('window-all-closed', () => {
    // On macOS an app without windows stays in the dock.
    if (process.platform !== 'darwin') app.quit()
  })
  await show()
}

/** Every way to quit goes through `before-quit`: it is held up until the engine has written and released everything. */
function closeEngineBeforeQuit(booting: Promise<Engine>): void {
  let state: 'open' | 'closing' | 'closed' = 'open'

  const close = async () => {
    const limit = setTimeout(() => {
      console.error('ML Intern did not finish in time and was ended. The last reply may be cut short.')
      app.exit(1)
    }, CLOSE_LIMIT_MS)
    try {
      await (await booting).close()
    } catch (error) {
      console.error(messageOf(error))
    }
    clearTimeout(limit)
    state = 'closed'
    app.quit()
  }

  app.on('before-quit', (event) => {
    if (state === 'closed') return
    event.preventDefault()
    if (state === 'closing') return
    state = 'closing'
    void close()
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit())
}
