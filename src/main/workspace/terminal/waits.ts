import { open, readdir, readFile, readlink } from 'node:fs/promises'

/** System call numbers by processor (Linux, asm/unistd.h). */
const CALLS: Partial<Record<NodeJS.Architecture, Record<string, 'read' | 'poll' | 'select'>>> = {
  x64: { '0': 'read', '7': 'poll', '271': 'poll', '23': 'select', '270': 'select' },
  arm64: { '63': 'read', '73': 'poll', '72': 'select' },
}
/** Descriptors that one poll may name and still be a wait for the user: a prompt looks at one or two. */
const MAX_POLLED = 4

/**
 * Whether a program in the foreground of the terminal is waiting for somebody to type. `tty`: `/dev/pts/3`. Linux only,
 * and only where /proc may be asked; false when that cannot be told.
 */
export async function waitsForInput(tty: string): Promise<boolean> {
  const calls = CALLS[process.arch]
  if (process.platform !== 'linux' || !calls) return false
  for (const pid of await foreground(tty)) {
    if (await waiting(pid, tty, calls)) return true
  }
  return false
}

/** Members of the terminal's foreground group. */
async function foreground(tty: string): Promise<number[]> {
  const number = Number(/^\/dev\/pts\/(\d+)$/.exec(tty)?.[1] ?? Number.NaN)
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const stat = await readText(`/proc/${pid}/stat`)
    const [state, , group, , device, front] = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
    // Linux, admin-guide/devices.txt: /dev/pts/N has the major numbers 136 to 143; the minor's bits lie in two places.
    const dev = Number(device)
    const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00)
    const major = (dev >>> 8) & 0xfff
    if (state === 'S' && group === front && major >= 136 && major <= 143 && (major - 136) * 256 + minor === number) {
      found.push(pid)
    }
  }
  return found
}

async function waiting(pid: number, tty: string, calls: Record<string, 'read' | 'poll' | 'select'>): Promise<boolean> {
  const [number = '', first = '', second = ''] = (await readText(`/proc/${pid}/syscall`)).split(' ')
  const call = calls[number]
  if (call === 'read') return isTerminal(pid, Number(first), tty)
  // The first argument is the highest descriptor plus one; `input()` of Python asks for descriptor 0 alone.
  if (call === 'select') return Number(first) === 1 && isTerminal(pid, 0, tty)
  if (call !== 'poll' || Number(second) < 1 || Number(second) > MAX_POLLED) return false
  for (const fd of await polled(pid, BigInt(first), Number(second))) if (await isTerminal(pid, fd, tty)) return true
  return false
}

/** The descriptors of a `struct pollfd` array in another process that wait for input: 4 bytes each, then 2 of events. */
async function polled(pid: number, address: bigint, count: number): Promise<number[]> {
  const bytes = Buffer.alloc(count * 8)
  let file: Awaited<ReturnType<typeof open>> | null = null
  try {
    file = await open(`/proc/${pid}/mem`)
    const { bytesRead } = await file.read({ buffer: bytes, position: address as unknown as number })
    if (bytesRead < bytes.length) return []
  } catch {
    // Not ours to look at, or gone: it counts as not waiting.
    return []
  } finally {
    await file?.close()
  }
  const fds: number[] = []
  for (let i = 0; i < count; i += 1) if (bytes.readInt16LE(i * 8 + 4) & 1) fds.push(bytes.readInt32LE(i * 8))
  return fds
}

async function isTerminal(pid: number, fd: number, tty: string): Promise<boolean> {
  const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
  return target === tty || target === '/dev/tty'
}

/** Empty when the process is gone by now or may not be looked at. */
async function readText(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '')
}
