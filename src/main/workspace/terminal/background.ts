import { execFile } from 'node:child_process'
import { readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { BackgroundProcess } from '@shared/terminals'
import { z } from 'zod'
import { makeFolders } from '../../home'
import { findLiving, findMarked } from '../process-scan'
import { signalProcess } from '../terminate'
import type { ProcessTrace } from './run'

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 3000
const POLL_MS = 50
/** Processes of one session that are remembered: a fork bomb must not fill the disk. */
const MAX_KEPT = 200
const MAX_COMMAND_CHARS = 500

const schema = z.array(
  z.object({
    pid: z.number().int().positive(),
    start_time: z.string(),
    command: z.string(),
    cwd: z.string().nullable(),
    tool_call_id: z.string().nullable(),
    started_at: z.string(),
    group: z.number().int(),
  }),
)
type Kept = BackgroundProcess & { group: number }

/** A command that has ended: its call, and what its processes are known by. */
export interface EndedCommand {
  id: string
  trace: ProcessTrace
}

/** What the commands of one session left running: `<session>/background.json`. Survives a restart of the program. */
export class BackgroundProcesses {
  readonly #path: string
  readonly #folder: string
  /** Changes one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(sessionFolder: string) {
    this.#folder = sessionFolder
    this.#path = join(sessionFolder, 'background.json')
  }

  /** Looks for what commands that have ended left running, and remembers it. `redact`: for command lines. */
  record(ended: readonly EndedCommand[], redact: (text: string) => string): Promise<BackgroundProcess[]> {
    return this.#next(async () => {
      const left = await findLeft(ended)
      if (left.length === 0) return []
      const found = await Promise.all(left.map(async ({ pid, id }) => ({ id, entry: await describe(pid) })))
      const now = new Date().toISOString()
      const added = found.flatMap(({ id, entry }): Kept[] => {
        if (!entry) return []
        const command = redact(entry.command).slice(0, MAX_COMMAND_CHARS)
        return [{ ...entry, command, tool_call_id: id, started_at: now }]
      })
      const pids = new Set(added.map(({ pid }) => pid))
      const before = (await this.#living()).filter(({ pid }) => !pids.has(pid))
      await this.#write([...before, ...added].slice(-MAX_KEPT))
      return added.map(shown)
    })
  }

  /** Those that still run. Others are forgotten: one that ended, or whose number is another process now. */
  list(): Promise<BackgroundProcess[]> {
    return this.#next(async () => {
      const kept = await this.#read()
      const living = await alive(kept)
      if (living.length < kept.length) await this.#write(living)
      return living.map(shown)
    })
  }

  /**
   * Ends the process with its group: SIGTERM, and SIGKILL after GRACE_MS. False when it is not one of these or has
   * ended by itself; true when it is gone.
   */
  async kill(pid: number, signal: AbortSignal): Promise<boolean> {
    const entry = (await this.#next(() => this.#living())).find((kept) => kept.pid === pid)
    if (!entry) return false
    // A group of which it is not the leader may hold what somebody else started.
    const target = entry.group === pid ? -pid : pid
    signalProcess(target, 'SIGTERM')
    const end = performance.now() + GRACE_MS
    while ((await alive([entry])).length > 0) {
      if (performance.now() >= end || signal.aborted) {
        signalProcess(target, 'SIGKILL')
        break
      }
      await delay(POLL_MS)
    }
    await this.list()
    return true
  }

  /** For the end of a turn; empty when nothing runs. */
  async sentence(): Promise<string> {
    const living = await this.list()
    if (living.length === 0) return ''
    const named = living.slice(0, 5).map(({ command, pid }) => `${oneLine(command)} (process ${pid})`)
    const more = living.length > named.length ? ` and ${living.length - named.length} more` : ''
    return `Still running in the background: ${named.join(', ')}${more}.`
  }

  async #living(): Promise<Kept[]> {
    return alive(await this.#read())
  }

  async #read(): Promise<Kept[]> {
    let value: unknown
    try {
      value = JSON.parse(await readFile(this.#path, 'utf8'))
    } catch {
      // Not there yet, or damaged: nothing is known to run.
      return []
    }
    const parsed = schema.safeParse(value)
    return parsed.success ? parsed.data : []
  }

  async #write(kept: readonly Kept[]): Promise<void> {
    const { default: writeFileAtomic } = await import('write-file-atomic')
    await makeFolders(this.#folder, 0o700)
    await writeFileAtomic(this.#path, JSON.stringify(kept), { mode: 0o600, fsync: false })
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}

/** On Linux one look at all processes, however many commands are asked for. */
async function findLeft(ended: readonly EndedCommand[]): Promise<{ pid: number; id: string }[]> {
  if (process.platform === 'linux') {
    const marked = await findMarked()
    return marked.flatMap(({ pid, group, marker }) => {
      const command = ended.find(({ trace }) => trace.group === group || trace.marker === marker)
      return command ? [{ pid, id: command.id }] : []
    })
  }
  const each = await Promise.all(
    ended.map(async ({ id, trace }) => {
      const { group } = await findLiving(trace.group, trace.marker)
      return group.map((pid) => ({ pid, id }))
    }),
  )
  return each.flat()
}

function shown({ group: _, ...entry }: Kept): BackgroundProcess {
  return entry
}

async function alive(kept: readonly Kept[]): Promise<Kept[]> {
  const now = await Promise.all(kept.map(async (entry) => (await identity(entry.pid))?.start_time === entry.start_time))
  return kept.filter((_, i) => now[i])
}

type Described = Pick<Kept, 'pid' | 'start_time' | 'command' | 'cwd' | 'group'>

async function describe(pid: number): Promise<Described | null> {
  const known = await identity(pid)
  if (!known) return null
  if (process.platform !== 'linux') return { pid, cwd: null, ...known }
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => null)
  return { pid, cwd, ...known, command: line.replaceAll('\0', ' ').trim() || known.command }
}

/** Null when there is no such process, or only its corpse. */
async function identity(pid: number): Promise<{ start_time: string; group: number; command: string } | null> {
  if (process.platform !== 'linux') return identityByPs(pid)
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  const end = stat.lastIndexOf(') ')
  const fields = stat.slice(end + 2).split(' ')
  const [state = 'X', , group] = fields
  if (end < 0 || state === 'Z' || state === 'X') return null
  // Field 22 of proc(5); ticks count from the boot, so the boot belongs to it.
  const start_time = `${await boot()}-${fields[19] ?? ''}`
  return { start_time, group: Number(group), command: stat.slice(stat.indexOf('(') + 1, end) }
}

let bootId: Promise<string> | null = null
function boot(): Promise<string> {
  bootId ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.slice(0, 8),
    () => 'boot',
  )
  return bootId
}

async function identityByPs(pid: number): Promise<{ start_time: string; group: number; command: string } | null> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'pgid=,lstart=,command=', '-p', String(pid)], {
      env: { ...process.env, LC_ALL: 'C' },
    })
    const found = /^\s*(\d+)\s+(\w+ \w+\s+\d+ [\d:]+ \d+)\s+(.*)/.exec(stdout)
    return found ? { group: Number(found[1]), start_time: found[2] ?? '', command: found[3] ?? '' } : null
  } catch {
    // ps ends with 1 when there is no such process.
    return null
  }
}

function oneLine(command: string): string {
  const line = command.replace(/\s+/g, ' ')
  return line.length > 80 ? `${line.slice(0, 79)}…` : line
}
