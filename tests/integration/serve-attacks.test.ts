import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type BrowserHost, startBrowserHost } from '../../src/main/hosts/browser/serve'
import { FakeEngine, get, logIn, open, refusedWith, targetOf } from '../support/browser-host'

let folder: string
let fake: FakeEngine
let host: BrowserHost
let cookie: string
const sockets: Socket[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ml-intern-attack-'))
  await mkdir(join(folder, 'renderer/assets'), { recursive: true })
  await writeFile(join(folder, 'renderer/index.html'), '<!doctype html><title>window</title>')
  await writeFile(join(folder, 'renderer/assets/big-AbCd1234.js'), '/'.repeat(8_000_000))
  await writeFile(join(folder, 'secret.txt'), 'secret')
  await symlink(join(folder, 'secret.txt'), join(folder, 'renderer/link.txt'))
  await symlink(folder, join(folder, 'renderer/up'))
  await symlink('loop', join(folder, 'renderer/loop'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await host.close()
})

async function serve(): Promise<void> {
  fake = new FakeEngine()
  host = await startBrowserHost(fake.engine, { host: '127.0.0.1', port: 0, renderer_dir: join(folder, 'renderer') })
  cookie = await logIn(host)
}

/** A connection that is written to by hand. It never closes its own side. */
async function raw(): Promise<Socket> {
  const socket = connect({ port: host.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

/** Everything that comes until the other side ends. */
async function answerTo(text: string): Promise<string> {
  const socket = await raw()
  let answer = ''
  socket.setEncoding('latin1').on('data', (piece: string) => {
    answer += piece
  })
  const ended = Promise.race([once(socket, 'end'), once(socket, 'close')])
  socket.write(text, 'latin1')
  await ended
  return answer
}

const statusOf = (answer: string) => Number(answer.split(' ')[1])
const lines = (...given: string[]) => `${given.join('\r\n')}\r\n\r\n`
const own = () => `Host: 127.0.0.1:${host.port}`

describe('requests that no browser sends', () => {
  it('bad, doubled, missing and smuggled headers never reach the window', async () => {
    await serve()
    const last = ['Connection: close', `Cookie: ${cookie}`]
    const refused: [string, string, number][] = [
      ['no Host', lines('GET / HTTP/1.1', ...last), 400],
      ['no Host in HTTP/1.0', lines('GET / HTTP/1.0', ...last), 403],
      ['two Hosts', lines('GET / HTTP/1.1', 'Host: evil.example', own(), ...last), 403],
      ['a Host with a line folded', lines('GET / HTTP/1.1', `${own()}`, ' evil.example', ...last), 400],
      ['a Host with markup', lines('GET / HTTP/1.1', 'Host: 127.0.0.1;script-src *', ...last), 403],
      ['a Host with an account', lines('GET / HTTP/1.1', `Host: a@127.0.0.1:${host.port}`, ...last), 403],
      ['a Host that only begins so', lines('GET / HTTP/1.1', 'Host: 127.0.0.1.evil.example', ...last), 403],
      ['a Host with a dot behind', lines('GET / HTTP/1.1', `Host: localhost.:${host.port}`, ...last), 403],
      ['a number for an address', lines('GET / HTTP/1.1', `Host: 2130706433:${host.port}`, ...last), 403],
      ['another loopback address', lines('GET / HTTP/1.1', `Host: 127.0.0.2:${host.port}`, ...last), 403],
      ['IPv4 in IPv6', lines('GET / HTTP/1.1', `Host: [::ffff:127.0.0.1]:${host.port}`, ...last), 403],
      ['two lengths', lines('POST / HTTP/1.1', own(), 'Content-Length: 0', 'Content-Length: 5', ...last), 400],
      [
        'length and chunks',
        lines('POST / HTTP/1.1', own(), 'Content-Length: 3', 'Transfer-Encoding: chunked', ...last),
        400,
      ],
      ['a lone line feed', 'GET / HTTP/1.1\nHost: x\n\n', 400],
      ['no HTTP', 'hello\r\n\r\n', 400],
      ['a header of 20 kB', lines('GET / HTTP/1.1', own(), `X: ${'x'.repeat(20_000)}`, ...last), 431],
      ['TRACE', lines('TRACE / HTTP/1.1', own(), ...last), 403],
      ['OPTIONS of another site', lines('OPTIONS / HTTP/1.1', own(), 'Origin: http://evil.example', ...last), 403],
      ['OPTIONS *', lines('OPTIONS * HTTP/1.1', own(), ...last), 403],
    ]
    for (const [name, text, status] of refused) {
      const answer = await answerTo(text)
      expect([name, statusOf(answer)]).toEqual([name, status])
      expect(answer).not.toContain('<title>window')
      expect(answer.toLowerCase()).not.toContain('access-control-')
      expect(answer).not.toMatch(/\nX-Evil|evil\.example/)
    }
    // A tunnel is not offered at all: the connection just ends.
    expect(await answerTo(lines('CONNECT evil.example:443 HTTP/1.1', own()))).not.toContain('200')
    expect((await get(host, '/', { cookie })).status).toBe(200)
  })

  it('nothing of the request comes back in a header or in markup', async () => {
    await serve()
    for (const path of ['/?token=%0d%0aX-Evil:1', '/%0d%0aX-Evil:1', '/?a=<script>', '/<script>alert(1)</script>']) {
      for (const headers of [{}, { cookie }]) {
        const answer = await answerTo(
          lines(
            `GET ${path} HTTP/1.1`,
            own(),
            'Connection: close',
            ...(headers.cookie ? [`Cookie: ${headers.cookie}`] : []),
          ),
        )
        expect(answer).not.toMatch(/\nX-Evil|<script>/i)
      }
    }
  })

  it('answers pipelined requests in order, and a refused one does not open the door for the next', async () => {
    await serve()
    const answer = await answerTo(
      lines('GET / HTTP/1.1', own(), `Cookie: ${cookie}`) +
        lines('GET / HTTP/1.1', own()) +
        lines('GET / HTTP/1.1', 'Host: evil.example', `Cookie: ${cookie}`) +
        lines('GET / HTTP/1.1', own(), `Cookie: ${cookie}`, 'Connection: close'),
    )
    expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(['200', '401', '403', '200'])
  })
})

describe('the cookie and the token', () => {
  it('only the whole value under the whole name counts', async () => {
    await serve()
    const [name, value = ''] = cookie.split('=')
    const wrong = [
      `${name}=`,
      `${name}=${value.slice(1)}`,
      `${name}=${value}x`,
      `${name}=${value.toLowerCase()}`,
      `${name?.toUpperCase()}=${value}`,
      `x${name}=${value}`,
      `${name}="${value}"`,
      `${name}=${encodeURIComponent(`${value}%00`)}`,
      `a=${name}=${value}`,
      value,
    ]
    for (const given of wrong) expect([given, (await get(host, '/', { cookie: given })).status]).toEqual([given, 401])
    expect((await get(host, '/', { cookie: `a=b; ${name}=wrong; ${cookie}; c` })).status).toBe(200)
  })

  it('a token works in one place, one form, once, also when many ask at the same time', async () => {
    await serve()
    const token = new URL(host.renewUrl()).searchParams.get('token') ?? ''
    for (const target of [
      `/index.html?token=${token}`,
      `/bridge?token=${token}`,
      `/?Token=${token}`,
      `/?token=&token=${token}`,
      `/?token=${token}%00`,
      `/?token=${token.slice(0, -1)}`,
      `/?a=b#token=${token}`,
      `//?token=${token}`,
    ]) {
      expect([target, (await get(host, target)).status]).toEqual([target, 401])
    }
    expect((await get(host, `/?token=${token}`, {}, 'POST')).status).toBe(403)
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(host, `/?token=${token}`)))
    expect(answers.filter((answer) => answer.status === 303)).toHaveLength(1)
    expect(answers.filter((answer) => answer.headers['set-cookie'] !== undefined)).toHaveLength(1)
  })
})

describe('the WebSocket', () => {
  it('refuses every origin but the very one of the page', async () => {
    await serve()
    const { port } = host
    for (const origin of [
      'null',
      '',
      'file://',
      'http://127.0.0.1',
      `http://127.0.0.1:${port}/`,
      `http://127.0.0.1:${port}.evil.example`,
      `http://127.0.0.1:${port}0`,
      `https://127.0.0.1:${port}`,
      `ws://127.0.0.1:${port}`,
      `http://localhost:${port}`,
      `http://[::1]:${port}`,
      `http://user@127.0.0.1:${port}`,
      `http://evil.example http://127.0.0.1:${port}`,
      `http://127.0.0.1:${port}, http://evil.example`,
    ]) {
      expect([origin, await refusedWith(host, '/bridge', { cookie, origin })]).toEqual([origin, 403])
    }
    expect(fake.windows.size).toBe(0)
  })

  it('other upgrades and half handshakes are refused', async () => {
    await serve()
    const allowed = [own(), `Origin: http://127.0.0.1:${host.port}`, `Cookie: ${cookie}`, 'Connection: Upgrade']
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
    for (const more of [
      ['Upgrade: h2c'],
      ['Upgrade: websocket'],
      ['Upgrade: websocket', key],
      ['Upgrade: websocket', key, 'Sec-WebSocket-Version: 7'],
      ['Upgrade: websocket', 'Sec-WebSocket-Key: short', 'Sec-WebSocket-Version: 13'],
    ]) {
      expect([more, statusOf(await answerTo(lines('GET /bridge HTTP/1.1', ...allowed, ...more)))]).toEqual([
        more,
        expect.toSatisfy((s: number) => s === 400 || s === 426),
      ])
    }
    const post = lines('POST /bridge HTTP/1.1', ...allowed, 'Upgrade: websocket', key, 'Sec-WebSocket-Version: 13')
    expect(statusOf(await answerTo(post))).toBe(405)
  })

  it('broken and unmasked frames end one window and leave the others alone', async () => {
    await serve()
    const healthy = await open(host, cookie)
    const handshake = lines(
      'GET /bridge HTTP/1.1',
      own(),
      `Origin: http://127.0.0.1:${host.port}`,
      `Cookie: ${cookie}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
    )
    const frames = [
      Buffer.from([0x81, 0x02, 0x7b, 0x7d]),
      Buffer.from([0xf1, 0x80, 0, 0, 0, 0]),
      Buffer.from([0x8f, 0x80, 0, 0, 0, 0]),
      Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0]),
      Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]),
      Buffer.from([0x80, 0x80, 0, 0, 0, 0]),
      Buffer.from([0x88, 0x81, 0, 0, 0, 0, 0x03]),
    ]
    for (const frame of frames) {
      const socket = await raw()
      socket.write(handshake)
      await once(socket, 'data')
      const ended = Promise.race([once(socket, 'end'), once(socket, 'close')])
      socket.resume().write(frame)
      await ended
    }
    const pong = once(healthy, 'pong')
    healthy.ping()
    await pong
    expect(fake.requests).toEqual([])
  })

  it('a flood of requests is answered to the last one, and a flood of large answers to nobody cuts the link', async () => {
    await serve()
    const socket = await open(host, cookie)
    const total = 20_000
    let replies = 0
    const all = new Promise<void>((resolve) => socket.on('message', () => ++replies === total && resolve()))
    for (let id = 0; id < total; id++) socket.send(JSON.stringify({ id, method: 'nonsense', input: {} }))
    await all
    socket.pause()
    const closed = once(socket, 'close')
    for (let id = 0; id < 40; id++) socket.send(JSON.stringify({ id, method: 'large', input: { bytes: 4_000_000 } }))
    await fake.left
    socket.resume()
    expect((await closed)[0]).toBe(1006)
  })
})

describe('files', () => {
  it('no spelling of a path leads out of the folder', async () => {
    await serve()
    for (const path of [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/%252e%252e%252fsecret.txt',
      '/..%c0%afsecret.txt',
      '/..%5csecret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/assets/....//....//secret.txt',
      '/link.txt',
      '/up/secret.txt',
      '/loop',
      '/index.html%00.js',
      '/index.html/..',
      '/%00',
      '/.',
      '/%2f%2fetc/passwd',
      '//127.0.0.1/index.html',
      `/${'a/'.repeat(3_000)}`,
      '/\xff\xfe',
      '/?token=/../secret.txt&x',
    ]) {
      const answer = await answerTo(lines(`GET ${path} HTTP/1.1`, own(), `Cookie: ${cookie}`, 'Connection: close'))
      expect([path, statusOf(answer)]).toEqual([path, expect.toSatisfy((s: number) => [303, 400, 404].includes(s))])
      expect(answer).not.toContain('secret\n')
    }
  })
})

describe('ending', () => {
  it('is not held up by connections that never close their side', async () => {
    await serve()
    const origin = `Origin: http://127.0.0.1:${host.port}`
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
    // One that says nothing, one that stops in mid-header, one that waits for its next request.
    await raw()
    const half = await raw()
    half.write('GET / HTTP/1.1\r\nHost:')
    const idle = await raw()
    idle.write(lines('GET / HTTP/1.1', own()))
    await once(idle, 'data')
    // A refused upgrade: the server has ended, this side has not.
    const refused = await raw()
    refused.write(lines('GET /bridge HTTP/1.1', own(), ...upgrade, key))
    await once(refused, 'data')
    // A window that reads nothing, so that it never answers the closing frame.
    const window = await raw()
    window.write(lines('GET /bridge HTTP/1.1', own(), origin, `Cookie: ${cookie}`, ...upgrade, key))
    await once(window, 'data')
    window.pause()
    // A large file that nobody reads.
    const reader = await raw()
    reader.write(lines('GET /assets/big-AbCd1234.js HTTP/1.1', own(), `Cookie: ${cookie}`))
    await once(reader, 'readable')
    await host.close()
    await expect(get(host, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(fake.closed_windows).toBe(1)
  })

  it('a refused upgrade leaves no connection behind', async () => {
    await serve()
    const socket = await raw()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.resume().write(lines('GET /bridge HTTP/1.1', own(), 'Connection: Upgrade', 'Upgrade: websocket'))
    await once(socket, 'end')
    // Nobody is there any more: what is sent is answered with a reset, which a half-closed connection would not do.
    const knock = () => {
      socket.write('x', (error) => {
        if (!error) setImmediate(knock)
      })
    }
    knock()
    await closed
  })

  it('lets no window in while it ends', async () => {
    await serve()
    const socket = await open(host, cookie)
    socket.pause()
    const late = await raw()
    late.write('GET /bridge HTTP/1.1\r\n')
    const ending = host.close()
    late.write(
      lines(
        own(),
        `Origin: http://127.0.0.1:${host.port}`,
        `Cookie: ${cookie}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ),
    )
    const [answer] = (await once(late, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 503/)
    await ending
    expect(fake.closed_windows).toBe(1)
  })
})

it('targets of the address are never repeated in a redirect', async () => {
  await serve()
  const answer = await get(host, `${targetOf(host.renewUrl())}&next=//evil.example`)
  expect(answer).toMatchObject({ status: 303, headers: { location: '/' } })
})
