// A double of the `electron` module, as far as this app uses it, in front of a real Chromium. It is strict where
// Electron is: what has to happen before or after `ready` throws at the wrong time.
import { EventEmitter } from 'node:events'
import { homedir } from 'node:os'
import { startChromium } from './chromium.mjs'
import { cancellable, WebContents } from './contents.mjs'
import { serveControl } from './control.mjs'

/** What happened, for the tests: kind and details. */
const happened = []
const record = (kind, details) => happened.push({ kind, details })

let ready = false
/** @type {Awaited<ReturnType<typeof startChromium>> | null} */
let chromium = null
const windows = new Set()

function mustBeReady(what) {
  if (!ready) throw new Error(`${what} can only be used after the 'ready' event`)
}

function mustNotBeReady(what) {
  if (ready) throw new Error(`${what} has to be called before the 'ready' event`)
}

class App extends EventEmitter {
  name = 'ml-intern'
  isPackaged = false
  paths = new Map([['home', homedir()]])
  starting = null
  quitting = false

  enableSandbox() {
    mustNotBeReady('app.enableSandbox')
    record('app.enableSandbox', null)
  }

  requestSingleInstanceLock() {
    return true
  }

  whenReady() {
    this.starting ??= (async () => {
      chromium = await startChromium()
      ready = true
      this.emit('ready')
      send({ type: 'ready', address: chromium.address })
    })()
    return this.starting
  }

  getPath(name) {
    const path = this.paths.get(name)
    if (path === undefined) throw new Error(`Failed to get '${name}' path`)
    return path
  }

  setPath(name, path) {
    this.paths.set(name, path)
  }

  quit() {
    const event = cancellable()
    this.emit('before-quit', event)
    if (event.defaultPrevented || this.quitting) return
    this.quitting = true
    this.emit('will-quit', cancellable())
    void this.exit(0)
  }

  async exit(code = 0) {
    // When the start itself failed there is nothing to close, and its error has been reported.
    await this.starting?.catch(() => undefined)
    await chromium?.close()
    process.exit(code)
  }
}

export const app = new App()

class Protocol {
  handlers = new Map()
  schemes = []

  registerSchemesAsPrivileged(schemes) {
    mustNotBeReady('protocol.registerSchemesAsPrivileged')
    this.schemes = schemes
    record('protocol.registerSchemesAsPrivileged', schemes)
  }

  handle(scheme, handler) {
    mustBeReady('protocol.handle')
    if (this.handlers.has(scheme)) throw new Error(`The scheme ${scheme} has a handler already`)
    this.handlers.set(scheme, handler)
  }
}
export const protocol = new Protocol()

async function serve(request) {
  const handler = protocol.handlers.get(new URL(request.url).protocol.slice(0, -1))
  return handler ? handler(request) : new Response(null, { status: 404 })
}
export const net = { fetch: (url) => serve(new Request(url)) }

class Session {
  permission = () => true
  cancels = () => false
  webRequest = {
    onBeforeRequest: ({ urls }, listener) => {
      const schemes = urls.map((pattern) => pattern.slice(0, pattern.indexOf('*')))
      this.cancels = (url) => {
        let cancelled = false
        if (!schemes.some((scheme) => url.startsWith(scheme))) return false
        listener({ url }, (answer) => {
          cancelled = answer.cancel === true
        })
        return cancelled
      }
    },
  }

  isCancelled(url) {
    return this.cancels(url)
  }

  setPermissionRequestHandler(handler) {
    record('permission request handler', typeof handler)
  }

  setPermissionCheckHandler(handler) {
    this.permission = handler
  }

  setDevicePermissionHandler(handler) {
    record('device permission handler', handler({}))
  }

  checkPermission(contents, name, origin) {
    return this.permission(contents, name, origin, { isMainFrame: true, requestingUrl: origin })
  }
}
export const session = { defaultSession: new Session() }

class IpcMain extends EventEmitter {
  /** The same name as inside Electron, so that a test can call a handler with a sender of its own on both. */
  _invokeHandlers = new Map()

  handle(channel, handler) {
    if (this._invokeHandlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
    this._invokeHandlers.set(channel, handler)
  }
}
export const ipcMain = new IpcMain()

async function invoke(sender, senderFrame, channel, args) {
  const handler = ipcMain._invokeHandlers.get(channel)
  if (!handler) throw new Error(`Error invoking remote method '${channel}': No handler registered for '${channel}'`)
  try {
    return structuredClone(await handler({ sender, senderFrame }, ...args))
  } catch (error) {
    throw new Error(`Error invoking remote method '${channel}': ${error}`)
  }
}

/** The first window takes the page that Chromium opened by itself. */
let first_page_taken = false
async function takePage() {
  const [first] = chromium.context.pages()
  if (first_page_taken || !first) return chromium.context.newPage()
  first_page_taken = true
  return first
}

export class BrowserWindow extends EventEmitter {
  visible = false

  constructor(options = {}) {
    super()
    mustBeReady('BrowserWindow')
    this.options = options
    this.visible = options.show !== false
    this.webContents = new WebContents(
      { session: session.defaultSession, record, invoke, serve, takePage },
      options.webPreferences ?? {},
    )
    windows.add(this)
    record('BrowserWindow', options)
    this.webContents.once('destroyed', () => {
      windows.delete(this)
      this.emit('closed')
      if (windows.size === 0 && !app.quitting) app.emit('window-all-closed')
    })
    app.emit('web-contents-created', {}, this.webContents)
  }

  static getAllWindows() {
    return [...windows]
  }

  async loadURL(url) {
    const is_first = this.webContents.page === null
    await this.webContents.loadURL(url)
    if (is_first) this.emit('ready-to-show')
  }

  show() {
    this.visible = true
  }

  focus() {
    record('focus', null)
  }

  restore() {
    record('restore', null)
  }

  isMinimized() {
    return false
  }

  isVisible() {
    return this.visible
  }

  isDestroyed() {
    return this.webContents.isDestroyed()
  }

  close() {
    this.webContents.close()
  }
}

export const Menu = {
  buildFromTemplate: (template) => ({ template }),
  setApplicationMenu: (menu) =>
    record(
      'menu',
      menu.template.map((item) => item.role ?? item.label),
    ),
}

export const dialog = {
  showErrorBox: (title, content) => record('error box', { title, content }),
}

export const nativeTheme = { shouldUseDarkColors: false }
export const screen = { getPrimaryDisplay: () => ({ workAreaSize: { width: 1280, height: 720 } }) }

const electron = { app, BrowserWindow, dialog, ipcMain, Menu, nativeTheme, net, protocol, screen, session }
export default electron

const send = serveControl({ ...electron, happened })
