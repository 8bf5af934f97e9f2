/** The window's own scheme: no file access, no network, and an origin that nothing else has. */
export const SCHEME = 'app'
export const HOST = 'ml-intern'
export const WINDOW_URL = `${SCHEME}://${HOST}/`

/** Tells our page from anything else. `dev_url` is the development server's address; null in a build. */
export interface OwnOrigin {
  readonly window_url: string
  owns(url: string): boolean
}

export function ownOrigin(dev_url: string | null): OwnOrigin {
  const window_url = dev_url ?? WINDOW_URL
  const own = new URL(window_url)
  return {
    window_url,
    owns: (url) => {
      if (!URL.canParse(url)) return false
      // Not `origin`: it is the text "null" for every scheme that the URL standard does not know.
      const { protocol, host } = new URL(url)
      return protocol === own.protocol && host === own.host
    },
  }
}
