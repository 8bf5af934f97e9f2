import { app, type Session, type WebContents } from 'electron'
import type { OwnOrigin } from './origin'

/** Schemes that reach the network or the disk. The window has no business with any of them. */
const OUTSIDE = ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*', 'ftp://*/*', 'file://*/*']

/**
 * The only permission the window has: putting text on the clipboard when the user presses a copy button. Reading the
 * clipboard is another permission, and stays denied.
 */
const GRANTED = 'clipboard-sanitized-write'

/** Applies to every web contents that will ever exist in this process, ours or not. */
export function lockDownContents(origin: OwnOrigin): void {
  app.on('web-contents-created', (_event, contents) => lockDown(contents, origin))
}

function lockDown(contents: WebContents, origin: OwnOrigin): void {
  const stay = (event: { url: string; preventDefault(): void }) => {
    // The page's own reload is a navigation to itself.
    if (event.url !== origin.window_url) event.preventDefault()
  }
  contents.on('will-navigate', stay)
  contents.on('will-frame-navigate', stay)
  contents.on('will-redirect', (event) => event.preventDefault())
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
}

/** Denies what pages can ask a browser for. `allow_network` is for the development server only. */
export function lockDownSession(session: Session, origin: OwnOrigin, allow_network: boolean): void {
  session.setPermissionRequestHandler((_contents, permission, callback, details) => {
    callback(permission === GRANTED && details.isMainFrame && origin.owns(details.requestingUrl))
  })
  session.setPermissionCheckHandler((_contents, permission, requesting_origin) => {
    return permission === GRANTED && origin.owns(requesting_origin)
  })
  session.setDevicePermissionHandler(() => false)
  if (allow_network) return
  // The CSP says the same to the page; this holds for whatever is not bound by a CSP.
  session.webRequest.onBeforeRequest({ urls: OUTSIDE }, (_details, callback) => callback({ cancel: true }))
}
