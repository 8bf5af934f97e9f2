import { chmod, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SandboxStatus } from '@shared/machine'
import { isNodeError, UserError } from '../../errors'
import { bubblewrapArguments } from './bwrap-args'
import { explainDenial } from './explain'
import { innerCommand, outerScript, proxyVariables, SOCKET_PATH } from './inner'
import { envFiles, existing, gpuDevices, guard, listeningSockets, presentBelow, restoreLinks } from './inspect'
import { plainCommand } from './none'
import { isInside, kindOf, outermost, realKind, writePrivate } from './paths'
import { Placeholders } from './placeholders'
import { type Lookup, SandboxProxy } from './proxy'
import { seccompFilter } from './seccomp'
import { actsOutside, secretPaths, UNREACHABLE_VARIABLES } from './secret-paths'
import type {
  BubblewrapFacts,
  Denial,
  NetworkPolicy,
  ProbeResult,
  Sandbox,
  SandboxedCommand,
  SandboxOptions,
  WrappedCommand,
} from './types'

const SECCOMP_FD = 9
/** Folders of the system that a command gets private ones for, and such that are empty for it. */
const REPLACED = ['/tmp', '/var/tmp']
const EMPTIED = ['/run']
/** Below /run on NixOS: programs and drivers, no sockets. */
const SHOWN = ['/run/current-system', '/run/booted-system', '/run/opengl-driver']

export class BubblewrapSandbox implements Sandbox {
  readonly #placeholders = new Placeholders()
  /** Seen by some command: whether a path in an output is one that the sandbox hides. */
  readonly #hidden = new Set<string>()
  readonly #proxies = new Set<SandboxProxy>()
  #count = 0

  private constructor(
    readonly status: SandboxStatus,
    private readonly options: SandboxOptions,
    private readonly facts: BubblewrapFacts,
    /** Of this sandbox alone, for its user alone; not seen inside. */
    private readonly folder: string,
    private readonly filter: string | null,
    private readonly lookup: Lookup | undefined,
  ) {}

  static async create(
    options: SandboxOptions,
    probe: ProbeResult,
    facts: BubblewrapFacts,
    lookup?: Lookup,
  ): Promise<BubblewrapSandbox> {
    const workspace = await realFolder(options.workspace)
    const folder = await mkdtemp(join(await realpath(tmpdir()), 'mli-'))
    await Promise.all(['tmp', 'var'].map((name) => mkdir(join(folder, name), { mode: 0o700 })))
    // Some programs want to see that others could not delete their files.
    await Promise.all(['tmp', 'var'].map((name) => chmod(join(folder, name), 0o1777)))
    const program = seccompFilter(process.arch)
    if (program) await writePrivate(join(folder, 'filter'), program)
    const filter = program ? join(folder, 'filter') : null
    const can = options.profile === 'read-only' ? 'read' : 'write to the workspace only'
    const reason = [`Commands run in bubblewrap ${probe.version} and can ${can}.`, probe.reason].join(' ').trim()
    const status: SandboxStatus = { kind: 'bubblewrap', reason, profile: options.profile }
    return new BubblewrapSandbox(status, { ...options, workspace }, facts, folder, filter, lookup)
  }

  async wrap(command: SandboxedCommand): Promise<WrappedCommand> {
    if (command.profile === 'full') return plainCommand(command)
    const number = ++this.#count
    const keep = command.background === 'keep'
    const cwd = await realFolder(command.cwd)
    const roots = await this.#writable(command)
    const homes = await this.#homes()
    const [guards, secrets, devices, proxy] = await Promise.all([
      Promise.all(roots.map((root) => guard(root, homes, this.#placeholders))),
      this.#secrets(command, roots, homes),
      gpuDevices(),
      this.#openProxy(command.network, number),
    ])
    const placeholders = await this.#placeholders.take(guards.flatMap(({ absent }) => absent))
    const links = guards.flatMap(({ linked }) => linked)
    const env = { ...command.env, ...proxyVariables(proxy !== null), TMPDIR: '/tmp', TMP: '/tmp', TEMP: '/tmp' }
    const { given, set } = splitEnvironment(env)
    const readable = await existing([
      ...(command.readable ?? []),
      ...(command.profile === 'read-only' ? [this.options.workspace] : []),
      cwd,
    ])
    const shown = await existing(SHOWN)
    const private_ = [...REPLACED, ...EMPTIED]
    const allReadable = [...readable.folders, ...readable.files]
    const hiddenIn = (path: string): boolean => secrets.folders.some((folder) => isInside(folder, path))
    const args = bubblewrapArguments({
      user_namespace: this.facts.user_namespace,
      disable_userns: this.facts.disable_userns,
      seccomp_fd: this.filter ? SECCOMP_FD : null,
      die_with_parent: !keep,
      devices,
      replaced: await this.#replaced(),
      emptied: EMPTIED,
      shown: [
        ...shown.folders,
        ...allReadable.filter(
          (path) => private_.some((folder) => isInside(folder, path)) && !roots.some((root) => isInside(root, path)),
        ),
      ],
      writable: roots,
      pinned: guards.flatMap(({ pinned }) => pinned),
      protected: guards.flatMap((found) => found.protected),
      placeholders,
      hidden_files: secrets.files,
      hidden_folders: secrets.folders,
      exceptions: allReadable.filter((path) => hiddenIn(path) && !roots.some((root) => isInside(root, path))),
      socket: proxy ? { source: this.#socketPath(number), path: SOCKET_PATH } : null,
      cwd,
      set_env: set,
      command: innerCommand(command, this.facts, proxy !== null),
    })
    return {
      file: this.facts.shell,
      args: [
        // With a socket as its input bash would run the user's start-up file.
        ...(this.facts.shell.endsWith('bash') ? ['--norc'] : []),
        ...['-c', outerScript(this.facts, keep), 'sandbox', this.filter ?? ''],
        ...(keep ? [join(this.folder, `e${number}`)] : []),
        ...[this.facts.path, ...args],
      ],
      env: given,
      cwd: '/',
      refused: () => proxy?.denials ?? [],
      cleanup: async (left_running = false) => {
        if (left_running) return
        await this.#placeholders.release(placeholders)
        await restoreLinks(links)
        if (!proxy) return
        this.#proxies.delete(proxy)
        await proxy.close()
      },
    }
  }

  explain(outcome: { exit_code: number | null }, output: string, wrapped?: WrappedCommand): Denial | null {
    const isHidden = (path: string): boolean => {
      const full = path.startsWith('~/') ? join(homedir(), path.slice(2)) : path
      return [...this.#hidden].some(
        (hidden) => isInside(hidden, full) || (!full.startsWith('/') && hidden.endsWith(`/${full}`)),
      )
    }
    return explainDenial(outcome, output, wrapped?.refused() ?? [], this.status.profile, isHidden)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proxies].map((proxy) => proxy.close()))
    this.#proxies.clear()
    // Links in it are removed, not followed. What cannot be removed lies in the system's folder for such things.
    await rm(this.folder, { recursive: true, force: true }).catch(() => undefined)
  }

  async #writable({ profile, writable = [] }: SandboxedCommand): Promise<string[]> {
    if (profile === 'read-only') return []
    const extra = await existing(writable)
    // One inside another is writable with it, and a link in there could be exchanged before it is bound.
    return outermost([this.options.workspace, ...extra.folders])
  }

  async #homes(): Promise<string[]> {
    const { HOME } = this.options.env
    return (await existing([HOME || homedir()])).folders
  }

  async #secrets(
    { readable = [] }: SandboxedCommand,
    roots: readonly string[],
    homes: readonly string[],
  ): Promise<{ files: string[]; folders: string[] }> {
    const [env, sockets] = await Promise.all([
      Promise.all([...roots, this.options.workspace].map((root) => envFiles(root))),
      listeningSockets(),
    ])
    const always = secretPaths(homes, this.options.data_folder, this.options.env)
    const there = await presentBelow(homes, always)
    const found = await existing([...there, ...env.flat(), ...sockets, this.folder])
    const granted = (await existing(readable)).files
    const seen = (path: string): boolean =>
      roots.some((root) => isInside(root, path)) ||
      readable.some((shown) => isInside(shown, path)) ||
      ![...REPLACED, ...EMPTIED, '/dev', '/proc'].some((folder) => isInside(folder, path))
    const files = found.files.filter((path) => seen(path) && !granted.includes(path))
    const folders = found.folders.filter((path) => seen(path))
    for (const path of [...files, ...folders]) this.#hidden.add(path)
    return { files, folders }
  }

  async #replaced(): Promise<{ path: string; source: string }[]> {
    const sources = [join(this.folder, 'tmp'), join(this.folder, 'var')]
    const real = await Promise.all(REPLACED.map((path) => realKind(path)))
    return real.flatMap((found, i) => {
      const source = sources[i]
      return found?.kind === 'folder' && source !== undefined ? [{ path: found.path, source }] : []
    })
  }

  async #openProxy(network: NetworkPolicy, number: number): Promise<SandboxProxy | null> {
    if (network === 'off' || !this.facts.forwarder) return null
    const proxy = new SandboxProxy(network, this.lookup)
    await proxy.listen(this.#socketPath(number))
    this.#proxies.add(proxy)
    return proxy
  }

  #socketPath(number: number): string {
    return join(this.folder, `s${number}`)
  }
}

async function realFolder(path: string): Promise<string> {
  try {
    const real = await realpath(path)
    if ((await kindOf(real)) === 'folder') return real
  } catch (error) {
    if (!isNodeError(error)) throw error
  }
  throw new UserError('not_a_directory', `${path} is not a folder that exists.`, 'Name an existing folder.')
}

/** What the command is given, and of it what must not act on the programs that build the sandbox. */
function splitEnvironment(env: NodeJS.ProcessEnv): { given: NodeJS.ProcessEnv; set: Record<string, string> } {
  const given: NodeJS.ProcessEnv = {}
  const set: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || UNREACHABLE_VARIABLES.some((unreachable) => unreachable === name)) continue
    if (actsOutside(name)) set[name] = value
    else given[name] = value
  }
  return { given, set }
}
