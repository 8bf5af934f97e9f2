import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/main/engine-types'
import type { Session } from '../../src/main/session/types'
import { follow, TEST_KEY, temporaryFolder, testEngine } from '../support/engine'
import { type FakeAnthropic, type Script, startFakeAnthropic } from '../support/fake-anthropic'

let folder: string
let remove: () => Promise<void>
let server: FakeAnthropic
let engine: Engine

beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made.path
  remove = made.remove
  await mkdir(join(folder, 'work'))
  await mkdir(join(folder, 'user', '.ssh'), { recursive: true })
  await writeFile(join(folder, 'user', '.ssh', 'id_rsa'), 'a private matter')
})
afterEach(async () => {
  await engine.close()
  await server.close()
  await remove()
})

const text = (value: string) => ({ blocks: [{ type: 'text' as const, text: value }] })
const bash = (command: string, more: Record<string, unknown> = {}) => ({
  blocks: [{ type: 'tool_use' as const, name: 'bash', input: { command, ...more } }],
})

/** Ask mode with the sandbox on: what asks, asks in vain here unless a test answers. */
async function start(script: Script, sandbox: 'workspace-write' | 'read-only' = 'workspace-write'): Promise<Session> {
  server = await startFakeAnthropic(script, { apiKey: TEST_KEY })
  engine = await testEngine(folder, {
    base_url: server.url,
    env: { PATH: process.env.PATH, HOME: join(folder, 'user') },
    settings: { mode: 'ask', sandbox, checkpoints: false },
  })
  return engine.createSession({ cwd: 'work' })
}
async function run(session: Session): Promise<string[]> {
  await session.submit({ op: 'user_input', text: 'go' })
  await session.idle()
  return session.state.items.flatMap((item) => (item.kind === 'tool' ? [item.output] : []))
}

describe('commands with the sandbox on', () => {
  it('run without a question in Ask mode, write in the workspace and nowhere else, and are told why', async () => {
    // Not in /tmp: there a sandboxed command has a folder of its own.
    const outside = `/var/local/ml-intern-outside-${randomUUID()}`
    const session = await start([
      bash('echo inside > made.txt && cat made.txt'),
      bash(`echo no > ${outside}`),
      bash(`cat ${join(folder, 'user', '.ssh')}/id*`),
      text('Done.'),
    ])
    const f = follow(session)
    const asked = f.next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    // The third names credentials: that asks, sandbox or not.
    const request = (await asked).tools[0]
    expect(request).toMatchObject({ risk: 'secrets' })
    await session.submit({
      op: 'exec_approval',
      approvals: [{ tool_call_id: request?.tool_call_id ?? '', approved: true }],
    })
    await session.idle()
    const outputs = session.state.items.flatMap((item) => (item.kind === 'tool' ? [item.output] : []))
    expect(outputs[0]).toBe('inside')
    expect(await readFile(join(folder, 'work', 'made.txt'), 'utf8')).toBe('inside\n')
    expect(outputs[1]).toMatch(/Read-only file system[\s\S]*sandbox/i)
    await expect(readFile(outside)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(outputs[2]).not.toContain('a private matter')
  })

  it('ask before they run outside of it, and run there when that is approved', async () => {
    const outside = join(folder, 'outside.txt')
    const session = await start([bash(`echo yes > ${outside}`, { unsandboxed: true }), text('Done.')])
    const asked = follow(session).next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    const request = (await asked).tools[0]
    expect(request?.block_reason).toContain('outside of the sandbox')
    await session.submit({
      op: 'exec_approval',
      approvals: [{ tool_call_id: request?.tool_call_id ?? '', approved: true }],
    })
    await session.idle()
    expect(await readFile(outside, 'utf8')).toBe('yes\n')
  })

  it('reach no server of this machine, whatever it listens on', async () => {
    const session = await start((request) =>
      request.index === 0
        ? bash(`python3 -c "import urllib.request as u; u.urlopen('${server.url}/v1/models')"`)
        : text('Done.'),
    )
    const [output] = await run(session)
    expect(output).toContain('Exit code')
    expect(output).not.toContain('"data"')
  })

  it('write nothing at all where the profile is read-only', async () => {
    const session = await start([bash('echo x > made.txt'), text('Done.')], 'read-only')
    const [output] = await run(session)
    expect(output).toContain('Read-only file system')
    await expect(readFile(join(folder, 'work', 'made.txt'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('are stopped whole by an interrupt', async () => {
    const session = await start([bash('echo started; sleep 300 & sleep 300; wait'), text('Done.')])
    const f = follow(session)
    const started = f.next('tool_log', ({ log }) => log.includes('started'))
    await session.submit({ op: 'user_input', text: 'go' })
    await started
    await session.submit({ op: 'interrupt' })
    await session.idle()
    expect(session.state.last_outcome).toBe('interrupted')
    const [tool] = session.state.items.filter((item) => item.kind === 'tool')
    expect(tool).toMatchObject({ output: expect.stringContaining('Interrupted by the user') })
  })
})
