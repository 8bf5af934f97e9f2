import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { hubEndpoint } from '../../src/main/hub/endpoint'
import { waitOf } from '../../src/main/hub/fetch'
import { type UploadOptions, type UploadPhase, uploadTrace } from '../../src/main/hub/traces'
import { type FakeHub, type FakeHubOptions, type FakeRepo, startFakeHub } from '../support/fake-hub'

const TOKEN = 'hf_test0123456789'
const ID = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff'
const PATH = `sessions/2026-11-20/${ID}.jsonl`
const REPO = 'ada/ml-intern-sessions'

let hub: FakeHub | null = null
afterEach(async () => {
  const running = hub
  hub = null
  await running?.close()
})

async function start(options: Partial<FakeHubOptions> = {}): Promise<FakeHub> {
  hub = await startFakeHub({ token: TOKEN, ...options })
  return hub
}

async function* pieces(...texts: string[]): AsyncGenerator<string> {
  yield* texts
}

const waits: number[] = []
function upload(
  url: string,
  content = pieces('{"a":1}\n', '{"b":"ä"}\n'),
  options: Partial<UploadOptions> = {},
  repo = '{hf_user}/ml-intern-sessions',
) {
  waits.length = 0
  return uploadTrace(
    { content, session_id: ID, created_at: '2026-11-20T23:59:00.000Z', repo },
    {
      env: { HF_TOKEN: TOKEN, HF_ENDPOINT: url },
      random: () => 0,
      sleep: (ms) => Promise.resolve(void waits.push(ms)),
      ...options,
    },
  )
}

const repository = (isPrivate: boolean, files: string[] = []): FakeRepo => ({
  private: isPrivate,
  files: new Map(files.map((path) => [path, Buffer.from('mine')])),
  commits: [],
})

describe('an upload', () => {
  it('makes a private dataset and puts trace and card into it, in one commit', async () => {
    const { url, repos } = await start()
    const phases: UploadPhase[] = []
    const done = await upload(url, undefined, { onProgress: (phase) => phases.push(phase) })
    expect(done).toEqual({ repo: REPO, url: `${url}/datasets/${REPO}/blob/main/${PATH}` })
    const repo = repos.get(REPO)
    expect(repo?.private).toBe(true)
    expect(repo?.commits).toEqual([{ summary: 'Add session 6f9619ff', paths: [PATH, 'README.md'] }])
    expect(repo?.files.get(PATH)?.toString()).toBe('{"a":1}\n{"b":"ä"}\n')
    const card = repo?.files.get('README.md')?.toString() ?? ''
    for (const name of [
      'language:',
      'license: other',
      'hf-agent-trace-viewer',
      'path: sessions/**/*.jsonl',
      'Keep this dataset private',
    ]) {
      expect(card).toContain(name)
    }
    expect(phases).toEqual(['account', 'repository', 'uploading', 'committing'])
  })

  it('replaces the session’s own file and leaves a card alone that is there', async () => {
    const { url, repos } = await start()
    repos.set(REPO, repository(true, ['README.md', PATH]))
    await upload(url)
    expect(repos.get(REPO)?.commits.map(({ paths }) => paths)).toEqual([[PATH]])
    expect(repos.get(REPO)?.files.get('README.md')?.toString()).toBe('mine')
  })

  it.each([
    ['one request', undefined],
    ['parts', 2_000_000],
  ])('sends 5 MB to the storage in %s, without the token', async (_name, part_bytes) => {
    const { url, repos, stored } = await start({ part_bytes })
    const line = `${'x'.repeat(99_999)}\n`
    await upload(url, pieces(...Array.from({ length: 50 }, () => line)))
    expect(repos.get(REPO)?.files.get(PATH)?.length).toBe(5_000_000)
    expect(stored).toHaveLength(part_bytes ? 3 : 1)
  })

  it('takes another dataset from the setting, and asks for no name then', async () => {
    const { url, requests } = await start()
    expect((await upload(url, undefined, {}, 'team/traces')).repo).toBe('team/traces')
    expect(requests.some(({ path }) => path.includes('whoami'))).toBe(false)
  })
})

describe('what must not happen', () => {
  it('nothing goes into a public dataset', async () => {
    const { url, repos, requests } = await start()
    repos.set(REPO, repository(false))
    await expect(upload(url)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('is public, so nothing was uploaded'),
      remedy: expect.stringContaining(`${url}/datasets/${REPO}/settings`),
    })
    expect(requests.some(({ method }) => method === 'POST')).toBe(false)
  })

  it('nothing goes into one that is not known to be private, or that was made public meanwhile', async () => {
    const { url, repos, faults } = await start()
    repos.set(REPO, repository(true))
    faults.push({ match: '/revision/HEAD', status: 200, json: { _id: '1', id: REPO, lastModified: '2026-11-20' } })
    await expect(upload(url)).rejects.toMatchObject({ code: 'config' })
    // Created elsewhere between the question and our attempt.
    repos.set(REPO, repository(false))
    faults.push({ match: '/revision/HEAD', status: 404, json: { error: 'Repository not found' } })
    await expect(upload(url)).rejects.toMatchObject({ code: 'config' })
    expect(repos.get(REPO)?.commits).toEqual([])
  })

  it('neither token nor trace follow a redirect to another host', async () => {
    const seen: { method: string | undefined; authorization: string | undefined }[] = []
    const other = createServer((req, res) => {
      seen.push({ method: req.method, authorization: req.headers.authorization })
      res.writeHead(404).end()
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    try {
      const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}/x`
      const { url, repos, faults } = await start()
      repos.set(REPO, repository(true))
      faults.push({ match: 'HEAD /datasets/', status: 302, headers: { Location: elsewhere } })
      faults.push({ match: '/commit/main', status: 307, headers: { Location: elsewhere } })
      await expect(upload(url)).rejects.toMatchObject({
        code: 'network',
        message: expect.stringContaining('sends this upload on'),
      })
      expect(seen).toEqual([{ method: 'HEAD', authorization: undefined }])
    } finally {
      other.closeAllConnections()
      other.close()
    }
  })

  it('a renamed repository on the same host is followed', async () => {
    const { url, repos, faults } = await start()
    repos.set(REPO, repository(true, ['README.md']))
    const moved = `${url}/api/datasets/${REPO}/preupload/main`
    faults.push({ match: '/preupload/', status: 307, headers: { Location: moved } })
    await upload(url)
    expect(repos.get(REPO)?.commits).toHaveLength(1)
  })
})

describe('failures say what to do', () => {
  const env = (given: Record<string, string>) => () => hubEndpoint(given)

  it('no token, a token of something else, an address that a token must not go to', () => {
    expect(env({})).toThrow(
      expect.objectContaining({ code: 'no_credentials', remedy: expect.stringContaining('HF_TOKEN') }),
    )
    expect(env({ HF_TOKEN: 'sk-ant-1' })).toThrow(expect.objectContaining({ code: 'no_credentials' }))
    for (const HF_ENDPOINT of ['http://hub.example', 'ftp://x', 'https://me:pass@hub.example', 'nonsense']) {
      expect(env({ HF_TOKEN: TOKEN, HF_ENDPOINT })).toThrow(expect.objectContaining({ code: 'config' }))
    }
    expect(hubEndpoint({ HF_TOKEN: TOKEN }).url).toBe('https://huggingface.co')
    expect(hubEndpoint({ HF_TOKEN: TOKEN, HF_ENDPOINT: 'https://hub.example/hf/' }).url).toBe('https://hub.example/hf')
  })

  it('a token that is not accepted, one that may only read, a name that is none', async () => {
    const { url } = await start({ read_only: true })
    await expect(upload(url, undefined, { env: { HF_TOKEN: 'hf_other', HF_ENDPOINT: url } })).rejects.toMatchObject({
      code: 'no_credentials',
    })
    await expect(upload(url)).rejects.toMatchObject({
      code: 'permission',
      remedy: expect.stringContaining('write permission'),
    })
    for (const repo of ['x', '../x', 'a/b/c', '{hf_user}/..', 'datasets/a b']) {
      await expect(upload(url, undefined, {}, repo)).rejects.toMatchObject({ code: 'config' })
    }
  })

  it('no connection, after trying again', async () => {
    const { url, faults } = await start()
    for (let i = 0; i < 4; i++) faults.push({ match: 'whoami', drop: true })
    await expect(upload(url)).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('cannot be reached'),
    })
    expect(waits).toHaveLength(3)
  })

  it('a session in which nothing was said', async () => {
    const { url, repos } = await start()
    await expect(upload(url, pieces())).rejects.toMatchObject({ code: 'invalid_request' })
    expect(repos.get(REPO)?.commits).toEqual([])
  })
})

describe('a busy Hub', () => {
  it('is waited for as long as it says, at every step', async () => {
    const { url, repos, faults } = await start({ lfs_bytes: 5 })
    faults.push({ match: 'whoami', status: 429, headers: { RateLimit: '"api";r=0;t=12' } })
    faults.push({ match: '/repos/create', status: 503, headers: { 'Retry-After': '3' } })
    faults.push({ match: '/preupload/', status: 500 })
    faults.push({ match: '/objects/batch', drop: true })
    faults.push({ match: '/commit/main', status: 502 })
    await upload(url)
    expect(waits).toEqual([12_000, 3_000, 0, 0, 0])
    expect(repos.get(REPO)?.commits).toHaveLength(1)
  })

  it('is not waited for longer than two minutes', async () => {
    const { url, faults } = await start()
    faults.push({ match: 'whoami', status: 429, headers: { RateLimit: '"api";r=0;t=290' } })
    await expect(upload(url)).rejects.toMatchObject({
      code: 'hub',
      message: expect.stringContaining('limits requests'),
    })
    expect(waits).toEqual([])
  })

  it('does not keep the user who stops: no request follows', async () => {
    const { url, faults, requests } = await start()
    const stop = new AbortController()
    faults.push({ match: 'whoami', status: 503 })
    const sleep = (_ms: number, signal?: AbortSignal): Promise<void> => {
      stop.abort(new Error('stopped by the user'))
      signal?.throwIfAborted()
      return Promise.resolve()
    }
    await expect(upload(url, undefined, { signal: stop.signal, sleep })).rejects.toThrow('stopped by the user')
    expect(requests).toHaveLength(1)
    const before = requests.length
    await expect(upload(url, undefined, { signal: AbortSignal.abort(new Error('at once')) })).rejects.toThrow('at once')
    expect(requests).toHaveLength(before)
  })

  it('says its waits in three ways', () => {
    const at = Date.parse('2026-11-20T00:00:00Z')
    const of = (headers: Record<string, string>) => waitOf(new Headers(headers), at)
    expect(of({ 'Retry-After': '1.5' })).toBe(1500)
    expect(of({ 'Retry-After': 'Fri, 20 Nov 2026 00:00:07 GMT' })).toBe(7000)
    expect(of({ RateLimit: '"resolvers";r=0;t=30' })).toBe(30_000)
    expect(of({ RateLimit: '"api";r=17;t=30' })).toBeNull()
    expect(of({})).toBeNull()
  })
})
