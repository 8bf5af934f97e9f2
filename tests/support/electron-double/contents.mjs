import { EventEmitter } from 'node:events'
import { readFile } from 'node:fs/promises'
import { toApp, toShown } from './chromium.mjs'
import { EMIT, INVOKE, OPEN, PERMISSION, preloadScript } from './page-world.mjs'

/** An event whose default can be prevented, as Electron passes it. */
export function cancellable(fields = {}) {
  const event = {
    ...fields,
    defaultPrevented: false,
    preventDefault: () => {
      event.defaultPrevented = true
    },
  }
  return event
}

let next_id = 1

/** One page. `host` is the rest of the double: a page to take, the handlers, and a record of what happened. */
export class WebContents extends EventEmitter {
  constructor(host, preferences) {
    super()
    this.id = next_id++
    this.host = host
    this.session = host.session
    this.preferences = preferences
    this.openHandler = () => ({ action: 'allow' })
    this.page = null
    this.destroyed = false
    /** Address of a load that the app asked for: no `will-navigate` for it. */
    this.asked_for = null
    /** Pushes leave one after the other. */
    this.sending = Promise.resolve()
  }

  isDestroyed() {
    return this.destroyed
  }

  getURL() {
    return toApp(this.page?.url() ?? '')
  }

  setWindowOpenHandler(handler) {
    this.openHandler = handler
  }

  send(channel, ...args) {
    // Electron throws here for what it cannot clone.
    const message = [channel, structuredClone(args)]
    this.sending = this.sending.then(async () => {
      try {
        await this.page.evaluate(
          ([name, values]) => globalThis[name[0]]?.(name[1], values),
          [[EMIT, channel], message[1]],
        )
      } catch (error) {
        // The page went away or to another address, which loses messages in Electron too.
        this.host.record('lost push', error.message)
      }
    })
  }

  async loadURL(url) {
    this.page ??= await this.openPage()
    const shown = toShown(url)
    this.asked_for = shown
    if (!shown.startsWith('http')) this.startNavigation(url)
    await this.page.goto(shown)
    this.emit('did-finish-load')
  }

  reload() {
    this.asked_for = this.page.url()
    void this.page.reload()
  }

  close() {
    void this.page?.close()
  }

  startNavigation(url) {
    this.emit('did-start-navigation', { url, isSameDocument: false, isMainFrame: true })
  }

  async openPage() {
    const page = await this.host.takePage()
    page.on('close', () => this.leave())
    page.on('crash', () => this.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 1 }))
    page.on('popup', (popup) => {
      // A link with target=_blank; window.open is answered in the page.
      this.askOpen(popup.url())
      void popup.close()
    })
    await page.exposeBinding(INVOKE, ({ frame }, channel, args) =>
      this.host.invoke(this, frameOf(frame), channel, args),
    )
    await page.exposeBinding(OPEN, (_source, url) => this.askOpen(toApp(url)))
    await page.exposeBinding(PERMISSION, ({ frame }, name) =>
      this.host.session.checkPermission(this, name, new URL(toApp(frame.url())).href),
    )
    await page.route('**/*', (route) => this.answer(route))
    if (this.preferences.preload) {
      await page.addInitScript(preloadScript(await readFile(this.preferences.preload, 'utf8')))
    }
    return page
  }

  leave() {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('destroyed')
  }

  askOpen(url) {
    const { action } = this.openHandler({ url, frameName: '', features: '', disposition: 'new-window' })
    this.host.record('window.open', { url, action })
  }

  /** Every request of the page: our scheme from its handler, nothing from the network. */
  async answer(route) {
    const request = route.request()
    const url = toApp(request.url())
    if (request.isNavigationRequest()) {
      const is_main = request.frame() === this.page.mainFrame()
      if (request.url() === this.asked_for) this.asked_for = null
      else {
        const event = cancellable({ url, isMainFrame: is_main })
        if (is_main) this.emit('will-navigate', event, url)
        this.emit('will-frame-navigate', event)
        this.host.record('navigation', { url, allowed: !event.defaultPrevented })
        if (event.defaultPrevented) return route.abort('aborted')
      }
      if (is_main) this.startNavigation(url)
    }
    if (url.startsWith('app:')) {
      const response = await this.host.serve(new Request(url, { method: request.method() }))
      const body = Buffer.from(await response.arrayBuffer())
      return route.fulfill({ status: response.status, headers: Object.fromEntries(response.headers), body })
    }
    this.host.record('network', { url, cancelled: this.host.session.isCancelled(url) })
    return route.abort('blockedbyclient')
  }
}

function frameOf(frame) {
  const parent = frame.parentFrame()
  return { url: toApp(frame.url()), parent: parent === null ? null : frameOf(parent) }
}
