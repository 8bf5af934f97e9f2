import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/main/workspace/sandbox'
import { inside, PLAIN_ENV, type Ran, realSandbox, run } from '../support/sandbox'
import { ESCAPES } from '../support/sandbox-escapes'

const SECRET = 'TOPSECRET-4711'
const NOBODY = 65_534
const root = process.getuid?.() === 0
const users = root ? (['root', 'nobody'] as const) : (['this user'] as const)

describe.each(users)('as %s', (user) => {
  const other = user === 'nobody'
  const prefix = other ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : []
  let base: string
  let home: string
  let ws: string
  let out: string
  let env: NodeJS.ProcessEnv
  let sandbox: Sandbox
  let victim: ChildProcess
  let udp: UdpSocket
  const servers: Server[] = []
  const reached: string[] = []
  const before = { config: '', rc: 'rc\n', file: 'outside\n' }

  beforeAll(async () => {
    // Not in /tmp, where the checkout may lie too: a command has its own, and everything in it would be out of reach for
    // that alone. The other user has to get there as well.
    const results = root ? '/var/local/ml-intern-tests' : join(homedir(), '.cache/ml-intern-tests')
    await mkdir(results, { recursive: true })
    base = await mkdtemp(join(results, 'sbx-'))
    await chmod(base, 0o755)
    home = join(base, 'home')
    ws = join(base, 'ws')
    out = join(base, 'out')
    const data = join(home, '.local/share/ml-intern')
    const files: Record<string, string> = {
      ...{ 'home/.ssh/id_rsa': SECRET, 'home/.aws/credentials': SECRET, 'home/.cache/huggingface/token': SECRET },
      ...{ 'home/.netrc': SECRET, 'home/.mozilla/cookies': SECRET, 'home/.bash_history': SECRET },
      ...{ 'home/.local/share/ml-intern/secret': SECRET, 'home/.bashrc': before.rc, 'ws/.env': SECRET },
      ...{ 'out/file.txt': before.file, 'home/.docker/run/x': '', 'ws/data.csv': 'a,b\n' },
    }
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(base, path)), { recursive: true })
      await writeFile(join(base, path), text)
    }
    execFileSync('git', ['init', '-q', ws])
    before.config = await readFile(join(ws, '.git/config'), 'utf8')
    const abstract = `sbx-test-${process.pid}-${user}`
    const tmpSocket = join('/tmp', `sbx-test-${process.pid}-${user.replace(' ', '')}.sock`)
    const paths = ['home/.docker/run/docker.sock', 'out/agent.sock', 'ws/agent.sock'].map((path) => join(base, path))
    for (const path of [...paths, tmpSocket, `\0${abstract}`]) await listen(path)
    const port = await listen(0)
    udp = createSocket('udp4', () => reached.push('udp')).bind(0, '127.0.0.1')
    await once(udp, 'listening')
    const ids = other ? { uid: NOBODY, gid: NOBODY } : {}
    victim = spawn('sleep', ['1000'], {
      argv0: 'outer-process',
      env: { OUTER_SECRET: SECRET },
      stdio: 'ignore',
      ...ids,
    })
    sandbox = await realSandbox(ws, data, { ...PLAIN_ENV, HOME: home, SSH_AUTH_SOCK: join(out, 'agent.sock') })
    if (other) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, base])
    env = {
      ...PLAIN_ENV,
      ...{ PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', HOME: home, HM: home, WS: ws, OUT: out, DATA: data },
      ...{ PID: String(victim.pid), PORT: String(port), UDP: String(udp.address().port), ABSTRACT: abstract },
      TMPSOCK: tmpSocket,
    }
  })

  afterAll(async () => {
    victim?.kill('SIGKILL')
    udp?.close()
    for (const server of servers) server.close()
    await sandbox?.close()
    await rm(base, { recursive: true, force: true })
  })

  async function listen(where: string | number): Promise<number> {
    const server = createServer((socket) => {
      reached.push(String(where))
      socket.on('error', () => undefined).destroy()
    })
    servers.push(server)
    if (typeof where === 'number') server.listen(where, '127.0.0.1')
    else server.listen({ path: where, ...(where.startsWith('\0') ? {} : { writableAll: true }) })
    await once(server, 'listening')
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  async function go(shell: string): Promise<Ran> {
    const command = { run: { shell }, env, cwd: ws, profile: 'workspace-write' as const, network: 'off' as const }
    const wrapped = await sandbox.wrap(command)
    // Its private folder belongs to who made it, which here is not who runs the command.
    const folder = dirname(wrapped.args.find((arg) => arg.endsWith('/filter')) ?? '')
    if (other) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, folder])
    const [file = '', ...args] = [...prefix, wrapped.file, ...wrapped.args]
    const ran = await run(file, args, { env: wrapped.env, cwd: wrapped.cwd })
    await wrapped.cleanup()
    return ran
  }

  test('what is allowed works: otherwise the attempts below prove nothing', async () => {
    const ran = await go(
      'set -e; echo 1 > new && cat data.csv; mktemp; echo x > /dev/shm/a; touch /tmp/kept; cat $OUT/file.txt; ' +
        'git add new; git -c user.name=a -c user.email=a@b commit -qm x; git status --short; ' +
        '/usr/bin/python3 -c "import multiprocessing as m;print(m.Pool(2).map(abs,[-7,8]))"; echo DONE',
    )
    expect(ran.output).toContain('DONE')
    expect(ran.output).toContain('[7, 8]')
    expect(ran.output).toContain('outside')
    expect(ran.output).not.toContain('vscode')
    // One /tmp for all commands of a session.
    expect((await go('ls /tmp/kept')).exit_code).toBe(0)
  })

  test.each(ESCAPES)('%s', async (_name, script) => {
    const ran = await go(script)
    expect(ran.output).not.toContain('bwrap:')
    expect(ran.stdout).not.toContain('ESCAPED')
    expect(ran.output).not.toContain(SECRET)
    expect(await readFile(join(out, 'file.txt'), 'utf8')).toBe(before.file)
    expect((await readdir(out)).sort()).toEqual(['agent.sock', 'file.txt'])
    expect(await readFile(join(ws, '.git/config'), 'utf8')).toBe(before.config)
    expect(await readdir(join(ws, '.git/hooks'))).not.toContain('planted')
    expect(await readdir(join(ws, '.git'))).not.toContain('commondir')
    expect(await readFile(join(home, '.bashrc'), 'utf8')).toBe(before.rc)
    expect((await readdir(ws)).filter((name) => /^\.(vscode|ml-intern|envrc)/.test(name))).toEqual([])
    expect(await readdir('/dev/shm')).not.toContain('sandbox-leak')
    expect(await readdir('/tmp')).not.toContain('sandbox-leak')
    expect(reached).toEqual([])
    expect(victim.exitCode ?? victim.signalCode).toBeNull()
  })

  test('a daemon that leaves its session ends with the command', async () => {
    const name = `daemon-${process.pid}`
    const ran = await go(
      `setsid bash -c 'exec -a ${name} sleep 1000' </dev/null >/dev/null 2>&1 & sleep 0.2; echo started`,
    )
    expect(ran.output).toContain('started')
    await expect.poll(() => processes(name)).toEqual([])
  })

  test('the workspace can be the home folder', async () => {
    const data = join(home, '.local/share/ml-intern')
    const whole = await realSandbox(home, data, { ...PLAIN_ENV, HOME: home })
    const command = { env, cwd: home, profile: 'workspace-write' as const }
    const script =
      'echo x >> .bashrc; echo x > .zshrc; mkdir -p .config/autostart && echo x > .config/autostart/x.desktop; cat .netrc .ssh/id_rsa; echo fine > note'
    if (!other) {
      const ran = await inside(whole, script, command)
      expect(ran.output).not.toContain(SECRET)
      expect(await readFile(join(home, '.bashrc'), 'utf8')).toBe(before.rc)
      expect(await readFile(join(home, 'note'), 'utf8')).toBe('fine\n')
      await expect(access(join(home, '.zshrc'))).rejects.toThrow('ENOENT')
      await expect(access(join(home, '.config'))).rejects.toThrow('ENOENT')
    }
    await whole.close()
  })

  test('a hidden file can be granted', async () => {
    const granted = { env, cwd: ws, readable: [join(ws, '.env')] }
    if (!other) expect((await inside(sandbox, 'cat .env', granted)).stdout).toContain(SECRET)
  })

  test('read-only writes nothing', async () => {
    const ran = other ? null : await inside(sandbox, 'echo x > ro-test', { env, cwd: ws, profile: 'read-only' })
    if (ran) expect(ran.output).toContain('Read-only file system')
    expect(await readdir(ws)).not.toContain('ro-test')
  })

  test('a link that is exchanged while a command runs is put back', async () => {
    const linked = await mkdtemp(join(base, 'linked-'))
    execFileSync('ln', ['-s', '../out', join(linked, '.vscode')])
    const one = await realSandbox(linked, join(home, 'data'), { ...PLAIN_ENV, HOME: home })
    if (!other) await inside(one, 'rm .vscode; mkdir .vscode; echo x > .vscode/tasks.json', { env, cwd: linked })
    await expect(access(join(linked, '.vscode', 'tasks.json'))).rejects.toThrow('ENOENT')
    await one.close()
  })
})

/** Living processes of that name. */
async function processes(name: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((pid) => /^\d+$/.test(pid))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return line.startsWith(`${name}\0`) ? pid : null
    }),
  )
  return found.filter((pid): pid is string => pid !== null)
}
