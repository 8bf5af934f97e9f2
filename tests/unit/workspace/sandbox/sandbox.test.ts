import { describe, expect, test } from 'vitest'
import { type BubblewrapPlan, bubblewrapArguments } from '../../../../src/main/workspace/sandbox/bwrap-args'
import { explainDenial } from '../../../../src/main/workspace/sandbox/explain'
import { DEFAULT_HOSTS, isPublicAddress, judge, parseTarget } from '../../../../src/main/workspace/sandbox/network'
import { noSandbox } from '../../../../src/main/workspace/sandbox/none'
import { probeSandbox } from '../../../../src/main/workspace/sandbox/probe'
import { seatbeltConfig } from '../../../../src/main/workspace/sandbox/seatbelt'
import { seccompFilter } from '../../../../src/main/workspace/sandbox/seccomp'
import { isEnvFile, secretPaths } from '../../../../src/main/workspace/sandbox/secret-paths'
import type { RunProbe } from '../../../../src/main/workspace/sandbox/types'

const PLAN: BubblewrapPlan = {
  user_namespace: true,
  disable_userns: true,
  seccomp_fd: 9,
  die_with_parent: true,
  devices: ['/dev/nvidia0', '/dev/nvidia-caps', '/dev/dri'],
  replaced: [{ path: '/tmp', source: '/private/tmp' }],
  emptied: ['/run'],
  shown: ['/tmp/data'],
  writable: ['/home/u/ws'],
  pinned: ['/home/u/ws/.git'],
  protected: ['/home/u/ws/.git/config'],
  placeholders: ['/home/u/ws/.vscode'],
  hidden_files: ['/home/u/.netrc'],
  hidden_folders: ['/home/u/.ssh', '/home/u/data'],
  exceptions: ['/home/u/data/out'],
  socket: { source: '/private/s1', path: '/run/ml-intern/proxy.sock' },
  cwd: '/home/u/ws',
  set_env: { LD_PRELOAD: 'x' },
  command: ['bash', '-c', 'true'],
}

describe('arguments of bubblewrap', () => {
  const line = (plan: BubblewrapPlan) => ` ${bubblewrapArguments(plan).join(' ')} `
  const order = (plan: BubblewrapPlan, ...parts: string[]) => {
    const at = parts.map((part) => line(plan).indexOf(` ${part} `))
    expect(at).not.toContain(-1)
    expect(at).toEqual([...at].sort((a, b) => a - b))
  }

  test('later mounts cover earlier ones, so what is hidden comes after what is bound', () => {
    order(
      PLAN,
      '--ro-bind / /',
      '--dev /dev',
      '--dev-bind /dev/nvidia0 /dev/nvidia0',
      '--proc /proc',
      '--bind /private/tmp /tmp',
      '--bind /home/u/ws /home/u/ws',
      '--bind /home/u/ws/.git /home/u/ws/.git',
      '--ro-bind /home/u/ws/.git/config /home/u/ws/.git/config',
      '--perms 0555 --tmpfs /home/u/ws/.vscode',
      '--perms 0000 --tmpfs /home/u/.ssh',
      '--ro-bind /dev/null /home/u/.netrc',
      '--remount-ro /home/u/.ssh',
      '--chdir /home/u/ws -- bash -c true',
    )
  })

  test('a hidden folder with something shown in it can be walked through', () => {
    order(
      PLAN,
      '--perms 0111 --tmpfs /home/u/data',
      '--ro-bind /home/u/data/out /home/u/data/out',
      '--remount-ro /home/u/data',
    )
  })

  test('a workspace inside a hidden folder stays writable', () => {
    const plan = { ...PLAN, hidden_folders: ['/home/u'], exceptions: [] }
    order(plan, '--perms 0111 --tmpfs /home/u', '--bind /home/u/ws /home/u/ws', '--remount-ro /home/u')
  })

  test('without the filter the command gets no terminal', () => {
    expect(line({ ...PLAN, seccomp_fd: null })).toContain(' --new-session ')
    expect(line(PLAN)).not.toContain('--new-session')
  })

  test('read-only binds nothing for writing but the private /tmp', () => {
    const args = bubblewrapArguments({ ...PLAN, writable: [], pinned: [], protected: [], placeholders: [] })
    expect(args.filter((arg) => arg === '--bind')).toHaveLength(1)
  })
})

test('the system-call filter: whole instructions, jumps inside the program, unknown processors have none', () => {
  for (const arch of ['x64', 'arm64'] as const) {
    const bytes = seccompFilter(arch) ?? Buffer.alloc(0)
    const count = bytes.length / 8
    expect(count).toBeGreaterThan(50)
    for (let i = 0; i < count; i += 1) {
      const furthest = i + 1 + Math.max(bytes.readUInt8(i * 8 + 2), bytes.readUInt8(i * 8 + 3))
      expect(furthest).toBeLessThanOrEqual(i === count - 1 ? count : count - 1)
    }
  }
  expect(seccompFilter('riscv64')).toBeNull()
})

describe('network', () => {
  const policy = { allow: DEFAULT_HOSTS, deny: ['bad.huggingface.co'], allow_private: ['localhost:11434'] }
  test.each([
    ['huggingface.co', 443, 'allow'],
    ['cdn-lfs.huggingface.co', 443, 'allow'],
    ['cas-bridge.xethub.hf.co', 443, 'allow'],
    ['github.com', 80, 'allow'],
    ['localhost', 11_434, 'allow_private'],
  ] as const)('%s:%d %s', (host, port, verdict) => expect(judge(policy, { host, port })).toBe(verdict))
  test.each([
    ['bad.huggingface.co', 443],
    ['huggingface.co', 22],
    ['xhuggingface.co', 443],
    ['huggingface.co.evil.test', 443],
    ['127.0.0.1', 443],
    ['1.1.1.1', 443],
    ['localhost', 8080],
    ['metadata.google.internal', 80],
  ])('%s:%d is refused', (host, port) => expect(judge(policy, { host, port })).toHaveProperty('refused'))

  test('targets', () => {
    expect(parseTarget('Example.COM.:443')).toEqual({ host: 'example.com', port: 443 })
    expect(parseTarget('[::1]:443')).toEqual({ host: '::1', port: 443 })
    for (const text of ['a:0', 'a:65536', 'a', 'a b:1', 'u@a:1', 'a:1/x', '..:1', '', ':1', 'a:1:2', 'a\n:1']) {
      expect(parseTarget(text)).toBeNull()
    }
  })

  test('addresses of the public internet', () => {
    for (const address of ['1.1.1.1', '93.184.216.34', '2606:4700::1111']) expect(isPublicAddress(address)).toBe(true)
    const others = [
      '127.0.0.1',
      '10.1.2.3',
      '172.20.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
    ]
    const six = [
      '::1',
      '::',
      'fe80::1',
      'fd00::1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '64:ff9b::a00:1',
      '2002:7f00:1::',
      'x',
    ]
    for (const address of [...others, ...six]) expect(isPublicAddress(address)).toBe(false)
  })
})

describe('explanations', () => {
  const explain = (output: string, exit_code = 1) =>
    explainDenial({ exit_code }, output, [], 'workspace-write', (path) => path === '/home/u/.ssh/id_rsa')
  test.each([
    ['bash: line 1: /etc/x: Read-only file system', 'write', '/etc/x'],
    ["OSError: [Errno 30] Read-only file system: '/opt/model'", 'write', '/opt/model'],
    ['cat: /home/u/.ssh/id_rsa: Permission denied', 'read', '/home/u/.ssh/id_rsa'],
    ['curl: (6) Could not resolve host: example.com', 'network', 'example.com'],
    ['socket.gaierror: [Errno -3] Temporary failure in name resolution', 'network', ''],
    ['mount: /mnt: must be superuser to use mount. Operation not permitted', 'privilege', ''],
  ])('%s', (output, kind, subject) => expect(explain(output)).toMatchObject({ kind, subject }))

  test('nothing is made up', () => {
    expect(explain('Read-only file system', 0)).toBeNull()
    expect(explain('cat: /home/u/own: Permission denied')).toBeNull()
    expect(explain('ValueError: bad shape')).toBeNull()
  })
})

describe('probe', () => {
  const signal = new AbortController().signal
  const answer = (exit_code: number | null, stdout = '', stderr = '', error = '') => ({
    exit_code,
    stdout,
    stderr,
    error,
  })
  const probe = (run: RunProbe, platform: NodeJS.Platform = 'linux') => probeSandbox({}, signal, platform, run)

  test('this machine', async () => {
    const found = await probeSandbox(process.env, signal)
    expect(found).toMatchObject({ kind: 'bubblewrap', bubblewrap: { forwarder: 'socat', env_signals: true } })
  })
  test('missing, forbidden, too old', async () => {
    const missing = await probe(async () => answer(null, '', '', 'ENOENT'))
    expect(missing).toMatchObject({ kind: 'none', reason: 'bubblewrap is not installed.' })
    expect(missing.remedy).toContain('install')
    const version =
      (text: string): RunProbe =>
      async (_file, args) =>
        args[0] === '--version' ? answer(0, text) : answer(1, '', 'bwrap: setting up uid map: Permission denied')
    const forbidden = await probe(version('bubblewrap 0.9.0'))
    expect(forbidden.reason).toContain('setting up uid map: Permission denied')
    expect(forbidden.remedy).toContain('user namespaces')
    expect((await probe(version('bubblewrap 0.4.1'))).reason).toContain('too old')
  })
  test('root without user namespaces is confined all the same', async () => {
    const run: RunProbe = async (_file, args) =>
      args[0] === '--version' ? answer(0, 'bubblewrap 0.8.0') : answer(args.includes('--unshare-user') ? 1 : 0)
    expect(await probe(run)).toMatchObject({
      kind: 'bubblewrap',
      bubblewrap: { user_namespace: false, forwarder: null },
    })
  })
  test('other systems', async () => {
    expect((await probe(async () => answer(0), 'darwin')).kind).toBe('seatbelt')
    expect((await probe(async () => answer(0), 'win32')).kind).toBe('none')
  })
})

test('names of .env files', () => {
  for (const name of ['.env', '.env.local', '.env.production', 'prod.env', '.ENV']) expect(isEnvFile(name)).toBe(true)
  for (const name of ['.env.example', '.envrc', 'environment.yml', 'env', '.env.sample'])
    expect(isEnvFile(name)).toBe(false)
})

test('credential paths follow the variables that move them', () => {
  const paths = secretPaths(['/home/u'], '/data/ml', { HF_HOME: '/big/hf', NETRC: '/x/netrc', KUBECONFIG: 'relative' })
  expect(paths).toEqual(
    expect.arrayContaining(['/home/u/.ssh', '/big/hf/token', '/x/netrc', '/data/ml', '/etc/shadow']),
  )
  expect(paths).not.toContain('relative')
})

test('without a sandbox only a command that was granted it runs', async () => {
  const sandbox = noSandbox('There is none.')
  const command = { run: { shell: 'true' }, cwd: '/', env: {}, network: 'off' as const }
  await expect(sandbox.wrap({ ...command, profile: 'workspace-write' })).rejects.toThrow('There is no sandbox')
  expect(await sandbox.wrap({ ...command, profile: 'full' })).toMatchObject({ file: 'bash', args: ['-c', 'true'] })
})

test('Seatbelt: what may be written, and what may not in it', () => {
  const command = {
    profile: 'workspace-write' as const,
    writable: ['/big'],
    network: { allow: ['hub.test'], deny: ['x.y'] },
  }
  const config = seatbeltConfig(command, '/ws', ['/Users/u/.ssh'], '/Users/u')
  expect(config.filesystem.allowWrite).toEqual(['/ws', '/big'])
  expect(config.filesystem.denyRead).toEqual(['/Users/u/.ssh'])
  expect(config.filesystem.denyWrite).toEqual(
    expect.arrayContaining(['/ws/.git/hooks', '/ws/.git/config', '/big/.vscode']),
  )
  expect(config.network).toEqual({ allowedDomains: ['hub.test'], deniedDomains: ['x.y'] })
  expect(seatbeltConfig({ ...command, profile: 'read-only' }, '/ws', [], '/Users/u').filesystem.allowWrite).toEqual([])
})
