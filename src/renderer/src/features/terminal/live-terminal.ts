import '@xterm/xterm/css/xterm.css'
import './terminal.css'
import type { TerminalInfo } from '@shared/terminals'
import { FitAddon } from '@xterm/addon-fit'
import { SearchAddon } from '@xterm/addon-search'
import { Unicode11Addon } from '@xterm/addon-unicode11'
import { WebLinksAddon } from '@xterm/addon-web-links'
import { type IDisposable, Terminal } from '@xterm/xterm'
import { IS_MAC } from '../../lib/keys'
import { SCROLLBACK_LINES } from './feed'
import { openLink } from './links'
import { FONT } from './open-terminal'
import { onThemeChange, readLiveTheme } from './theme'

export interface LiveEvents {
  /** What was typed or pasted. */
  onInput: (data: string) => void
  onPaste: (text: string) => void
  onSize: (cols: number, rows: number) => void
  /** The address under the pointer; null: none any more. */
  onLink: (address: string | null) => void
  onSelection: (selected: boolean) => void
  onFocus: (focused: boolean) => void
  onSearch: () => void
  /** The keyboard's way out. */
  onLeave: () => void
}

export interface LiveScreen {
  terminal: Terminal
  search: SearchAddon
  /** Fits the terminal to its place now, when it has one. */
  fit: () => void
  copy: () => Promise<void>
  dispose: () => void
}

/** A terminal that fills `host`, can be typed in, and follows its size and the theme. */
export function openLive(
  host: HTMLElement,
  info: Pick<TerminalInfo, 'kind'>,
  label: string,
  events: LiveEvents,
): LiveScreen {
  const terminal = new Terminal({
    theme: readLiveTheme(),
    fontFamily: FONT,
    fontSize: 12,
    lineHeight: 1.2,
    scrollback: SCROLLBACK_LINES,
    cursorBlink: false,
    cursorInactiveStyle: 'outline',
    // Whatever colours a program picks stay readable on our background.
    minimumContrastRatio: 4.5,
    macOptionIsMeta: true,
    // Needed for the widths of Unicode 11 and for the marks of the search.
    allowProposedApi: true,
    linkHandler: {
      activate: (event, address) => activate(event, address),
      hover: (_event, address) => events.onLink(address),
      leave: () => events.onLink(null),
      allowNonHttpProtocols: false,
    },
  })
  const fitting = new FitAddon()
  const search = new SearchAddon()
  terminal.loadAddon(fitting)
  terminal.loadAddon(search)
  terminal.loadAddon(new Unicode11Addon())
  terminal.unicode.activeVersion = '11'
  terminal.loadAddon(
    new WebLinksAddon((event, address) => activate(event, address), {
      hover: (_event, address) => events.onLink(address),
      leave: () => events.onLink(null),
    }),
  )
  silence(terminal, info.kind === 'shell')
  terminal.open(host)
  terminal.textarea?.setAttribute('aria-label', `${label}. ${IS_MAC ? '⌘' : 'Ctrl+'}\` leaves it.`)

  const copy = async (): Promise<void> => {
    if (terminal.hasSelection()) await navigator.clipboard.writeText(terminal.getSelection())
  }
  terminal.attachCustomKeyEventHandler((event) => handleKey(event, events, copy))
  const onPaste = (event: ClipboardEvent): void => {
    // Before the terminal sees it: a paste is looked at first.
    event.preventDefault()
    event.stopPropagation()
    events.onPaste(event.clipboardData?.getData('text/plain') ?? '')
  }
  // They go with the field, which goes with the terminal.
  terminal.textarea?.addEventListener('focus', () => events.onFocus(true))
  terminal.textarea?.addEventListener('blur', () => events.onFocus(false))
  host.addEventListener('paste', onPaste, { capture: true })

  let frame = 0
  const refit = (): void => {
    // A hidden pane has no size to fit to.
    if (host.clientWidth > 0 && host.clientHeight > 0) fitting.fit()
  }
  const resized = new ResizeObserver(() => {
    cancelAnimationFrame(frame)
    frame = requestAnimationFrame(refit)
  })
  resized.observe(host)
  const stopTheme = onThemeChange(() => {
    terminal.options.theme = readLiveTheme()
  })
  terminal.onData(events.onInput)
  terminal.onResize(({ cols, rows }) => events.onSize(cols, rows))
  terminal.onSelectionChange(() => events.onSelection(terminal.hasSelection()))
  refit()
  return {
    terminal,
    search,
    fit: refit,
    copy,
    dispose: () => {
      cancelAnimationFrame(frame)
      resized.disconnect()
      stopTheme()
      host.removeEventListener('paste', onPaste, { capture: true })
      terminal.dispose()
    },
  }
}

/** A plain click is for selecting; what a program prints must not open pages by accident. */
function activate(event: MouseEvent, address: string): void {
  if (IS_MAC ? event.metaKey : event.ctrlKey) openLink(address)
}

/** True: the terminal takes the key. */
function handleKey(event: KeyboardEvent, events: LiveEvents, copy: () => Promise<void>): boolean {
  const mod = IS_MAC ? event.metaKey : event.ctrlKey
  if (!mod || event.altKey) return true
  const key = event.key.toLowerCase()
  const act = key === '`' ? events.onLeave : key === 'f' && !event.shiftKey ? events.onSearch : null
  if (act) {
    if (event.type === 'keydown') {
      event.preventDefault()
      event.stopPropagation()
      act()
    }
    return false
  }
  // Elsewhere than on a Mac the letter alone with Ctrl is a control character: copy and paste have Shift with it.
  if (key === 'v' && (IS_MAC || event.shiftKey)) return false
  if (key === 'c' && !IS_MAC && event.shiftKey) {
    event.preventDefault()
    if (event.type === 'keydown') {
      copy().catch((thrown: unknown) => console.warn('The clipboard refused the text.', thrown))
    }
    return false
  }
  return true
}

/**
 * A terminal answers questions that programs print, as if the answer were typed. Output of the agent's commands is data,
 * so nothing is answered there; a shell gets the two answers that line editors need, which carry no text of others.
 */
function silence(terminal: Terminal, shell: boolean): IDisposable[] {
  const { parser } = terminal
  const drop = (): boolean => true
  const always = [
    parser.registerCsiHandler({ prefix: '>', final: 'c' }, drop),
    parser.registerCsiHandler({ prefix: '=', final: 'c' }, drop),
    parser.registerCsiHandler({ prefix: '>', final: 'q' }, drop),
    parser.registerCsiHandler({ prefix: '?', final: 'n' }, drop),
    parser.registerCsiHandler({ intermediates: '$', final: 'p' }, drop),
    parser.registerCsiHandler({ prefix: '?', intermediates: '$', final: 'p' }, drop),
    parser.registerCsiHandler({ final: 't' }, drop),
    parser.registerDcsHandler({ intermediates: '$', final: 'q' }, drop),
    parser.registerDcsHandler({ intermediates: '+', final: 'q' }, drop),
    // Colours of the terminal, set or asked for; title; clipboard.
    ...[0, 1, 2, 4, 10, 11, 12, 52, 104, 110, 111, 112].map((code) => parser.registerOscHandler(code, drop)),
  ]
  if (shell) return always
  return [...always, parser.registerCsiHandler({ final: 'c' }, drop), parser.registerCsiHandler({ final: 'n' }, drop)]
}
