import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bridge, BridgeReply } from '@shared/bridge'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureBuilt } from '../../scripts/lib/build.mjs'
import { type DesktopApp, launchDesktop } from './launch'

/** What the preload puts into the page. */
declare const mlIntern: Pick<Bridge, 'request' | 'onPush'>

let home: string
let app: DesktopApp

beforeAll(async () => {
  await ensureBuilt()
  home = await mkdtemp(join(tmpdir(), 'ml-intern-desktop-'))
  app = await launchDesktop({ home, cwd: home })
  console.log(`The desktop specs run on ${app.kind}.`)
}, 120_000)

afterAll(() => rm(home, { recursive: true, force: true }))

describe('the page', () => {
  it('shows the window, from the app scheme', async () => {
    await app.page.waitForLoadState('load')
    expect(await app.page.title()).toContain('ML Intern')
    const url = await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getURL())
    expect(url).toBe('app://ml-intern/')
    // Something was rendered: neither a blank page nor one whose scripts the policy blocked.
    await app.page.locator('#root > *').first().waitFor()
  })

  it('has no Node, no Electron, and only the two calls of the bridge', async () => {
    const found = await app.page.evaluate(() => ({
      leaks: ['require', 'process', 'module', 'Buffer', 'electron', 'ipcRenderer'].filter((name) => name in window),
      bridge: Object.keys(mlIntern).sort(),
      replaced: Reflect.set(window, 'mlIntern', null),
    }))
    expect(found).toEqual({ leaks: [], bridge: ['onPush', 'request'], replaced: false })
  })

  it('is served with a policy that allows no network and no foreign script', async () => {
    const { status, csp } = await app.evaluate(async ({ net }) => {
      const response = await net.fetch('app://ml-intern/')
      return { status: response.status, csp: response.headers.get('content-security-policy') ?? '' }
    })
    expect(status).toBe(200)
    expect(csp).toContain("default-src 'none'; script-src 'self';")
    expect(csp).toContain("connect-src 'none'")
    expect(csp).not.toContain('unsafe-eval')

    const blocked = await app.page.evaluate(async () => {
      const next = () =>
        new Promise<string>((resolve) => {
          const seen = (event: SecurityPolicyViolationEvent) => resolve(event.effectiveDirective)
          document.addEventListener('securitypolicyviolation', seen, { once: true })
        })
      const script = next()
      document.head.append(Object.assign(document.createElement('script'), { textContent: 'window.injected = true' }))
      const directives = [await script]
      const connection = next()
      const failed = await fetch('https://example.com/').then(
        () => false,
        () => true,
      )
      directives.push(await connection)
      return { directives, failed, injected: 'injected' in window }
    })
    expect(blocked).toEqual({ directives: ['script-src-elem', 'connect-src'], failed: true, injected: false })
  })

  it.each([
    'app://ml-intern/../main/index.js',
    'app://ml-intern/%2e%2e/main/index.js',
    'app://ml-intern/nothing.js',
    'app://other/',
  ])('serves nothing for %s', async (url) => {
    expect(await app.evaluate(async ({ net }, address) => (await net.fetch(address)).status, url)).toBe(404)
  })
})

describe('the bridge', () => {
  it('answers', async () => {
    const reply = await app.page.evaluate(() => mlIntern.request('app.info', {}))
    expect(reply).toMatchObject({ ok: true, value: { host: 'desktop', home } })
  })

  it('brings pushes, and none after the listener left', async () => {
    const reply = await app.page.evaluate(async () => {
      const pushed = new Promise<unknown>((resolve) => {
        const stop = mlIntern.onPush((push) => {
          if (push.kind !== 'settings') return
          stop()
          resolve(push.settings.theme)
        })
      })
      await mlIntern.request('settings.update', { theme: 'dark' })
      return pushed
    })
    expect(reply).toBe('dark')
  })

  it('refuses what is no call or no valid input, as a value', async () => {
    const replies = await app.page.evaluate(async () => {
      const request = mlIntern.request as (method: unknown, input: unknown) => Promise<BridgeReply>
      return Promise.all([
        request('files.write', { path: '/tmp/x' }),
        request('__proto__', {}),
        request(7, {}),
        request('sessions.remove', { id: '../../etc' }),
        request('app.info', { more: 1 }),
      ])
    })
    expect(replies.map((reply) => (reply.ok ? 'ok' : reply.error.code))).toEqual(Array(5).fill('invalid_request'))
  })

  it('answers no frame but the main frame of its own page', async () => {
    const codes = await app.evaluate(async ({ ipcMain, BrowserWindow }) => {
      const handlers = (
        ipcMain as unknown as { _invokeHandlers: Map<string, (...args: unknown[]) => Promise<unknown>> }
      )._invokeHandlers
      const handler = handlers.get('ml-intern:request')
      const sender = BrowserWindow.getAllWindows()[0]?.webContents
      const own = { url: 'app://ml-intern/', parent: null }
      const frames = [
        { url: 'https://evil.example/', parent: null },
        { url: 'app://ml-intern.evil.example/', parent: null },
        { url: 'app://other/', parent: null },
        { url: 'file:///etc/passwd', parent: null },
        { url: 'about:blank', parent: null },
        { url: '', parent: null },
        { url: 'app://ml-intern/', parent: own },
        null,
        own,
      ]
      const replies = frames.map((senderFrame) => handler?.({ sender, senderFrame }, 'app.info', {}))
      return (await Promise.all(replies)).map((reply) => {
        const { ok, error } = reply as { ok: boolean; error?: { code: string } }
        return ok ? 'ok' : error?.code
      })
    })
    expect(codes).toEqual([...Array(8).fill('forbidden'), 'ok'])
  })

  it('answers no foreign page, even with the preload in it', async () => {
    const preload = join(import.meta.dirname, '../../out/preload/index.cjs')
    const context = app.page.context()
    const opened = context.waitForEvent('page')
    await app.evaluate(async ({ BrowserWindow }, path) => {
      const window = new BrowserWindow({ show: false, webPreferences: { preload: path } })
      await window.loadURL('data:text/html,<title>foreign</title>')
    }, preload)
    const page = await opened
    await page.waitForURL(/^data:/)
    const reply = await page.evaluate(() => mlIntern.request('app.info', {}))
    expect(reply).toMatchObject({ ok: false, error: { code: 'forbidden' } })
    await page.close()
  })
})

describe('ways out of the window', () => {
  it('denies navigation, new windows and permissions', async () => {
    const before = app.page.url()
    const result = await app.page.evaluate(async () => {
      const link = Object.assign(document.createElement('a'), { href: 'https://example.com/' })
      document.body.append(link)
      link.click()
      link.remove()
      const opened = window.open('https://example.com/')
      const permissions = await Promise.all(
        (['geolocation', 'notifications', 'camera'] as PermissionName[]).map(
          async (name) => (await navigator.permissions.query({ name })).state,
        ),
      )
      return { opened: opened === null, permissions }
    })
    expect(result).toEqual({ opened: true, permissions: ['denied', 'denied', 'denied'] })
    // The bridge still answers, so the page is the same document.
    expect(await app.page.evaluate(() => mlIntern.request('app.info', {}))).toMatchObject({ ok: true })
    expect(app.page.url()).toBe(before)
    expect(app.page.context().pages()).toHaveLength(1)
    expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
  })

  it('reloads itself and goes on, without an error in the console', async () => {
    const errors: string[] = []
    app.page.on('pageerror', (error) => errors.push(error.message))
    app.page.on('console', (message) => {
      // The policy's own complaint about an inlined file quotes the whole file.
      if (message.type() === 'error') errors.push(message.text().replace(/data:\S{80,}/g, 'data:…'))
    })
    await app.page.reload()
    expect(await app.page.evaluate(() => mlIntern.request('app.info', {}))).toMatchObject({ ok: true })
    await app.page.locator('#root > *').first().waitFor()
    await app.page.evaluate(() => document.fonts.ready)
    expect(errors).toEqual([])
  })

  it('a second start shows the first window', async () => {
    const windows = await app.evaluate(({ app: main, BrowserWindow }) => {
      main.emit('second-instance')
      return BrowserWindow.getAllWindows().map((window) => window.isVisible())
    })
    expect(windows).toEqual([true])
  })
})

describe('what the app asked Electron for', () => {
  it('has the sandbox on, the isolation on, and every other door closed', async () => {
    const happened = await app.evaluate((main) => main.happened)
    if (happened === undefined) {
      // Electron keeps no such record; the effects are tested above on both.
      expect(app.kind).toBe('Electron')
      return
    }
    const details = (kind: string) => happened.filter((entry) => entry.kind === kind).map((entry) => entry.details)
    expect(details('app.enableSandbox')).toHaveLength(1)
    expect(details('protocol.registerSchemesAsPrivileged')[0]).toMatchObject([
      { scheme: 'app', privileges: { standard: true, secure: true } },
    ])
    expect(details('BrowserWindow')[0]).toMatchObject({
      webPreferences: {
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInSubFrames: false,
        webSecurity: true,
        webviewTag: false,
      },
    })
    const { width, height } = details('BrowserWindow')[0] as { width: number; height: number }
    expect([width <= 1280, height <= 720]).toEqual([true, true])
    expect(details('device permission handler')).toEqual([false])
    expect(details('navigation')).toContainEqual({ url: 'https://example.com/', allowed: false })
    expect(details('window.open')).toContainEqual({ url: 'https://example.com/', action: 'deny' })
    expect(details('network')).toEqual([])
    expect(details('error box')).toEqual([])
  })
})

it('quits only after the engine has let go of its sessions, with exit code 0 and no error', async () => {
  const created = await app.page.evaluate(
    async (cwd) => mlIntern.request('sessions.create', { cwd, model: 'demo/scripted' }),
    home,
  )
  const folder = join(home, 'sessions', created.ok ? created.value.id : 'none')
  expect(await readdir(folder)).toContain('writer.lock')
  expect(await app.quit()).toBe(0)
  expect(await readdir(folder)).not.toContain('writer.lock')
  expect(app.stderr()).toBe('')
})
