import type { Theme } from '@shared/settings'
import { writeStored } from './storage'

const dark = window.matchMedia('(prefers-color-scheme: dark)')
let chosen: Theme = 'system'

/** Puts a theme on the page. `public/theme.js` does the same before the first paint, from what is stored here. */
export function applyTheme(theme: Theme): void {
  chosen = theme
  writeStored('theme', theme)
  draw()
}

function draw(): void {
  document.documentElement.classList.toggle('dark', chosen === 'dark' || (chosen === 'system' && dark.matches))
}

dark.addEventListener('change', draw)
