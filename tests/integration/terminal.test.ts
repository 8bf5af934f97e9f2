import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TerminalHub } from '../../src/main/workspace/terminal/hub'
import type { TerminalPiece } from '../../src/main/workspace/terminal/live'
import type { TerminalCommand } from '../../src/main/workspace/terminal/run'
import { isAlive } from '../unit/tools/context'

const E = '\u001b'
const SECRET = 'correct-horse-battery-staple-1234'
let root = ''
let hub: TerminalHub
let problems: string[] = []
let changes: string[] = []
let wake: (() => void)[] = []

function newHub(): TerminalHub {
  return new TerminalHub({
    folderOf: (session) => join(root, session),
    secrets: () => [SECRET],
    changed: (session) => {
      changes.push(session)
      for (const look of wake) look()
    },
    problem: (message) => problems.push(message),
  })
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ml-intern-hub-'))
  problems = []
  changes = []
  wake = []
  hub = newHub()
})
afterEach(async () => {
  await hub.shutdown()
  await rm(root, { recursive: true, force: true })
  expect(problems).toEqual([])
})

function command(text: string, change: Partial<TerminalCommand> = {}): Omit<TerminalCommand, 'cols' | 'rows'> {
  return {
    command: text,
    cwd: '/',
    env: { PATH: process.env.PATH, TERM: 'xterm-256color' },
    timeout_ms: 60_000,
    signal: new AbortController().signal,
    onData: () => undefined,
    ...change,
  }
}

const size = { cols: 80, rows: 24 }

/** A window: what it is shown, and when. */
class Window {
  text = ''
  seqs: number[] = []
  readonly #looks: (() => void)[] = []

  constructor(
    readonly name: string,
    readonly confirm = true,
  ) {}

  async open(id: string, session = 's'): Promise<string> {
    const { screen, seq } = await hub.attach(session, id, this.name, size, (piece) => this.#push(piece, session, id))
    this.seqs.push(seq)
    this.text += screen
    return screen
  }

  until(pattern: RegExp): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (pattern.test(this.text)) resolve()
      }
      this.#looks.push(look)
      look()
    })
  }

  grown(chars: number): Promise<void> {
    return new Promise((resolve) => {
      this.#looks.push(() => {
        if (this.text.length >= chars) resolve()
      })
    })
  }

  #push(piece: TerminalPiece, session: string, id: string): void {
    this.text += piece.data
    this.seqs.push(piece.seq)
    if (this.confirm) hub.ack(session, id, this.name, piece.data.length)
    for (const look of this.#looks) look()
  }
}

/** Resolves when the list of terminals fulfils it. */
async function listed(test: (ids: string[], states: string[]) => boolean, session = 's'): Promise<void> {
  for (;;) {
    const next = new Promise<void>((resolve) => wake.push(resolve))
    const all = await hub.list(session)
    if (
      test(
        all.map(({ id }) => id),
        all.map(({ state }) => state),
      )
    )
      return
    await next
  }
}

describe('a command in the hub', () => {
  it('shows one window the screen and the rest in order; a second one catches up', async () => {
    let first = () => {}
    const started = new Promise<void>((resolve) => {
      first = resolve
    })
    const running = hub.run(
      { session: 's', id: 'c1', title: 'ask' },
      command('echo one; read x; echo "two $x"; read y; echo three', {
        onData: () => {
          first()
          return undefined
        },
      }),
    )
    await started
    const a = new Window('a')
    await a.open('c1')
    await a.until(/one/)
    hub.input('s', 'c1', 'hello\r')
    await a.until(/two hello/)
    const b = new Window('b')
    expect(await b.open('c1')).toContain('two hello')
    hub.input('s', 'c1', '\r')
    await Promise.all([a.until(/three/), b.until(/three/)])
    expect(await running).toMatchObject({ exit_code: 0 })
    for (const { seqs } of [a, b]) {
      const [start = 0] = seqs
      expect(seqs).toEqual(seqs.map((_, i) => start + i))
    }
    expect(() => hub.input('s', 'c1', 'x')).toThrow(/reads what is typed/)
  })

  it('keeps 256 colours, wide characters and emoji in what is saved, and no secret', async () => {
    const text = `printf '${E}[38;5;208morange${E}[0m 日本語 👩 \\n'; echo ${SECRET.slice(0, 20)}${SECRET.slice(20)}; exit 4`
    await hub.run({ session: 's', id: 'c2', title: `echo ${SECRET}` }, command(text))
    await listed((_, states) => states.every((state) => state === 'ended'))
    await hub.shutdown()
    hub = newHub()
    const [info] = await hub.list('s')
    expect(info).toMatchObject({ id: 'c2', state: 'ended', exit_code: 4, title: 'echo [REDACTED]', pid: null })
    const screen = await new Window('w').open('c2')
    expect(screen).toContain(`${E}[38;5;208morange`)
    expect(screen).toContain('日本語 👩')
    expect(screen).toContain('[REDACTED]')
    expect(screen).not.toContain(SECRET)
  })

  it('shows no secret that is printed in two halves, and nothing that acts', async () => {
    const w = new Window('w')
    const half = Math.floor(SECRET.length / 2)
    const running = hub.run(
      { session: 's', id: 'c3', title: 'x' },
      command(
        `read go; printf '%s' ${SECRET.slice(0, half)}; printf '%s\\n' ${SECRET.slice(half)};
        printf '\\033]52;c;ZXZpbA==\\007\\033]0;evil\\007\\033P$q"p\\033\\\\\\302\\2330c'; echo end`,
        { onSpawn: () => void w.open('c3').then(() => hub.input('s', 'c3', '\r')) },
      ),
    )
    await running
    await w.until(/end/)
    expect(w.text).toContain('[REDACTED]')
    expect(w.text).not.toContain(SECRET.slice(half))
    expect(w.text).not.toMatch(/evil|ZXZp/)
    expect(w.text).not.toContain(`${E}]`)
  })

  it('answers a program that asks where the cursor is', async () => {
    let text = ''
    const ask = `stty raw -echo; printf 'ab\\033[6n'; head -c 6 | od -c | head -1; stty sane`
    const onData = (bytes: Buffer) => {
      text += bytes.toString()
      return undefined
    }
    expect(await hub.run({ session: 's', id: 'c4', title: 'x' }, command(ask, { onData }))).toMatchObject({
      exit_code: 0,
    })
    expect(text).toMatch(/033\s+\[\s+1\s+;\s+3\s+R/)
  })

  it('a window that confirms nothing holds the program back; one that goes away does not', async () => {
    let bytes = 0
    const w = new Window('w', false)
    let opened: Promise<unknown> | null = null
    const running = hub.run(
      { session: 's', id: 'c5', title: 'flood' },
      command(`read go; head -c 5000000 /dev/zero | tr '\\0' x`, {
        onData: (piece) => {
          bytes += piece.length
          return undefined
        },
        onSpawn: () => {
          opened = w.open('c5').then(() => hub.input('s', 'c5', '\r'))
        },
      }),
    )
    await opened
    await w.grown(500_000)
    // What is held now stays held until the window goes.
    expect(w.text.length).toBeLessThan(1_500_000)
    hub.detachWindow('w')
    expect(await running).toMatchObject({ exit_code: 0 })
    expect(bytes).toBeGreaterThanOrEqual(5_000_000)
  })

  it('survives a flood: no byte lost, memory flat, the loop alive', async () => {
    let bytes = 0
    const total = 60 * 1024 * 1024
    await hub.run({ session: 's', id: 'warm', title: 'x' }, command('seq 100000'))
    const before = process.memoryUsage().rss
    let peak = before
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const w = new Window('w')
    const running = hub.run(
      { session: 's', id: 'c6', title: 'flood' },
      command(`stty -opost; yes 'a line of some sixty characters, as a training log may have' | head -c ${total}`, {
        onData: (piece) => {
          bytes += piece.length
          peak = Math.max(peak, process.memoryUsage.rss())
          w.text = w.text.slice(-1000)
          return undefined
        },
        onSpawn: () => void w.open('c6'),
      }),
    )
    const started = performance.now()
    expect(await running).toMatchObject({ exit_code: 0 })
    delay.disable()
    const seconds = (performance.now() - started) / 1000
    console.info(
      `flood: ${seconds.toFixed(1)} s, RSS +${Math.round((peak - before) / 1e6)} MB, longest delay ${Math.round(delay.max / 1e6)} ms, p99 ${Math.round(delay.percentile(99) / 1e6)} ms`,
    )
    expect(bytes).toBe(total)
    expect(peak - before).toBeLessThan(150e6)
  }, 60_000)

  it('goes on when its folder is deleted', async () => {
    const cwd = await mkdtemp(join(root, 'work-'))
    const outcome = await hub.run({ session: 's', id: 'c7', title: 'x' }, command('rm -r "$PWD"; echo still', { cwd }))
    expect(outcome).toMatchObject({ exit_code: 0 })
  })

  it('keeps the newest 50 of a session', async () => {
    for (let i = 0; i < 53; i += 1) await hub.run({ session: 's', id: `n${i}`, title: 'x' }, command('true'))
    await hub.shutdown()
    expect((await readdir(join(root, 's', 'terminals'))).length).toBeLessThanOrEqual(50)
    expect((await hub.list('s')).at(-1)?.id).toBe('n52')
  })

  it('is ended and removed when it is closed', async () => {
    let pid = 0
    let spawned = () => {}
    const up = new Promise<void>((resolve) => {
      spawned = resolve
    })
    const running = hub.run(
      { session: 's', id: 'c8', title: 'x' },
      command('sleep 300', {
        onSpawn: (terminal) => {
          pid = terminal.pid
          spawned()
        },
      }),
    )
    await up
    await hub.close('s', 'c8')
    expect(await running).toMatchObject({ signal: 'SIGTERM' })
    expect(await isAlive(pid)).toBe(false)
    expect(await hub.list('s')).toEqual([])
  })
})

describe('a shell of the user', () => {
  it('runs commands, has jobs, is resized by the newest window, ends and is kept', async () => {
    const info = await hub.openShell('s', root, { PATH: process.env.PATH, SHELL: '/bin/bash', HOME: root })
    expect(info).toMatchObject({ kind: 'shell', state: 'running', title: 'bash' })
    const w = new Window('w')
    await w.open(info.id)
    hub.resize('s', info.id, { cols: 91, rows: 17 })
    hub.input('s', info.id, 'stty size; sleep 300 & echo "job $!"\r')
    await w.until(/17 91[\s\S]*job \d+/)
    const pid = Number(/job (\d+)/.exec(w.text)?.[1])
    hub.input('s', info.id, 'kill %1; wait; exit 3\r')
    await listed((_, states) => states.every((state) => state === 'ended'))
    expect((await hub.list('s'))[0]).toMatchObject({ exit_code: 3 })
    expect(await isAlive(pid)).toBe(false)
  })

  it('is ended with all its jobs when it is closed', async () => {
    const info = await hub.openShell('s', root, { PATH: process.env.PATH, SHELL: '/bin/bash', HOME: root })
    const w = new Window('w')
    await w.open(info.id)
    hub.input('s', info.id, 'sleep 300 & echo "job $!"\r')
    await w.until(/job \d+/)
    const pid = Number(/job (\d+)/.exec(w.text)?.[1])
    await hub.close('s', info.id)
    expect(await isAlive(pid)).toBe(false)
    expect(await isAlive(info.pid ?? 0)).toBe(false)
    expect(await hub.list('s')).toEqual([])
  })

  it('says why it cannot be opened', async () => {
    await expect(hub.openShell('s', '/nowhere', { PATH: process.env.PATH })).rejects.toThrow(/not there/)
  })
})

describe('background processes', () => {
  it('are listed, named, found again after a restart, and killed', async () => {
    await hub.run(
      { session: 's', id: 'b1', title: 'x' },
      command('setsid sleep 301 & nohup sleep 302 >/dev/null 2>&1 &'),
    )
    const list = await hub.background.list('s')
    expect(list.map(({ command: line }) => line).sort()).toEqual(['sleep 301', 'sleep 302'])
    expect(list[0]).toMatchObject({ tool_call_id: 'b1', cwd: '/' })
    expect(await hub.background.sentence('s')).toMatch(/^Still running in the background: sleep 30[12] \(process \d+\)/)
    await hub.shutdown()
    hub = newHub()
    const again = await hub.background.list('s')
    expect(again).toEqual(list)
    for (const { pid } of again) {
      expect(await hub.background.kill('s', pid, new AbortController().signal)).toBe(true)
      expect(await isAlive(pid)).toBe(false)
    }
    expect(await hub.background.list('s')).toEqual([])
    expect(await hub.background.sentence('s')).toBe('')
    expect(await hub.background.kill('s', process.pid, new AbortController().signal)).toBe(false)
  })

  it('go on in the terminal of the ended command', async () => {
    const w = new Window('w')
    await hub.run(
      { session: 's', id: 'b2', title: 'x' },
      command(`(until [ -e ${root}/go ]; do sleep 0.02; done; echo late) &`),
    )
    await w.open('b2')
    await hub.run({ session: 's', id: 'b3', title: 'x' }, command(`touch ${root}/go`))
    await w.until(/late/)
    await listed((_, states) => states.every((state) => state === 'ended'))
  })
})
