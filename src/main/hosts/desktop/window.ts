import { join } from 'node:path'
import { BrowserWindow, dialog, nativeTheme, screen } from 'electron'

/** Density-independent pixels. The smallest size is where the three columns still fit side by side. */
const WISHED = { width: 1360, height: 880 }
const SMALLEST = { width: 760, height: 520 }
/** A page that lived shorter than this after a crash will crash again. */
const CRASH_PAUSE_MS = 10_000
/** Shown before the page paints, so that it does not flash; --bg of styles/tokens.css. */
const BACKGROUND = { light: '#fafaf8', dark: '#141412' }

/** The window, still empty; it shows itself when its page has painted. `preload` is absolute. */
export function createWindow(preload: string): BrowserWindow {
  const { workAreaSize } = screen.getPrimaryDisplay()
  const window = new BrowserWindow({
    title: 'ML Intern',
    width: Math.min(WISHED.width, workAreaSize.width),
    height: Math.min(WISHED.height, workAreaSize.height),
    minWidth: Math.min(SMALLEST.width, workAreaSize.width),
    minHeight: Math.min(SMALLEST.height, workAreaSize.height),
    show: false,
    autoHideMenuBar: true,
    backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      // It would fetch its dictionaries from the network.
      spellcheck: false,
    },
  })
  window.once('ready-to-show', () => window.show())
  reloadAfterCrash(window)
  return window
}

/** The engine lives on without the page, and a new page catches up; a page that dies at once again is not retried. */
function reloadAfterCrash(window: BrowserWindow): void {
  let last = Number.NEGATIVE_INFINITY
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit') return
    const now = performance.now()
    if (now - last > CRASH_PAUSE_MS) window.webContents.reload()
    else dialog.showErrorBox('The window stopped working', 'Close it and start ML Intern again. No work is lost.')
    last = now
  })
}

export function preloadPath(main_dir: string): string {
  return join(main_dir, '../preload/index.cjs')
}
