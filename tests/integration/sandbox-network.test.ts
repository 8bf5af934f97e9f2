import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { NetworkPolicy, Sandbox } from '../../src/main/workspace/sandbox'
import { BubblewrapSandbox } from '../../src/main/workspace/sandbox/bubblewrap'
import { probeSandbox } from '../../src/main/workspace/sandbox/probe'
import { SandboxProxy } from '../../src/main/workspace/sandbox/proxy'
import { inside, PLAIN_ENV, run } from '../support/sandbox'

/** Names of the tests lead where the tests say: to this machine, to metadata services, or to nowhere. */
const NAMES: Record<string, string[]> = {
  'good.example.com': ['127.0.0.1'],
  'rebind.example.com': ['93.184.216.34', '169.254.169.254'],
  'inner.example.com': ['10.0.0.7'],
  'six.example.com': ['::ffff:127.0.0.1'],
}
const lookup = async (host: string) => {
  const found = NAMES[host]
  if (!found) throw new Error('ENOTFOUND')
  return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
}

let root: string
let workspace: string
let server: Server
let port: number
let sandbox: Sandbox
const hosts: string[] = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sandbox-net-'))
  workspace = join(root, 'ws')
  await mkdir(workspace)
  server = createServer((request, response) => {
    hosts.push(request.headers.host ?? '')
    response.end(`hello ${request.url}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  port = typeof address === 'object' && address ? address.port : 0
  const options = { workspace, data_folder: join(root, 'data'), env: process.env, profile: 'workspace-write' as const }
  const probe = await probeSandbox(process.env, new AbortController().signal)
  if (!probe.bubblewrap) throw new Error(`no bubblewrap here: ${probe.reason}`)
  sandbox = await BubblewrapSandbox.create(options, probe, probe.bubblewrap, lookup)
})

afterAll(async () => {
  await sandbox?.close()
  server?.close()
  await rm(root, { recursive: true, force: true })
})

const local = (): NetworkPolicy => ({ allow: [], allow_private: [`good.example.com:${port}`, `127.0.0.1:${port}`] })
const fetched = (script: string, network: NetworkPolicy = local()) =>
  inside(sandbox, script, { cwd: workspace, network })

describe('from inside the sandbox', () => {
  test('an allowed host answers over HTTP and through a tunnel', async () => {
    const ran = await fetched(
      `curl -sS http://good.example.com:${port}/a && curl -sSp http://good.example.com:${port}/b`,
    )
    expect(ran.output).toContain('hello /a')
    expect(ran.output).toContain('hello /b')
  })

  test('so it does with Python in the place of socat', async () => {
    const probe = await probeSandbox(process.env, new AbortController().signal)
    if (!probe.bubblewrap) throw new Error('no bubblewrap')
    const options = {
      workspace,
      data_folder: join(root, 'data'),
      env: process.env,
      profile: 'workspace-write' as const,
    }
    const other = await BubblewrapSandbox.create(options, probe, { ...probe.bubblewrap, forwarder: 'python3' }, lookup)
    const ran = await inside(other, `curl -sS http://good.example.com:${port}/py`, { cwd: workspace, network: local() })
    await other.close()
    expect(ran.output).toContain('hello /py')
  })

  test('another host is refused, and the model is told which and how to ask', async () => {
    const ran = await fetched('curl -sS https://evil.example.com/')
    expect(ran.exit_code).not.toBe(0)
    expect(ran.denial).toContain('evil.example.com')
    expect(ran.denial).toContain('network: ["evil.example.com"]')
  })

  test('the loopback of the sandbox is its own', async () => {
    const ran = await fetched(`curl -sS --noproxy '*' --max-time 3 http://127.0.0.1:${port}/`)
    expect(ran.output).not.toContain('hello')
  })

  test('a command that waits for all its children ends', async () => {
    const ran = await fetched(
      `/usr/bin/python3 -c 'import os\ntry: os.wait()\nexcept ChildProcessError: print("none")'`,
    )
    expect(ran.output).toContain('none')
  })

  test('a process that is kept lives on, and its way to the network with it', async () => {
    const command = { cwd: workspace, network: local(), background: 'keep' as const, env: PLAIN_ENV }
    const script = `(read _ < go; curl -sS http://good.example.com:${port}/later > got.tmp; mv got.tmp got) >/dev/null 2>&1 & echo out`
    await run('mkfifo', [join(workspace, 'go')], {})
    const wrapped = await sandbox.wrap({ ...command, run: { shell: script }, profile: 'workspace-write' })
    const ran = await run(wrapped.file, wrapped.args, { env: wrapped.env, cwd: wrapped.cwd })
    await wrapped.cleanup(true)
    // Ended by itself, with its output: what lives on does not hold it open.
    expect(ran).toMatchObject({ exit_code: 0, stdout: 'out\n' })
    await run('bash', ['-c', 'echo > go'], { cwd: workspace })
    const got = async () => (await run('cat', [join(workspace, 'got')], {})).stdout
    await expect.poll(got, { timeout: 10_000 }).toContain('hello /later')
    await wrapped.cleanup()
  })
})

test('a command that may leave processes and leaves none ends at once, its exit code with it', async () => {
  const more = { cwd: workspace, background: 'keep' as const }
  for (const network of [local(), 'off' as const]) {
    const ran = await inside(sandbox, 'echo a; echo b >&2; exit 7', { ...more, network })
    expect(ran).toMatchObject({ exit_code: 7, stdout: 'a\n' })
    expect(ran.output.split('\n').sort()).toEqual(['', 'a', 'b'])
  }
})

test('what bubblewrap itself has to say is not lost', async () => {
  const gone = await mkdtemp(join(root, 'gone-'))
  const command = { run: { shell: 'true' }, env: PLAIN_ENV, profile: 'workspace-write', network: 'off' } as const
  const wrapped = await sandbox.wrap({ ...command, cwd: gone, background: 'keep' })
  await rm(gone, { recursive: true })
  const ran = await run(wrapped.file, wrapped.args, { env: wrapped.env, cwd: wrapped.cwd })
  await wrapped.cleanup()
  expect(ran.output).toContain('bwrap:')
})

test('a signal for the whole group reaches the command, which ends in its own way', async () => {
  const shell = 'trap "echo saved; exit 3" TERM; echo ready; while :; do sleep 0.05; done'
  for (const background of ['die', 'keep'] as const) {
    const command = { run: { shell }, env: PLAIN_ENV, profile: 'workspace-write', network: 'off', background } as const
    const wrapped = await sandbox.wrap({ ...command, cwd: workspace })
    const child = spawn(wrapped.file, wrapped.args, {
      env: wrapped.env,
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
      if (String(chunk).includes('ready')) process.kill(-(child.pid ?? 0), 'SIGTERM')
    })
    const [code] = await once(child, 'close')
    await wrapped.cleanup()
    expect(output).toBe('ready\nsaved\n')
    expect(code).toBe(3)
  }
})

describe('the proxy', () => {
  async function talk(
    policy: Exclude<NetworkPolicy, 'off'>,
    request: string,
  ): Promise<{ text: string; proxy: SandboxProxy }> {
    const folder = await mkdtemp(join(root, 'p'))
    const proxy = new SandboxProxy(policy, lookup)
    await proxy.listen(join(folder, 's'))
    const socket = connect(join(folder, 's'))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.write(request)
    await once(socket, 'close')
    await proxy.close()
    return { text, proxy }
  }
  const tunnel = (target: string) => `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`
  const all = { allow: ['*.example.com'] }

  test.each([
    ['a name that leads to this machine', 'good.example.com:443'],
    ['a name with a public and a private address', 'rebind.example.com:443'],
    ['a name in a private network', 'inner.example.com:443'],
    ['an IPv4 address in an IPv6 one', 'six.example.com:443'],
    ['an address', '169.254.169.254:80'],
    ['an IPv6 address', '[::1]:443'],
    ['an address as one number', '2130706433:80'],
    ['an address in hex', '0x7f000001:80'],
    ['localhost', 'localhost:443'],
    ['another port', 'good.example.com:22'],
    ['a name that only ends alike', 'evil-example.com:443'],
    ['the bare domain of a pattern', 'example.com:443'],
  ])('refuses %s', async (_name, target) => {
    const { text, proxy } = await talk(all, tunnel(target))
    expect(text).toMatch(/^HTTP\/1.1 403 /)
    expect(proxy.denials).toHaveLength(1)
  })

  test.each([
    ['two targets in one', 'CONNECT good.example.com:443@evil.test:443 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a NUL in the name', 'CONNECT good.example.com\0.evil.test:443 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a relative address', 'GET / HTTP/1.1\r\nHost: good.example.com\r\nConnection: close\r\n\r\n'],
    ['another protocol', 'GET ftp://good.example.com/ HTTP/1.1\r\nHost: good.example.com\r\nConnection: close\r\n\r\n'],
    [
      'two lengths',
      'POST http://good.example.com/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc',
    ],
  ])('does not understand %s', async (_name, request) => {
    const { text } = await talk({ allow: ['good.example.com'] }, request)
    expect(text).not.toMatch(/^HTTP\/1.1 200 /)
  })

  test('a second request behind a first one is judged by itself', async () => {
    const policy = { allow: [], allow_private: [`127.0.0.1:${port}`] }
    const one = `GET http://127.0.0.1:${port}/one HTTP/1.1\r\nHost: x\r\n\r\n`
    const two = 'GET http://evil.test/two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    const { text, proxy } = await talk(policy, one + two)
    // Answered with `connection: close` the first ends the connection; where it does not, the second is refused.
    expect(text).toContain('hello /one')
    expect(text).not.toContain('hello /two')
    expect(proxy.denials.every(({ host }) => host === 'evil.test')).toBe(true)
  })

  test('the Host header is that of the address', async () => {
    const policy = { allow: [], allow_private: [`127.0.0.1:${port}`] }
    await talk(policy, `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: admin.internal\r\nConnection: close\r\n\r\n`)
    expect(hosts.at(-1)).toBe(`127.0.0.1:${port}`)
    expect(hosts).not.toContain('admin.internal')
  })

  test('asks once for a new host, and goes by the answer', async () => {
    const asked: string[] = []
    const ask = async (host: string): Promise<'deny'> => {
      asked.push(host)
      return 'deny'
    }
    const { text, proxy } = await talk({ allow: [], ask }, tunnel('new.example.com:443'))
    expect(text).toContain('the user was asked and refused')
    expect(asked).toEqual(['new.example.com'])
    expect(proxy.denials[0]?.host).toBe('new.example.com')
  })

  test('a question nobody answers is a refusal in the end', async () => {
    const ask = () => new Promise<'allow'>(() => undefined)
    const { text } = await talk({ allow: [], ask, ask_timeout_ms: 20 }, tunnel('new.example.com:443'))
    expect(text).toMatch(/^HTTP\/1.1 403 /)
  })
})
