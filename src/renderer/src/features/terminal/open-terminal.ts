import '@xterm/xterm/css/xterm.css'
import './terminal.css'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import { SCROLLBACK_LINES } from './feed'
import { onThemeChange, readTheme } from './theme'
import { TerminalWriter } from './writer'

export const FONT = '"JetBrains Mono Variable", "JetBrains Mono", ui-monospace, "DejaVu Sans Mono", monospace'
export const HIDE_CURSOR = '\u001b[?25l'

export interface OpenTerminal {
  writer: TerminalWriter
  /** Empties the screen and the scrollback. */
  reset: () => void
  dispose: () => void
}

/** A read-only terminal that fills `host` and follows its size and the theme. */
export function openTerminal(host: HTMLElement): OpenTerminal {
  const terminal = new Terminal({
    theme: readTheme(),
    fontFamily: FONT,
    fontSize: 12,
    lineHeight: 1.2,
    scrollback: SCROLLBACK_LINES,
    // Commands write to pipes: their line ends are bare newlines.
    convertEol: true,
    disableStdin: true,
    cursorBlink: false,
    cursorInactiveStyle: 'none',
    // Whatever colours a command picks stay readable on our background.
    minimumContrastRatio: 4.5,
    // Links in output are text: nothing is opened from a terminal.
    linkHandler: null,
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  terminal.attachCustomKeyEventHandler((event) => handleKey(terminal, event))
  terminal.open(host)
  terminal.write(HIDE_CURSOR)

  let frame = 0
  const refit = (): void => {
    cancelAnimationFrame(frame)
    frame = requestAnimationFrame(() => {
      // A hidden pane has no size to fit to.
      if (host.clientWidth > 0 && host.clientHeight > 0) fit.fit()
    })
  }
  const resized = new ResizeObserver(refit)
  resized.observe(host)
  const stopTheme = onThemeChange(() => {
    terminal.options.theme = readTheme()
  })
  const writer = new TerminalWriter({ write: (text, done) => terminal.write(text, done) }, SCROLLBACK_LINES)
  return {
    writer,
    reset: () => {
      writer.clear()
      terminal.reset()
      terminal.write(HIDE_CURSOR)
    },
    dispose: () => {
      cancelAnimationFrame(frame)
      resized.disconnect()
      stopTheme()
      writer.setPaused(true)
      terminal.dispose()
    },
  }
}

/** The terminal takes no input: keys scroll it, copy from it, or are the window's. */
function handleKey(terminal: Terminal, event: KeyboardEvent): boolean {
  if (event.type !== 'keydown') return false
  const scroll = SCROLLS[event.key]
  if (scroll && !event.ctrlKey && !event.metaKey && !event.altKey) {
    scroll(terminal)
    event.preventDefault()
  }
  return false
}

const SCROLLS: Partial<Record<string, (terminal: Terminal) => void>> = {
  ArrowUp: (terminal) => terminal.scrollLines(-1),
  ArrowDown: (terminal) => terminal.scrollLines(1),
  PageUp: (terminal) => terminal.scrollPages(-1),
  PageDown: (terminal) => terminal.scrollPages(1),
  Home: (terminal) => terminal.scrollToTop(),
  End: (terminal) => terminal.scrollToBottom(),
}

/** The terminal measures its font once, so it has to be there first. A font that cannot be loaded has a stand-in. */
export async function terminalFontLoaded(): Promise<void> {
  try {
    await document.fonts.load(`12px ${FONT}`)
  } catch (thrown) {
    console.debug('the terminal uses the system font', thrown)
  }
}
