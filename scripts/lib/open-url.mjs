import { spawn } from 'node:child_process'

/**
 * Opens an address in the user's browser. Returns false where there is surely none: without a display, `xdg-open` would
 * start a text browser inside this terminal. Never throws and never waits; the address is printed anyway.
 */
function openUrl(url, platform = process.platform, env = process.env) {
  const [command, ...args] = openerFor(platform, url)
  // Editors that run on another machine set BROWSER to a helper that opens it there.
  if (platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY && !env.BROWSER) return false
  const child = spawn(command, args, { stdio: 'ignore', detached: true })
  // No such program: the line with the address is all there is.
  child.once('error', () => undefined)
  child.unref()
  return true
}

function openerFor(platform, url) {
  if (platform === 'darwin') return ['open', url]
  // `start` would read an & in the address as the end of a command.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url]
  return ['xdg-open', url]
}

/**
 * For the output of a server whose first address is the user's: hands every piece on, and opens that address.
 * `open` false: only hands on.
 */
export function passOnAndOpen(open) {
  let line = open ? '' : null
  return (text) => {
    process.stdout.write(text)
    if (line === null) return
    line += text
    const url = /https?:\/\/\S+\?token=\S+(?=\s)/.exec(line)?.[0]
    if (url === undefined) return
    line = null
    openUrl(url)
  }
}
