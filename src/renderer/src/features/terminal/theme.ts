import type { ITheme } from '@xterm/xterm'

/** The terminal's colours from the tokens of the page as it is now. */
export function readTheme(): ITheme {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  const ink = token('ink')
  const selection = mix(token('accent'), 0.28)
  return {
    background: token('bg'),
    foreground: ink,
    cursor: token('bg'),
    selectionBackground: selection,
    selectionInactiveBackground: selection,
    scrollbarSliderBackground: token('line-strong'),
    scrollbarSliderHoverBackground: token('ink-3'),
    scrollbarSliderActiveBackground: token('ink-3'),
    black: token('ink-3'),
    red: token('bad'),
    green: token('ok'),
    yellow: token('warn'),
    blue: token('info'),
    magenta: token('accent'),
    cyan: token('info'),
    white: token('ink-2'),
    brightBlack: token('ink-3'),
    brightRed: token('bad'),
    brightGreen: token('ok'),
    // The prompt (feed.ts).
    brightYellow: token('accent'),
    brightBlue: token('info'),
    brightMagenta: token('accent'),
    brightCyan: token('info'),
    brightWhite: ink,
  }
}

/** A `#rrggbb` colour with an opacity, as `#rrggbbaa`: the terminal knows no colour functions. */
function mix(colour: string, opacity: number): string {
  return `${colour}${Math.round(opacity * 255)
    .toString(16)
    .padStart(2, '0')}`
}

/** Calls back when the page changes between light and dark. */
export function onThemeChange(changed: () => void): () => void {
  const observer = new MutationObserver(changed)
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['class'] })
  return () => observer.disconnect()
}

/** The same for a terminal that is typed in: it has a cursor. */
export function readLiveTheme(): ITheme {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return { ...readTheme(), cursor: token('ink'), cursorAccent: token('bg') }
}

/** Colours of what the search found: the terminal takes them as `#rrggbb` only. */
export function readSearchColours(): { match: string; active: string; border: string } {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return { match: token('line-strong'), active: token('accent-soft'), border: token('accent') }
}
