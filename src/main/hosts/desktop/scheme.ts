import { protocol } from 'electron'
import { openRendererFiles } from '../renderer-files'
import { HOST, SCHEME } from './origin'

/** No network at all: what the window needs is in the build, and the engine comes over IPC. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'none'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Must run before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    // Standard: relative addresses and an origin. Secure: clipboard and workers. CORS: module scripts are fetched so.
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, corsEnabled: true } },
  ])
}

/** Serves the built window under app://ml-intern/. Throws `resource_missing` when it was not built. */
export async function serveScheme(renderer_dir: string): Promise<void> {
  const files = await openRendererFiles(renderer_dir)
  protocol.handle(SCHEME, async (request) => {
    const url = new URL(request.url)
    if (url.host !== HOST) return refusal(404)
    if (request.method !== 'GET' && request.method !== 'HEAD') return refusal(405)
    const file = await files.read(url.pathname)
    if (file === null) return refusal(404)
    return new Response(request.method === 'HEAD' ? null : new Uint8Array(file.body), {
      headers: {
        'Content-Type': file.type,
        'Content-Length': String(file.body.length),
        // The build on disk is as fast as a cache, and never stale after an update.
        'Cache-Control': 'no-store',
        'Content-Security-Policy': CSP,
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
        'Cross-Origin-Opener-Policy': 'same-origin',
      },
    })
  })
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: { 'Content-Security-Policy': CSP } })
}
