import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test as base, expect, type Page } from '@playwright/test'
import type { SettingsPatch } from '@shared/settings'
import { type FakeAnthropic, type Script, startFakeAnthropic } from '../support/fake-anthropic'

const CLI = resolve(import.meta.dirname, '../../out/main/cli.js')
export const KEY = 'sk-ant-e2e-0123456789abcdef'

export interface App {
  /** Folder the server was started in. */
  cwd: string
  home: string
  /** With a one-time token. */
  url: string
  child: ChildProcess
  stop: () => Promise<void>
}

/** `ml-intern serve`, as a user starts it. */
export async function serve(cwd: string, env: Record<string, string> = {}, port = '0'): Promise<App> {
  const home = join(cwd, 'home')
  const child = spawn(process.execPath, [CLI, 'serve', '--port', port], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, ML_INTERN_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    errors += piece
  })
  const closed = once(child, 'close')
  const url = await new Promise<string>((found, failed) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      const match = /http:\/\/\S+/.exec(text)
      if (match) found(match[0])
    })
    void closed.then(([code]) => failed(new Error(`serve exited with ${code}: ${errors}`)))
  })
  const stop = async () => {
    child.kill('SIGTERM')
    await closed
  }
  return { cwd, home, url, child, stop }
}

interface Fixtures {
  folder: string
  /** Starts a fake model server and the app on it, and opens the page. */
  start: (
    script: Script,
    env?: Record<string, string>,
    settings?: SettingsPatch,
  ) => Promise<{ app: App; server: FakeAnthropic }>
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the dependencies of a fixture from this pattern
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'ml-intern-e2e-'))
    await use(folder)
    await rm(folder, { recursive: true, force: true })
  },
  start: async ({ folder, page }, use) => {
    const apps: App[] = []
    const servers: FakeAnthropic[] = []
    const problems: string[] = []
    watchConsole(page, problems)
    await use(async (script, env = {}, settings = {}) => {
      // Titles ask the model on their own account: a test that wants them scripts them.
      await mkdir(join(folder, 'home'), { recursive: true })
      await writeFile(join(folder, 'home', 'config.json'), JSON.stringify({ auto_titles: false, ...settings }))
      const server = await startFakeAnthropic(script, { apiKey: KEY })
      servers.push(server)
      const app = await serve(folder, { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: server.url, ...env })
      apps.push(app)
      await page.goto(app.url)
      return { app, server }
    })
    for (const app of apps) await app.stop()
    for (const server of servers) await server.close()
    if (problems.length > 0) throw new Error(`The page reported problems:\n${problems.join('\n')}`)
  },
})

/** Any error or refused resource in the page fails the test; a lost connection is part of some tests. */
export function watchConsole(page: Page, problems: string[]): void {
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    const expected = /WebSocket connection to|net::ERR_|401 \(Unauthorized\)/.test(message.text())
    if (message.type() === 'error' && !expected) problems.push(message.text())
  })
}

export const text = (value: string, chunks: number | string[] = 1) => ({
  blocks: [{ type: 'text' as const, text: value, chunks }],
})
export const tool = (name: string, input: Record<string, unknown>) => ({ type: 'tool_use' as const, name, input })

export const task = (page: Page) => page.getByRole('textbox', { name: 'Task' })
export const message = (page: Page) => page.getByRole('textbox', { name: 'Message' })
export const conversation = (page: Page) => page.getByRole('region', { name: 'Conversation', exact: true })
export const terminal = (page: Page) => page.getByRole('region', { name: 'Terminal' })

/** Types a task as soon as the window takes one, and sends it. */
export async function begin(page: Page, prompt: string): Promise<void> {
  await task(page).fill(prompt)
  await expect(page.getByRole('button', { name: 'Start' })).toBeEnabled()
  await page.keyboard.press('Enter')
}

/** Sends a message in the open session. */
export async function send(page: Page, text: string): Promise<void> {
  await message(page).fill(text)
  await message(page).press('Enter')
}

/** The card that asks about one step. */
export const card = (page: Page) => page.getByRole('region', { name: 'Approval needed' })

/** The user's own settings file, as it is on disk now. */
export async function settingsOf(app: App): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(app.home, 'config.json'), 'utf8'))
}

export { expect }
