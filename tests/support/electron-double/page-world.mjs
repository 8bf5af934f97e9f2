// Runs in the page before its own scripts: the modules that a sandboxed preload can require, then the preload.
// It is sent to the page as text, so it may use nothing from outside itself.

/** Names of the functions that the double adds to the page. */
export const INVOKE = '__electronInvoke'
export const EMIT = '__electronEmit'
export const OPEN = '__electronOpen'
export const PERMISSION = '__electronPermission'

/** @param {string} preload source of the built preload */
export function preloadScript(preload) {
  const names = JSON.stringify({ INVOKE, EMIT, OPEN, PERMISSION })
  return `(${inPage.toString()})(${names}, function (require, module, exports) {\n${preload}\n})`
}

function inPage(names, preload) {
  // As in Electron without nodeIntegrationInSubFrames: frames get nothing.
  if (window.top !== window) return
  const call = (name) => window[name]
  const invoke = call(names.INVOKE)
  const opened = call(names.OPEN)
  const permitted = call(names.PERMISSION)

  const listeners = new Map()
  const of = (channel) => {
    if (!listeners.has(channel)) listeners.set(channel, new Set())
    return listeners.get(channel)
  }
  const ipcRenderer = {
    invoke: (channel, ...args) => invoke(channel, args),
    on: (channel, listener) => {
      of(channel).add(listener)
      return ipcRenderer
    },
    removeListener: (channel, listener) => {
      of(channel).delete(listener)
      return ipcRenderer
    },
  }
  Object.defineProperty(window, names.EMIT, {
    value: (channel, args) => {
      for (const listener of [...of(channel)]) listener({ sender: ipcRenderer }, ...args)
    },
  })

  /** What comes out of the bridge is a frozen copy. */
  const copy = (value) => {
    if (typeof value === 'function') return (...args) => copy(value(...args))
    if (typeof value !== 'object' || value === null || value instanceof Promise) return value
    if (Array.isArray(value)) return Object.freeze(value.map(copy))
    return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copy(entry)])))
  }
  const contextBridge = {
    exposeInMainWorld: (key, api) => {
      if (Object.hasOwn(window, key)) throw new Error(`Cannot bind an API on top of an existing property ${key}`)
      Object.defineProperty(window, key, { value: copy(api), enumerable: true })
    },
  }

  window.open = (url = '') => {
    opened(new URL(url, location.href).href)
    return null
  }
  const query = async ({ name }) => ({ name, state: (await permitted(name)) ? 'granted' : 'denied' })
  Object.defineProperty(navigator.permissions, 'query', { value: query })

  const module = { exports: {} }
  const require = (name) => {
    if (name === 'electron') return { contextBridge, ipcRenderer }
    throw new Error(`module not found: ${name}`)
  }
  preload(require, module, module.exports)
}
