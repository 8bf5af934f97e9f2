/**
 * Small things of the window itself (sizes, drafts, theme for the first paint). Losing one is harmless: a browser that
 * forbids storage only forgets them.
 */
export function readStored(key: string): string | null {
  try {
    return localStorage.getItem(`ml-intern.${key}`)
  } catch (thrown) {
    console.debug('localStorage cannot be read', thrown)
    return null
  }
}

export function writeStored(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`ml-intern.${key}`)
    else localStorage.setItem(`ml-intern.${key}`, value)
  } catch (thrown) {
    console.debug('localStorage cannot be written', thrown)
  }
}
