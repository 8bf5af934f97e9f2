import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const KEY = 'sk-ant-test-0123456789-é-abcd'
const UNLOCKED = 'printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1'
const LOCKED = 'gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1'

let work: string
let driver: string
let env: NodeJS.ProcessEnv

/** Runs the steps with a session bus of their own, after a shell command that prepares the keyring on it. */
async function onBus(prepare: string, ...steps: string[]): Promise<unknown[]> {
  const shell = `${prepare}; exec "$@"`
  return drive('dbus-run-session', '--', 'sh', '-c', shell, 'sh', process.execPath, driver, ...steps)
}

async function drive(command: string, ...args: string[]): Promise<unknown[]> {
  const { stdout } = await run(command, args, { env, cwd: work, timeout: 15_000 })
  return stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'ml-intern-keychain-'))
  // Below node_modules, so that the native module is found.
  const cache = join(root, 'node_modules/.cache')
  await mkdir(cache, { recursive: true })
  driver = join(await mkdtemp(join(cache, 'keychain-test-')), 'driver.mjs')
  const bundle = await rolldown({
    input: join(root, 'tests/support/keychain-driver.ts'),
    platform: 'node',
    external: ['keytar'],
    resolve: { alias: { '@shared': join(root, 'src/shared') } },
  })
  await bundle.write({ file: driver, format: 'esm', codeSplitting: false })
  await bundle.close()
  const home = join(work, 'home')
  const runtime = join(work, 'runtime')
  await mkdir(join(home, '.local/share/keyrings'), { recursive: true })
  await mkdir(runtime, { mode: 0o700 })
  // Nothing of the user's own session: neither its bus nor its keyring.
  env = { PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: runtime, LANG: 'C.UTF-8' }
})
afterAll(async () => {
  await rm(resolve(driver, '..'), { recursive: true, force: true })
  await rm(work, { recursive: true, force: true })
})

describe('the real Secret Service', () => {
  test('keeps a key over two logins, and removes it', async () => {
    const [stored] = await onBus(UNLOCKED, `set=${KEY}`)
    expect(stored).toMatchObject({ present: true, source: 'keychain', hint: 'abcd', note: '' })
    const [found, status, removed, gone] = await onBus(UNLOCKED, 'get', 'status', 'remove', 'get')
    expect(found).toBe(KEY)
    expect(status).toMatchObject({ present: true, source: 'keychain', hint: 'abcd' })
    expect(removed).toMatchObject({ present: false, source: null, note: '' })
    expect(gone).toBeNull()
  })

  test('a locked keyring is noticed when storing: the key is kept in memory and the reason is given', async () => {
    await onBus(UNLOCKED, `set=${KEY}`)
    const [before, stored, after] = await onBus(LOCKED, 'get', `set=${KEY}`, 'get')
    expect(before).toBeNull()
    expect(stored).toMatchObject({ present: true, source: 'memory' })
    expect(JSON.stringify(stored)).toMatch(/locked|did not answer/)
    expect(after).toBe(KEY)
  })

  test('a bus without a keyring service is named', async () => {
    const config = join(work, 'bus.conf')
    await writeFile(
      config,
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
         "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
       <busconfig><type>session</type><listen>unix:tmpdir=${work}</listen><policy context="default">
       <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
    )
    const [status] = await drive(
      'dbus-run-session',
      `--config-file=${config}`,
      '--',
      process.execPath,
      driver,
      'status',
    )
    expect(status).toMatchObject({ present: false, source: null })
    expect(JSON.stringify(status)).toContain('No keyring service is running')
  })

  test('no session bus at all is named, and the key is kept in memory', async () => {
    const [status, stored] = await drive(process.execPath, driver, 'status', `set=${KEY}`)
    expect(JSON.stringify(status)).toContain('no D-Bus session')
    expect(stored).toMatchObject({ present: true, source: 'memory' })
  })
})
