import { describe, expect, it } from 'vitest'
import { Access, hostName, isLoopbackHost, isOwnOrigin, isServedHost } from '../../../src/main/hosts/browser/access'

describe('token and cookie', () => {
  it('a token lets in exactly once', () => {
    const access = new Access(4000)
    const token = access.issueToken()
    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    expect(access.redeem(`${token.slice(0, -1)}_`)).toBeNull()
    const cookie = access.redeem(token)
    expect(cookie).toMatch(/^ml-intern-4000=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(access.redeem(token)).toBeNull()
  })

  it('a new token voids the unused one and keeps the cookie', () => {
    const access = new Access(4000)
    const first = access.issueToken()
    const second = access.issueToken()
    expect(access.redeem(first)).toBeNull()
    const cookie = access.redeem(second)?.split(';')[0]
    const third = access.issueToken()
    expect(access.redeem(third)?.split(';')[0]).toBe(cookie)
    expect(access.allows(`other=1; ${cookie}`)).toBe(true)
  })

  it.each([undefined, '', 'ml-intern-4000', 'ml-intern-4000=', 'ml-intern-4000=x', 'ml-intern-4001='])(
    'refuses the cookie header %j',
    (header) => {
      expect(new Access(4000).allows(header)).toBe(false)
    },
  )

  it('refuses the cookie of another server on another port', () => {
    const other = new Access(4001)
    const cookie = other.redeem(other.issueToken())?.split(';')[0] ?? ''
    expect(new Access(4000).allows(cookie)).toBe(false)
    expect(new Access(4000).allows(cookie.replace('4001', '4000'))).toBe(false)
  })
})

describe('names under which the server answers', () => {
  it.each([
    ['127.0.0.1:4000', '127.0.0.1'],
    ['LOCALHOST', 'localhost'],
    ['[::1]:4000', '::1'],
    ['evil.example:80', 'evil.example'],
    ['', null],
    ['a b', null],
    ['127.0.0.1:4000, evil', null],
    ['user@127.0.0.1', null],
    ['127.0.0.1;script-src *', null],
  ])('reads %j as %j', (header, name) => {
    expect(hostName(header)).toBe(name)
  })

  it('on loopback refuses every other name, whoever it points to (DNS rebinding)', () => {
    for (const host of ['127.0.0.1:4000', 'localhost:9', '[::1]:4000']) {
      expect(isServedHost(host, '127.0.0.1', 'box')).toBe(true)
    }
    for (const host of ['evil.example:4000', 'box:4000', '192.168.1.5:4000', '127.0.0.1.evil.example', undefined]) {
      expect(isServedHost(host, '127.0.0.1', 'box')).toBe(false)
    }
  })

  it('open to the network answers to addresses and to its own name only', () => {
    expect(isServedHost('192.168.1.5:4000', '0.0.0.0', 'box')).toBe(true)
    expect(isServedHost('Box:4000', '0.0.0.0', 'box')).toBe(true)
    expect(isServedHost('gpu.lan:4000', 'gpu.lan', 'box')).toBe(true)
    expect(isServedHost('evil.example:4000', '0.0.0.0', 'box')).toBe(false)
  })

  it('knows loopback', () => {
    expect(['127.0.0.1', '127.8.8.8', '::1', 'localhost'].every(isLoopbackHost)).toBe(true)
    expect(['0.0.0.0', '::', '127.0.0.1.evil.example', '10.0.0.1'].some(isLoopbackHost)).toBe(false)
  })

  it('takes only its own origin, port included', () => {
    expect(isOwnOrigin('http://127.0.0.1:4000', '127.0.0.1:4000')).toBe(true)
    for (const origin of [
      undefined,
      'null',
      'http://127.0.0.1:4001',
      'https://127.0.0.1:4000',
      'http://evil.example',
    ]) {
      expect(isOwnOrigin(origin, '127.0.0.1:4000')).toBe(false)
    }
  })
})
