import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type BrowserHost, startBrowserHost } from '../../src/main/hosts/browser/serve'
import { collect, FakeEngine, get, logIn, open, refusedWith, targetOf } from '../support/browser-host'

let folder: string
let fake: FakeEngine
const hosts: BrowserHost[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ml-intern-serve-'))
  await mkdir(join(folder, 'renderer/assets'), { recursive: true })
  await writeFile(join(folder, 'renderer/index.html'), '<!doctype html><title>window</title>')
  await writeFile(join(folder, 'renderer/assets/index-AbCd1234.js'), 'export {}')
  await writeFile(join(folder, 'secret.txt'), 'secret')
})
afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()))
})

async function serve(limits?: { max_backlog_bytes?: number; ping_interval_ms?: number }): Promise<BrowserHost> {
  fake = new FakeEngine()
  const host = await startBrowserHost(fake.engine, {
    host: '127.0.0.1',
    port: 0,
    renderer_dir: join(folder, 'renderer'),
    limits,
  })
  hosts.push(host)
  return host
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe('getting in', () => {
  it('exchanges the token once for a cookie, and the token leaves the address', async () => {
    const host = await serve()
    expect(host.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/)
    expect(host.warnings).toEqual([])

    const first = await get(host, targetOf(host.url))
    expect(first.status).toBe(303)
    expect(first.headers.location).toBe('/')
    const cookie = first.headers['set-cookie']?.[0] ?? ''
    expect(cookie).toMatch(new RegExp(`^ml-intern-${host.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`))

    const second = await get(host, targetOf(host.url))
    expect(second.status).toBe(401)
    expect(second.headers['set-cookie']).toBeUndefined()
    expect(second.body).toContain('used already')

    const value = cookie.split(';')[0]
    // Reload, another tab, and the old link in the same browser.
    for (let i = 0; i < 2; i++) expect((await get(host, '/', { cookie: value })).body).toContain('window')
    const again = await get(host, targetOf(host.url), { cookie: value })
    expect(again).toMatchObject({ status: 303, headers: { location: '/' } })
    expect(again.headers['set-cookie']).toBeUndefined()
  })

  it('does not let a HEAD or a prefetch use the token up', async () => {
    const host = await serve()
    expect((await get(host, targetOf(host.url), {}, 'HEAD')).status).toBe(401)
    expect((await get(host, targetOf(host.url), { 'sec-purpose': 'prefetch;prerender' })).status).toBe(401)
    expect((await get(host, targetOf(host.url))).status).toBe(303)
  })

  it('makes a fresh one-time address, which voids the one before it', async () => {
    const host = await serve()
    const cookie = await logIn(host)
    const unused = host.renewUrl()
    const fresh = host.renewUrl()
    expect((await get(host, targetOf(unused))).status).toBe(401)
    expect((await get(host, targetOf(fresh))).status).toBe(303)
    expect((await get(host, '/', { cookie })).status).toBe(200)
  })

  it('gives nothing without the cookie, and says where the address is', async () => {
    const host = await serve()
    for (const path of ['/', '/index.html', '/assets/index-AbCd1234.js', '/bridge', '/nothing', '/?token=wrong']) {
      const answer = await get(host, path)
      expect(answer.status).toBe(401)
      expect(answer.body).not.toContain('<title>window')
    }
    const page = await get(host, '/')
    expect(page.body).toContain('terminal')
    expect(page.body).not.toContain('http-equiv')
    // A link on another site: the browser sends a Strict cookie only from our own page.
    expect((await get(host, '/', { 'sec-fetch-site': 'cross-site' })).body).toContain('http-equiv="refresh"')
  })
})

describe('in a real browser', () => {
  it('lets in through a link on another site, and keeps tabs and reloads in', async () => {
    const host = await serve()
    const other = createHttpServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end(`<a href="${host.url}">open</a>`)
    }).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      chromiumSandbox: process.getuid?.() !== 0,
    })
    try {
      const context = await browser.newContext()
      const page = await context.newPage()
      // Another name is another site, so the Strict cookie is held back on the redirect after the click.
      await page.goto(`http://localhost:${port}/`)
      await page.click('a')
      await page.waitForFunction(() => document.title === 'window')
      expect(page.url()).toBe(`http://127.0.0.1:${host.port}/`)
      await page.reload()
      expect(await page.title()).toBe('window')
      expect(await page.evaluate(() => document.cookie)).toBe('')

      const tab = await context.newPage()
      await tab.goto(`http://127.0.0.1:${host.port}/`)
      const opened = await tab.evaluate(
        () =>
          new Promise<boolean>((resolve) => {
            const socket = new window.WebSocket('/bridge')
            socket.onopen = () => resolve(true)
            socket.onclose = () => resolve(false)
          }),
      )
      expect(opened).toBe(true)

      // The cookie goes along to any port of this machine's name, so the origin is what keeps another local site out.
      const foreign = await context.newPage()
      await foreign.goto(`http://127.0.0.1:${port}/`)
      const refused = await foreign.evaluate(
        (address) =>
          new Promise<boolean>((resolve) => {
            const socket = new window.WebSocket(address)
            socket.onopen = () => resolve(false)
            socket.onclose = () => resolve(true)
          }),
        `ws://127.0.0.1:${host.port}/bridge`,
      )
      expect(refused).toBe(true)
    } finally {
      await browser.close()
      other.close()
    }
  })
})

describe('what is served', () => {
  it('refuses other names and other origins', async () => {
    const host = await serve()
    const cookie = await logIn(host)
    for (const name of ['evil.example', `evil.example:${host.port}`, '192.168.0.1', '127.0.0.1.evil.example']) {
      expect((await get(host, '/', { cookie, host: name })).status).toBe(403)
      // The token must survive it: a rebinding page cannot even burn it.
      expect((await get(host, targetOf(host.renewUrl()), { host: name })).status).toBe(403)
    }
    for (const name of [`localhost:${host.port}`, `[::1]:${host.port}`, 'localhost:9000']) {
      expect((await get(host, '/', { cookie, host: name })).status).toBe(200)
    }
    const own = { cookie, origin: `http://127.0.0.1:${host.port}` }
    const allowed = await get(host, '/', own, 'POST')
    expect(allowed).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
    expect((await get(host, '/', { cookie }, 'POST')).status).toBe(403)
    expect((await get(host, '/', { cookie, origin: 'http://evil.example' }, 'DELETE')).status).toBe(403)
  })

  it('sends the security headers with every answer, refusals included', async () => {
    const host = await serve()
    const cookie = await logIn(host)
    for (const [path, headers] of [
      ['/', { cookie }],
      ['/', {}],
      ['/nothing', { cookie }],
      [targetOf(host.renewUrl()), {}],
      ['/', { host: 'evil.example' }],
    ] as const) {
      const answer = await get(host, path, headers)
      const csp = String(answer.headers['content-security-policy'])
      expect(csp).toContain("default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'")
      expect(csp).toContain("frame-ancestors 'none'")
      expect(csp).not.toMatch(/unsafe-eval|evil/)
      expect(answer.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      })
    }
    const page = await get(host, '/', { cookie })
    expect(String(page.headers['content-security-policy'])).toContain(`connect-src 'self' ws://127.0.0.1:${host.port};`)
    expect(page.headers['cache-control']).toBe('no-store')
    const asset = await get(host, '/assets/index-AbCd1234.js?v=1', { cookie })
    expect(asset.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'private, max-age=31536000, immutable',
    })
    const head = await get(host, '/assets/index-AbCd1234.js', { cookie }, 'HEAD')
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '9' } })
  })

  it('reads nothing outside its folder and lists none', async () => {
    const host = await serve()
    const cookie = await logIn(host)
    const targets = [
      '/../secret.txt',
      '/%2e%2e%2fsecret.txt',
      '//secret.txt',
      '/assets/',
      '/assets',
      '/..%5csecret.txt',
    ]
    for (const path of [...targets, 'http://127.0.0.1/../secret.txt', '*']) {
      const answer = await get(host, path, { cookie })
      expect([path, answer.status]).toEqual([path, 404])
    }
    expect((await get(host, '/bridge', { cookie })).status).toBe(426)
  })
})

describe('the bridge', () => {
  it('connects only our own page with the cookie', async () => {
    const host = await serve()
    const cookie = await logIn(host)
    const origin = `http://127.0.0.1:${host.port}`
    expect(await refusedWith(host, '/bridge', { cookie })).toBe(403)
    expect(await refusedWith(host, '/bridge', { cookie, origin: 'http://evil.example' })).toBe(403)
    expect(await refusedWith(host, '/bridge', { cookie, origin: `http://127.0.0.1:${host.port + 1}` })).toBe(403)
    expect(await refusedWith(host, '/bridge', { cookie, host: 'evil.example', origin: 'http://evil.example' })).toBe(
      403,
    )
    expect(await refusedWith(host, '/bridge', { origin })).toBe(401)
    expect(await refusedWith(host, '/other', { cookie, origin })).toBe(404)
    expect(fake.windows.size).toBe(0)
  })

  it('carries requests, replies and pushes, one JSON text each', async () => {
    const host = await serve()
    const socket = await open(host, await logIn(host))
    const inbox = collect(socket)
    socket.send(JSON.stringify({ id: 7, method: 'sessions.subscribe', input: { id: 's', after: 0 } }))
    await inbox.until(() => inbox.messages.length === 1)
    expect(inbox.messages[0]).toEqual({
      type: 'reply',
      id: 7,
      reply: { ok: true, value: { kind: 'events', events: [] } },
    })
    for (let i = 0; i < 50; i++) fake.emit()
    await inbox.until(() => inbox.messages.length === 51)
    expect(inbox.seqs()).toEqual(range(1, 50))
    socket.send(JSON.stringify({ id: 8, method: 'nonsense', input: {} }))
    await inbox.until(() => inbox.messages.length === 52)
    expect(inbox.messages[51]).toMatchObject({ type: 'reply', id: 8, reply: { ok: false } })
  })

  it('after a lost connection, subscribing after the last number loses and repeats nothing', async () => {
    const host = await serve()
    const cookie = await logIn(host)
    const first = await open(host, cookie)
    const inbox = collect(first)
    first.send(JSON.stringify({ id: 1, method: 'sessions.subscribe', input: { id: 's', after: 0 } }))
    await inbox.until(() => inbox.messages.length === 1)
    for (let i = 0; i < 5; i++) fake.emit()
    await inbox.until(() => inbox.seqs().length === 5)
    first.terminate()
    for (let i = 0; i < 5; i++) fake.emit()

    const second = await open(host, cookie)
    const next = collect(second)
    second.send(JSON.stringify({ id: 1, method: 'sessions.subscribe', input: { id: 's', after: 5 } }))
    await next.until(() => next.messages.length === 1)
    fake.emit()
    await next.until(() => next.seqs().length === 1)
    const replay = next.messages[0]
    const events =
      replay?.type === 'reply' && replay.reply.ok ? (replay.reply.value as { events: { seq: number }[] }) : null
    expect(events?.events.map((event) => event.seq)).toEqual(range(6, 10))
    expect(next.seqs()).toEqual([11])
  })

  it.each([
    ['a binary frame', Buffer.from('{}'), 1003],
    ['text that is not JSON', '{', 1003],
    ['JSON that is no request', '[]', 1008],
    ['a request with more than its fields', JSON.stringify({ id: 1, method: 'x', input: {}, more: 1 }), 1008],
    ['a frame above 1 MB', JSON.stringify({ id: 1, method: 'x', input: 'x'.repeat(1024 * 1024) }), 1009],
  ])('%s ends the connection', async (_name, frame, code) => {
    const host = await serve()
    const socket = await open(host, await logIn(host))
    const closed = once(socket, 'close')
    socket.send(frame)
    expect((await closed)[0]).toBe(code)
    expect(fake.requests).toEqual([])
  })

  it('a window that does not read gets no gap: a prefix, then a close that makes it come back', async () => {
    const host = await serve({ max_backlog_bytes: 200_000 })
    const socket = await open(host, await logIn(host))
    const inbox = collect(socket)
    socket.send(JSON.stringify({ id: 1, method: 'sessions.subscribe', input: { id: 's', after: 0 } }))
    await inbox.until(() => inbox.messages.length === 1)
    socket.pause()
    // More than what the kernel buffers on loopback, so that it piles up in the process.
    const total = 300
    for (let i = 0; i < total; i++) fake.emit(64 * 1024)
    const closed = once(socket, 'close')
    socket.resume()
    expect((await closed)[0]).toBe(1013)
    const seqs = inbox.seqs()
    expect(seqs.length).toBeGreaterThan(0)
    expect(seqs.length).toBeLessThan(total)
    expect(seqs).toEqual(range(1, seqs.length))
    await fake.left
    expect(fake.closed_windows).toBe(1)
  })

  it('a large reply does not count as falling behind', async () => {
    const host = await serve({ max_backlog_bytes: 200_000 })
    const socket = await open(host, await logIn(host))
    const inbox = collect(socket)
    socket.send(JSON.stringify({ id: 1, method: 'sessions.subscribe', input: { id: 's', after: 0 } }))
    socket.send(JSON.stringify({ id: 2, method: 'large', input: { bytes: 12_000_000 } }))
    await inbox.until(() => inbox.messages.length === 1)
    for (let i = 0; i < 10; i++) fake.emit()
    await inbox.until(() => inbox.messages.length === 12)
    expect(inbox.seqs()).toEqual(range(1, 10))
    expect(socket.readyState).toBe(WebSocket.OPEN)
  })

  it('drops a window that no longer answers, and keeps one that does', async () => {
    const host = await serve({ ping_interval_ms: 20 })
    const cookie = await logIn(host)
    const alive = await open(host, cookie)
    const dead = await open(host, cookie, { autoPong: false })
    const pings = new Promise<void>((resolve) => {
      let count = 0
      alive.on('ping', () => ++count === 5 && resolve())
    })
    expect((await once(dead, 'close'))[0]).toBe(1006)
    await pings
    expect(alive.readyState).toBe(WebSocket.OPEN)
  })
})

describe('starting and stopping', () => {
  it('names the taken port and the way out', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const options = { host: '127.0.0.1', port, renderer_dir: join(folder, 'renderer') }
    await expect(startBrowserHost(new FakeEngine().engine, options)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(String(port)),
      remedy: expect.stringContaining('--port'),
    })
    taken.close()
  })

  it('refuses an address that is not this machine, and a missing build', async () => {
    const renderer_dir = join(folder, 'renderer')
    const elsewhere = startBrowserHost(new FakeEngine().engine, { host: '192.0.2.1', port: 0, renderer_dir })
    await expect(elsewhere).rejects.toMatchObject({ code: 'usage' })
    const unbuilt = startBrowserHost(new FakeEngine().engine, { host: '127.0.0.1', port: 0, renderer_dir: folder })
    await expect(unbuilt).rejects.toMatchObject({ code: 'resource_missing' })
  })

  it('warns when other machines can reach it', async () => {
    const host = await startBrowserHost(new FakeEngine().engine, {
      host: '0.0.0.0',
      port: 0,
      renderer_dir: join(folder, 'renderer'),
    })
    hosts.push(host)
    expect(host.warnings).toEqual([expect.stringContaining('not encrypted')])
    expect(host.url).not.toContain('0.0.0.0')
  })

  it('closes its windows, frees the port, and can be closed twice', async () => {
    const host = await serve()
    const socket = await open(host, await logIn(host))
    const closed = once(socket, 'close')
    await Promise.all([host.close(), host.close()])
    expect((await closed)[0]).toBe(1001)
    expect(fake.closed_windows).toBe(1)
    await expect(get(host, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
