import { isInside } from './paths'

/** Everything that decides a bubblewrap command line. All paths are absolute and real. */
export interface BubblewrapPlan {
  user_namespace: boolean
  disable_userns: boolean
  /** File descriptor of the system-call filter. */
  seccomp_fd: number | null
  /** Everything inside ends when the command has ended, or when we die. */
  die_with_parent: boolean
  /** Graphics cards: device files and folders of them. */
  devices: readonly string[]
  /** Private folders that stand for these of the system. */
  replaced: readonly { path: string; source: string }[]
  /** Folders that become empty, in memory. */
  emptied: readonly string[]
  /** Read-only, out of folders that are replaced or emptied. */
  shown: readonly string[]
  /** The workspace and granted folders; none inside another. */
  writable: readonly string[]
  /** Folders inside `writable` that can be written to, but not be moved or replaced. */
  pinned: readonly string[]
  /** Existing paths inside `writable` that stay as they are. */
  protected: readonly string[]
  /** Where something could be planted: existing empty folders that are covered. */
  placeholders: readonly string[]
  hidden_files: readonly string[]
  hidden_folders: readonly string[]
  /** Inside `hidden_folders`, and read-only all the same. */
  exceptions: readonly string[]
  /** Of the way to the network: the socket outside and where it is inside. */
  socket: { source: string; path: string } | null
  cwd: string
  /** Set inside only: what must not act on the shell and bubblewrap outside. */
  set_env: Readonly<Record<string, string>>
  command: readonly string[]
}

/**
 * The arguments of bubblewrap. The order matters: a later mount covers an earlier one. What is bound out of folders that
 * a command can write comes before what is hidden, so that a link put there in the last moment uncovers nothing.
 */
export function bubblewrapArguments(plan: BubblewrapPlan): string[] {
  const outer = plan.hidden_folders.filter((folder) => plan.writable.some((path) => isInside(folder, path)))
  const inner = plan.hidden_folders.filter((folder) => !outer.includes(folder))
  const args: string[] = [
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-net', '--unshare-cgroup-try'],
    ...(plan.user_namespace ? ['--unshare-user'] : []),
    ...(plan.user_namespace && plan.disable_userns ? ['--disable-userns'] : []),
    ...(plan.die_with_parent ? ['--die-with-parent'] : []),
    // Without the filter a command could type into a terminal that it shares with somebody.
    ...(plan.seccomp_fd === null ? ['--new-session'] : ['--seccomp', String(plan.seccomp_fd)]),
    // Resolves on every system, which the frameworks for several processes depend on.
    ...['--hostname', 'localhost'],
    ...['--cap-drop', 'ALL'],
    ...['--ro-bind', '/', '/'],
    ...['--dev', '/dev'],
    ...plan.devices.flatMap((path) => ['--dev-bind', path, path]),
    // To root, whose number is the same inside, the kernel's settings in it would be writable without any capability:
    // bubblewrap itself only protects what its own user may write to.
    ...['--proc', '/proc', '--remount-ro', '/proc'],
  ]
  for (const { path, source } of plan.replaced) args.push('--bind', source, path)
  for (const path of plan.emptied) args.push('--tmpfs', path)
  for (const path of byDepth(plan.shown)) args.push('--ro-bind', path, path)
  for (const path of byDepth(outer)) args.push(...hide(path, true))
  for (const path of byDepth(plan.writable)) args.push('--bind', path, path)
  for (const path of plan.pinned) args.push('--bind', path, path)
  for (const path of plan.protected) args.push('--ro-bind', path, path)
  // In memory and not to be written into: cheaper than a bind, and nothing of it is ever outside.
  for (const path of plan.placeholders) args.push('--perms', '0555', '--tmpfs', path)
  for (const path of byDepth(inner)) {
    args.push(
      ...hide(
        path,
        plan.exceptions.some((inside) => isInside(path, inside)),
      ),
    )
  }
  // A device file on a mount without devices cannot be opened: "Permission denied", as it should read.
  for (const path of plan.hidden_files) args.push('--ro-bind', '/dev/null', path)
  for (const path of byDepth(plan.exceptions)) args.push('--ro-bind', path, path)
  if (plan.socket) args.push('--ro-bind', plan.socket.source, plan.socket.path)
  // Last: until now bubblewrap had to make mount points in them.
  for (const path of plan.hidden_folders) args.push('--remount-ro', path)
  for (const [name, value] of Object.entries(plan.set_env)) args.push('--setenv', name, value)
  return [...args, '--chdir', plan.cwd, '--', ...plan.command]
}

/** Not to be opened; to be walked through only where something inside is shown. */
function hide(path: string, passable: boolean): string[] {
  return ['--perms', passable ? '0111' : '0000', '--tmpfs', path]
}

function byDepth(paths: readonly string[]): string[] {
  const depth = (path: string) => path.split('/').length
  return [...paths].sort((a, b) => depth(a) - depth(b))
}
