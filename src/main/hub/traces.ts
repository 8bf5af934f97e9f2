import { UserError } from '../errors'
import { TRACE_CARD } from './card'
import { hubEndpoint } from './endpoint'
import { hubFailure } from './failures'
import { type HubFetchOptions, hubFetch } from './fetch'

export type UploadPhase = 'account' | 'repository' | 'uploading' | 'committing' | 'waiting'

export interface TraceUpload {
  /** Pieces of the file, in order; already redacted. */
  content: AsyncIterable<string>
  session_id: string
  /** ISO 8601: the day decides the folder, so that a later upload of the session replaces this one. */
  created_at: string
  /** `owner/name`, where `{hf_user}` is the name of the account. */
  repo: string
}

export interface UploadOptions extends Omit<HubFetchOptions, 'onRetry'> {
  env: NodeJS.ProcessEnv
  onProgress?: (phase: UploadPhase, message: string) => void
}

export interface UploadedTrace {
  /** Address of the file, for a browser. */
  url: string
  /** `owner/name`. */
  repo: string
}

/** In UTF-8 bytes; a trace is held in memory until it is there. */
const MAX_BYTES = 256 * 1024 * 1024
const USER = '{hf_user}'
const REPO = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/

/**
 * Puts a trace into a private dataset of the user, which is made when it is not there. A public one is refused. Throws
 * UserError: `no_credentials`, `permission`, `config` (the repository), `network`, `hub`, `too_large`; and the signal's reason.
 */
export async function uploadTrace(trace: TraceUpload, options: UploadOptions): Promise<UploadedTrace> {
  const { signal, onProgress = () => {} } = options
  signal?.throwIfAborted()
  const endpoint = hubEndpoint(options.env)
  checkName(trace.repo.replaceAll(USER, 'me'), trace.repo)
  const hub = await import('@huggingface/hub')
  const request = hubFetch(endpoint, { ...options, onRetry: ({ reason }) => onProgress('waiting', reason) })
  const access = { accessToken: endpoint.token, hubUrl: endpoint.url, fetch: request }
  try {
    onProgress('account', 'Asking who the token belongs to')
    const name = trace.repo.includes(USER) ? trace.repo.replaceAll(USER, (await hub.whoAmI(access)).name) : trace.repo
    checkName(name, trace.repo)
    onProgress('repository', `Looking for the private dataset ${name}`)
    const fresh = await ensurePrivate(hub, name, access)
    const repo = { type: 'dataset', name } as const
    const path = tracePath(trace)
    const operations = [{ operation: 'addOrUpdate' as const, path, content: await collect(trace.content, signal) }]
    if (fresh || !(await hub.fileExists({ ...access, repo, path: 'README.md' }))) {
      operations.push({ operation: 'addOrUpdate', path: 'README.md', content: new Blob([TRACE_CARD]) })
    }
    const steps = hub.commitIter({
      ...access,
      repo,
      operations,
      title: `Add session ${trace.session_id.slice(0, 8)}`,
      // Its other way of sending large files has its own connections, which this fetch cannot watch.
      useXet: false,
      abortSignal: signal,
    })
    for await (const step of steps) {
      signal?.throwIfAborted()
      if (step.event !== 'phase') continue
      if (step.phase === 'committing') onProgress('committing', `Adding ${path}`)
      else if (step.phase === 'preuploading') onProgress('uploading', 'Uploading the trace')
    }
    return { url: `${endpoint.url}/datasets/${name}/blob/main/${path}`, repo: name }
  } catch (error) {
    signal?.throwIfAborted()
    throw hubFailure(error, endpoint, trace.repo)
  }
}

type Hub = typeof import('@huggingface/hub')
interface Access {
  accessToken: string
  hubUrl: string
  fetch: typeof fetch
}

/** True when it was made just now. Throws `config` when it is not certain to be private. */
async function ensurePrivate(hub: Hub, name: string, access: Access): Promise<boolean> {
  let state = await privacy(hub, name, access)
  let created = false
  if (state === null) {
    try {
      await hub.createRepo({ ...access, repo: { type: 'dataset', name }, visibility: 'private' })
      created = true
    } catch (error) {
      // Made by somebody else meanwhile, or by an attempt whose answer was lost.
      if (!(error instanceof hub.HubApiError) || error.statusCode !== 409) throw error
    }
    // An organisation may have its own idea of what new repositories are.
    state = await privacy(hub, name, access)
  }
  if (state === 'private') return created
  throw new UserError(
    'config',
    `The dataset ${name} is ${state === null ? 'not visible to this token' : 'public'}, so nothing was uploaded: a trace holds your whole conversation.`,
    `Make it private at ${access.hubUrl}/datasets/${name}/settings, or choose another one in the setting trace_repo.`,
  )
}

/** Null: it does not exist, or may not be seen with this token. */
async function privacy(hub: Hub, name: string, access: Access): Promise<'private' | 'public' | null> {
  try {
    const info = await hub.datasetInfo({ ...access, name })
    // Anything but a clear yes is a no.
    return info.private === true ? 'private' : 'public'
  } catch (error) {
    if (error instanceof hub.HubApiError && error.statusCode === 404) return null
    throw error
  }
}

/** `sessions/2026-11-20/<id>.jsonl`, in UTC. */
function tracePath({ created_at, session_id }: TraceUpload): string {
  const day = /^\d{4}-\d{2}-\d{2}(?=T)/.exec(created_at)?.[0] ?? 'undated'
  return `sessions/${day}/${session_id}.jsonl`
}

async function collect(content: AsyncIterable<string>, signal?: AbortSignal): Promise<Blob> {
  const pieces: Buffer<ArrayBuffer>[] = []
  let bytes = 0
  for await (const piece of content) {
    signal?.throwIfAborted()
    const encoded = Buffer.from(piece, 'utf8')
    bytes += encoded.length
    if (bytes > MAX_BYTES) {
      const message = `The trace is larger than ${MAX_BYTES / 1024 / 1024} MB and was not uploaded.`
      throw new UserError(
        'too_large',
        message,
        'Export it to a file instead: ml-intern sessions export ID --format trace.',
      )
    }
    pieces.push(encoded)
  }
  if (bytes === 0) {
    throw new UserError('invalid_request', 'Nothing was said in this session yet, so there is nothing to upload.')
  }
  return new Blob(pieces, { type: 'application/x-ndjson' })
}

function checkName(name: string, setting: string): void {
  if (REPO.test(name) && !name.includes('..') && !name.includes('--') && !/\.git$/i.test(name)) return
  throw new UserError(
    'config',
    `“${setting}” in the setting trace_repo names no dataset.`,
    'It looks like {hf_user}/ml-intern-sessions: an account or organisation, a slash, and a name.',
  )
}
