import { readFile, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { isNodeError, UserError } from '../errors'

/** What the build puts into out/renderer; anything else is sent as a download that no browser executes. */
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
}

/** Vite puts eight characters of the content's hash before the extension of everything in assets/. */
const HASHED = /^\/assets\/.+-[\w-]{8}\.[a-z0-9]+$/

export interface RendererFile {
  body: Buffer
  type: string
  cache_control: string
}

export interface RendererFiles {
  /**
   * The file behind the path of a URL (`/` is index.html), or null when there is none. Percent-encoding is undone
   * here; nothing outside the folder is ever read, through `..`, an encoded separator or a symbolic link.
   */
  read(url_path: string): Promise<RendererFile | null>
}

/** Opens the folder of the built window. Throws `resource_missing` when it was not built. */
export async function openRendererFiles(folder: string): Promise<RendererFiles> {
  let root: string
  try {
    root = await realpath(folder)
    await stat(join(root, 'index.html'))
  } catch (error) {
    throw new UserError(
      'resource_missing',
      `The window has not been built: ${join(folder, 'index.html')} is missing.`,
      'Run `npm run build`, then start again.',
      { cause: error },
    )
  }

  return {
    async read(url_path) {
      const relative = safeRelativePath(url_path)
      if (relative === null) return null
      try {
        const file = await realpath(join(root, relative))
        if (!file.startsWith(root + sep)) return null
        if (!(await stat(file)).isFile()) return null
        return {
          body: await readFile(file),
          type: TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream',
          cache_control: cacheControl(relative),
        }
      } catch (error) {
        if (isNodeError(error) && ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(error.code ?? '')) return null
        throw error
      }
    },
  }
}

/** Null for anything that is not a plain path of visible names below the root. */
function safeRelativePath(url_path: string): string | null {
  let path: string
  try {
    path = decodeURIComponent(url_path)
  } catch {
    // A broken percent sequence names no file.
    return null
  }
  if (path === '/') return '/index.html'
  if (!path.startsWith('/') || path.includes('\\') || path.includes('\0')) return null
  const names = path.slice(1).split('/')
  // A name that starts with a dot is `.`, `..` or a hidden file; a colon is a drive or a stream on Windows.
  if (names.some((name) => name === '' || name.startsWith('.') || name.includes(':'))) return null
  return path
}

function cacheControl(path: string): string {
  if (path.endsWith('.html')) return 'no-store'
  return HASHED.test(path) ? 'private, max-age=31536000, immutable' : 'private, no-cache'
}
