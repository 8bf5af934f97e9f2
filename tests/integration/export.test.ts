import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serializeEvent } from '@shared/events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../src/main/hosts/headless/run-cli'
import { SessionStore } from '../../src/main/session/store'
import { temporaryFolder } from '../support/engine'
import { startFakeHub } from '../support/fake-hub'
import { sampleLog } from '../support/sample-log'
import { type FakeIoOptions, fakeIo } from '../unit/headless/fakes'

const TOKEN = 'hf_test0123456789'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let store: SessionStore
let id: string

beforeEach(async () => {
  folder = await temporaryFolder()
  store = new SessionStore(join(folder.path, 'home'))
  id = await store.create()
  await writeFile(
    store.logFile(id),
    sampleLog()
      .map((event) => `${serializeEvent({ ...event, session: id })}\n`)
      .join(''),
  )
})
afterEach(() => folder.remove())

async function cli(args: string[], options: Partial<FakeIoOptions> = {}) {
  const io = fakeIo({ cwd: folder.path, ...options })
  const code = await runCli(args, io)
  return { code, out: io.out(), err: io.err(), listening: io.listening() }
}
const file = (name: string): string => join(folder.path, name)

describe('sessions export', () => {
  it('prints Markdown, and every other format when it is asked for', async () => {
    expect(await cli(['sessions', 'export', id.slice(0, 8)])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^# Penguins\n/),
    })
    const get = async (format: string) => (await cli(['sessions', 'export', id, '--format', format, '-o', '-'])).out
    expect(await get('html')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/)
    expect(JSON.parse(await get('json'))).toEqual(await store.fold(id))
    expect(await get('jsonl')).toBe(await readFile(store.logFile(id), 'utf8'))
    for (const line of (await get('trace')).trimEnd().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ sessionId: id })
  })

  it('writes a file for the user alone, and no other trace', async () => {
    expect(await cli(['sessions', 'export', id, '-o', 'out.md'])).toMatchObject({ code: 0, out: '', listening: false })
    expect(await readFile(file('out.md'), 'utf8')).toMatch(/^# Penguins\n/)
    if (process.platform !== 'win32') expect((await stat(file('out.md'))).mode & 0o777).toBe(0o600)
    expect((await readdir(folder.path)).sort()).toEqual(['home', 'out.md'])
  })

  it('replaces a file only with --force, and what a link leads to instead of the link', async () => {
    await writeFile(file('mine.html'), 'mine')
    const args = ['sessions', 'export', id, '--format', 'html', '-o']
    const refused = await cli([...args, 'mine.html'])
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('--force') })
    expect(await readFile(file('mine.html'), 'utf8')).toBe('mine')
    await symlink(file('mine.html'), file('link.html'))
    expect((await cli([...args, 'link.html', '--force'])).code).toBe(0)
    expect(await readFile(file('mine.html'), 'utf8')).toMatch(/^<!doctype html>/)
    expect((await readdir(folder.path)).sort()).toEqual(['home', 'link.html', 'mine.html'])
  })

  it('gives the file its own name in a folder', async () => {
    await mkdir(file('exports'))
    expect((await cli(['sessions', 'export', id, '--format', 'trace', '-o', 'exports'])).code).toBe(0)
    expect(await readdir(file('exports'))).toEqual([`ml-intern-penguins-${id.slice(0, 8)}.trace.jsonl`])
  })

  it('refuses devices and places that are not there, and leaves nothing behind', async () => {
    for (const path of ['/dev/null', 'none/out.md', 'home/sessions/x/y']) {
      expect(await cli(['sessions', 'export', id, '-o', path, '--force'])).toMatchObject({ code: 2 })
    }
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
    expect(await readdir(folder.path)).toEqual(['home'])
    expect(await cli(['sessions', 'export', 'ffff0000'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no session'),
    })
  })

  it('knows the keys of the environment, also those that were not known when the session ran', async () => {
    const text = await cli(['sessions', 'export', id], { env: { MY_API_KEY: 'line 0\nline 1' } })
    expect(text.out).not.toContain('line 0\nline 1')
    expect(text.out).toContain('[REDACTED]')
  })
})

describe('sessions fork', () => {
  it('prints the id of a session that can be gone on with', async () => {
    const { code, out, err } = await cli(['sessions', 'fork', id, '--at', '3'])
    expect(code).toBe(0)
    const fork = out.trim()
    expect(err).toContain(`ml-intern --session ${fork}`)
    expect(await store.fold(fork)).toMatchObject({ id: fork, turns: 1, title: 'Penguins (fork)' })
    expect(await cli(['sessions', 'fork', id, '--at', '9999'])).toMatchObject({ code: 1 })
    expect(await cli(['sessions', 'fork', id, '--at', 'x'])).toMatchObject({ code: 2 })
  })
})

describe('sessions upload', () => {
  it('asks first, says what goes where, and needs --yes where nobody can be asked', async () => {
    const hub = await startFakeHub({ token: TOKEN })
    const env = { HF_TOKEN: TOKEN, HF_ENDPOINT: hub.url }
    try {
      expect(await cli(['sessions', 'upload', id], { env })).toMatchObject({
        code: 2,
        err: expect.stringContaining('--yes'),
      })
      const no = await cli(['sessions', 'upload', id], { env, tty: ['stdin', 'stderr'], stdin: 'n\n' })
      expect(no).toMatchObject({ code: 1, err: expect.stringContaining('Nothing was uploaded') })
      expect(no.err).toContain('{hf_user}/ml-intern-sessions')
      expect(hub.requests).toEqual([])
      const yes = await cli(['sessions', 'upload', id], { env, tty: ['stdin', 'stderr'], stdin: 'y\n' })
      const path = `sessions/2026-11-20/${id}.jsonl`
      expect(yes).toMatchObject({
        code: 0,
        out: `${hub.url}/datasets/ada/ml-intern-sessions/blob/main/${path}\n`,
        listening: false,
      })
      const { out } = await cli(['sessions', 'export', id, '--format', 'trace'])
      expect(hub.repos.get('ada/ml-intern-sessions')?.files.get(path)?.toString()).toBe(out)
      expect((await cli(['sessions', 'upload', id, '--yes'], { env })).code).toBe(0)
    } finally {
      await hub.close()
    }
  })

  it('stops at Ctrl+C', async () => {
    const hub = await startFakeHub({ token: TOKEN })
    try {
      hub.faults.push({ match: 'whoami', status: 503, headers: { 'Retry-After': '60' } })
      const io = fakeIo({ cwd: folder.path, env: { HF_TOKEN: TOKEN, HF_ENDPOINT: hub.url } })
      const run = runCli(['sessions', 'upload', id, '--yes'], io)
      await io.seen('stderr', /status 503/)
      io.signal('SIGINT')
      expect(await run).toBe(130)
      expect(hub.repos.size).toBe(0)
    } finally {
      await hub.close()
    }
  })

  it('says what is missing without a token', async () => {
    expect(await cli(['sessions', 'upload', id, '--yes'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('HF_TOKEN'),
    })
  })
})
