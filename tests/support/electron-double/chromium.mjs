// The real Chromium behind the double: one process, one context, one page per BrowserWindow.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

/**
 * Chromium opens no scheme that it does not know, so app://ml-intern/ is shown as an address that is just as secure and
 * answers only from the protocol handler; every address the app sees is translated back.
 */
const SHOWN_SUFFIX = '.app.localhost'

/** @param {string} url */
export function toShown(url) {
  const match = /^app:\/\/([^/]+)(.*)$/.exec(url)
  return match ? `https://${match[1]}${SHOWN_SUFFIX}${match[2] || '/'}` : url
}

/** @param {string} url */
export function toApp(url) {
  if (!URL.canParse(url)) return url
  const { protocol, host, pathname, search, hash } = new URL(url)
  if (protocol !== 'https:' || !host.endsWith(SHOWN_SUFFIX)) return url
  return `app://${host.slice(0, -SHOWN_SUFFIX.length)}${pathname}${search}${hash}`
}

/** Starts Chromium; `address` is where a second Playwright (the test's) can attach to the same pages. */
export async function startChromium() {
  const folder = await mkdtemp(join(tmpdir(), 'ml-intern-chromium-'))
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    viewport: null,
    // The sandbox of Chromium refuses to run as root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--remote-debugging-port=0'],
  })
  const [port] = (await readFile(join(folder, 'DevToolsActivePort'), 'utf8')).split('\n')
  return {
    context,
    address: `http://127.0.0.1:${port}`,
    close: async () => {
      await context.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
