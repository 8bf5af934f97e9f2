import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A strict stand-in on loopback for the Hub: account, datasets, commits, and a storage on an origin of its own, as large
 * files go there. It knows the calls that @huggingface/hub makes; another path, field or missing header is a violation,
 * and `close()` then throws.
 */
type Json = Record<string, unknown>

export interface HubRequest {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface FakeRepo {
  private: boolean
  files: Map<string, Buffer>
  commits: { summary: string; paths: string[] }[]
}

export interface HubFault {
  /** Of the next request whose `METHOD path` contains this. */
  match: string
  status?: number
  headers?: Record<string, string>
  json?: Json
  /** Ends the connection without an answer. */
  drop?: boolean
}

export interface FakeHub {
  url: string
  storage_url: string
  requests: HubRequest[]
  stored: HubRequest[]
  repos: Map<string, FakeRepo>
  /** Answered once each, in order. */
  faults: HubFault[]
  violations: string[]
  /** Throws when a violation was seen. */
  close(): Promise<void>
}

export interface FakeHubOptions {
  token: string
  /** Name of the account. */
  user?: string
  /** The token may only read. */
  read_only?: boolean
  /** From this size on a file goes to the storage. */
  lfs_bytes?: number
  /** Size of a part there; absent: one request. */
  part_bytes?: number
}

const REPO = '([\\w.-]+/[\\w.-]+)'

export async function startFakeHub(options: FakeHubOptions): Promise<FakeHub> {
  const { token, user = 'ada', lfs_bytes = 1_000_000 } = options
  const repos = new Map<string, FakeRepo>()
  const requests: HubRequest[] = []
  const stored: HubRequest[] = []
  const faults: HubFault[] = []
  const violations: string[] = []
  const objects = new Map<string, Buffer[]>()
  const problem = (text: string): void => void violations.push(text)

  const fields = (what: string, value: unknown, required: string[], optional: string[] = []): Json => {
    if (typeof value !== 'object' || value === null) {
      problem(`${what} is no object`)
      return {}
    }
    for (const name of required) if (!(name in value)) problem(`${what} lacks ${name}`)
    for (const name of Object.keys(value)) {
      if (![...required, ...optional].includes(name)) problem(`${what} has the unknown field ${name}`)
    }
    return value as Json
  }
  const content = (r: HubRequest, type: string): void => {
    if (r.headers['content-type'] !== type) problem(`${r.path}: content type ${r.headers['content-type']}`)
  }

  const routes: [RegExp, (r: HubRequest, repo: string, res: ServerResponse) => void][] = [
    [
      /^GET \/api\/whoami-v2$/,
      (_r, _repo, res) => reply(res, 200, { type: 'user', name: user, auth: { type: 'access_token' } }),
    ],
    [
      new RegExp(`^GET /api/datasets/${REPO}/revision/HEAD$`),
      (_r, name, res) => {
        const repo = repos.get(name)
        if (!repo) return reply(res, 404, { error: 'Repository not found' }, { 'X-Error-Code': 'RepoNotFound' })
        reply(res, 200, {
          _id: '1',
          id: name,
          private: repo.private,
          downloads: 0,
          likes: 0,
          gated: false,
          lastModified: '2026-11-20T00:00:00.000Z',
        })
      },
    ],
    [
      /^POST \/api\/repos\/create$/,
      (r, _repo, res) => {
        content(r, 'application/json')
        const body = fields('create', parse(r.body), ['name', 'visibility', 'organization', 'type'])
        if (body.type !== 'dataset' || body.visibility !== 'private') problem(`created as ${JSON.stringify(body)}`)
        if (options.read_only) return reply(res, 403, { error: "You don't have the rights to create a dataset" })
        const name = `${body.organization}/${body.name}`
        if (repos.has(name)) return reply(res, 409, { error: 'You already created this dataset repo' })
        repos.set(name, { private: true, files: new Map(), commits: [] })
        reply(res, 200, { url: `${hub.url}/datasets/${name}`, id: name })
      },
    ],
    [
      new RegExp(`^HEAD /datasets/${REPO}/raw/main/README\\.md$`),
      (_r, name, res) => {
        res.writeHead(repos.get(name)?.files.has('README.md') ? 200 : 404).end()
      },
    ],
    [
      new RegExp(`^POST /api/datasets/${REPO}/preupload/main$`),
      (r, name, res) => {
        content(r, 'application/json')
        if (options.read_only) return reply(res, 403, { error: 'Authorization error.' })
        if (!repos.has(name)) return reply(res, 404, { error: 'Repository not found' })
        const { files } = fields('preupload', parse(r.body), ['files'])
        const answer = (Array.isArray(files) ? files : []).map((file: unknown) => {
          const { path, size, sample } = fields('preupload file', file, ['path', 'size', 'sample'])
          if (Buffer.from(String(sample), 'base64').length !== Math.min(512, Number(size))) problem('wrong sample')
          return { path, uploadMode: Number(size) >= lfs_bytes ? 'lfs' : 'regular' }
        })
        reply(res, 200, { files: answer })
      },
    ],
    [
      new RegExp(`^POST /datasets/${REPO}\\.git/info/lfs/objects/batch$`),
      (r, _repo, res) => {
        content(r, 'application/vnd.git-lfs+json')
        const body = fields('batch', parse(r.body), ['operation', 'transfers', 'hash_algo', 'ref', 'objects'])
        if (JSON.stringify(body.transfers) !== '["basic","multipart"]') problem(`transfers ${body.transfers}`)
        const list = (Array.isArray(body.objects) ? body.objects : []).map((object: unknown) => {
          const { oid, size } = fields('object', object, ['oid', 'size'])
          const at = `${hub.storage_url}/${oid}`
          const { part_bytes } = options
          if (part_bytes === undefined) return { oid, size, actions: { upload: { href: at } } }
          const parts = Math.ceil(Number(size) / part_bytes)
          const header: Json = { chunk_size: String(part_bytes) }
          for (let part = 1; part <= parts; part++) header[String(part).padStart(5, '0')] = `${at}?part=${part}`
          return { oid, size, actions: { upload: { href: `${hub.url}/complete/${oid}`, header } } }
        })
        reply(res, 200, { transfer: options.part_bytes ? 'multipart' : 'basic', objects: list })
      },
    ],
    [
      /^POST \/complete\/(\w+)$/,
      (r, oid, res) => {
        const body = fields('complete', parse(r.body), ['oid', 'parts'])
        if (body.oid !== oid) problem('another object was completed')
        for (const part of body.parts as unknown[]) fields('part', part, ['partNumber', 'etag'])
        reply(res, 200, { success: true })
      },
    ],
    [
      new RegExp(`^POST /api/datasets/${REPO}/commit/main$`),
      (r, name, res) => {
        content(r, 'application/x-ndjson')
        const repo = repos.get(name)
        if (!repo) return reply(res, 404, { error: 'Repository not found' })
        const [header, ...operations] = r.body
          .toString('utf8')
          .split('\n')
          .map((line) => fields('line', parse(Buffer.from(line)), ['key', 'value']))
        const { summary } = fields('header', header?.value, ['summary'])
        if (header?.key !== 'header' || operations.length === 0) problem('a commit of nothing')
        const paths: string[] = []
        for (const { key, value } of operations) {
          if (key === 'file') {
            const file = fields('file', value, ['content', 'path', 'encoding'])
            repo.files.set(String(file.path), Buffer.from(String(file.content), 'base64'))
            paths.push(String(file.path))
          } else if (key === 'lfsFile') {
            const file = fields('lfsFile', value, ['path', 'algo', 'size', 'oid'])
            const bytes = Buffer.concat(objects.get(String(file.oid)) ?? [])
            const digest = createHash('sha256').update(bytes).digest('hex')
            if (bytes.length !== file.size || digest !== file.oid) problem(`the storage does not hold ${file.path}`)
            repo.files.set(String(file.path), bytes)
            paths.push(String(file.path))
          } else problem(`commit operation ${String(key)}`)
        }
        repo.commits.push({ summary: String(summary), paths })
        reply(res, 200, {
          commitOid: 'a'.repeat(40),
          commitUrl: `${hub.url}/datasets/${name}/commit/a`,
          hookOutput: '',
        })
      },
    ],
  ]

  const main = await listen(async (req, res) => {
    const request = await read(req)
    requests.push(request)
    const path = request.path.split('?')[0] ?? ''
    const line = `${request.method} ${path}`
    const at = faults.findIndex(({ match }) => line.includes(match))
    const fault = at < 0 ? undefined : faults.splice(at, 1)[0]
    if (fault?.drop) return void req.socket.destroy()
    if (fault) return reply(res, fault.status ?? 500, fault.json ?? { error: 'a fault' }, fault.headers)
    const route = routes.find(([pattern]) => pattern.test(line))
    if (!route) {
      problem(`unknown call: ${line}`)
      return reply(res, 404, { error: 'Not found' })
    }
    // The completion of a large file proves itself by its address.
    const open = path.startsWith('/complete/')
    if (open && request.headers.authorization) problem('the completion was sent a token')
    if (!open && request.headers.authorization !== `Bearer ${token}`)
      return reply(res, 401, { error: 'Invalid credentials in Authorization header' })
    route[1](request, route[0].exec(line)?.[1] ?? '', res)
  })
  const storage = await listen(async (req, res) => {
    const request = await read(req)
    stored.push(request)
    if (request.headers.authorization ?? request.headers.cookie) problem('the storage was sent a token')
    if (request.method !== 'PUT') problem(`storage: ${request.method}`)
    const [, oid = '', part = '1'] = /^\/(\w+)(?:\?part=(\d+))?$/.exec(request.path) ?? []
    const parts = objects.get(oid) ?? []
    parts[Number(part) - 1] = request.body
    objects.set(oid, parts)
    res.writeHead(200, { ETag: `"${part}"` }).end()
  })
  const hub: FakeHub = {
    url: main.url,
    storage_url: storage.url,
    requests,
    stored,
    repos,
    faults,
    violations,
    close: async () => {
      await Promise.all([main.close(), storage.close()])
      if (violations.length > 0) throw new Error(`fake Hub: ${violations.join('; ')}`)
    },
  }
  return hub
}

async function listen(handle: (req: IncomingMessage, res: ServerResponse) => Promise<void>) {
  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => res.destroy(error instanceof Error ? error : undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function read(req: IncomingMessage): Promise<HubRequest> {
  const pieces: Buffer[] = []
  for await (const piece of req) pieces.push(piece as Buffer)
  return { method: req.method ?? '', path: req.url ?? '', headers: req.headers, body: Buffer.concat(pieces) }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    // Not JSON: the caller's check of the fields says so.
    return null
  }
}

function reply(res: ServerResponse, status: number, json: Json, headers: Record<string, string> = {}): void {
  res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(json))
}
