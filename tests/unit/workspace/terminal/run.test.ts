import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type RunningTerminal, runInTerminal, type TerminalCommand } from '../../../../src/main/workspace/terminal/run'
import { isAlive } from '../../tools/context'

interface Run {
  text: string
  bytes: number
  outcome: ReturnType<typeof runInTerminal>
  /** Resolves when the output matches. */
  until: (pattern: RegExp) => Promise<RegExpExecArray>
  terminal: Promise<RunningTerminal>
}

function run(command: string, change: Partial<TerminalCommand> = {}): Run {
  const waiters: (() => void)[] = []
  let spawned = (_: RunningTerminal) => {}
  const terminal = new Promise<RunningTerminal>((resolve) => {
    spawned = resolve
  })
  const state: Run = {
    text: '',
    bytes: 0,
    terminal,
    outcome: Promise.reject(new Error('not started')),
    until: (pattern) =>
      new Promise((resolve) => {
        const look = () => {
          const found = pattern.exec(state.text)
          if (found) resolve(found)
        }
        waiters.push(look)
        look()
      }),
  }
  state.outcome.catch(() => {})
  state.outcome = runInTerminal({
    command,
    cwd: '/',
    env: { PATH: process.env.PATH, TERM: 'xterm-256color' },
    timeout_ms: 15_000,
    signal: new AbortController().signal,
    cols: 100,
    rows: 30,
    onSpawn: spawned,
    onData: (bytes) => {
      state.text += bytes.toString('latin1')
      state.bytes += bytes.length
      for (const look of waiters) look()
      return undefined
    },
    ...change,
  })
  return state
}

const FAST = `head -c 20480 /dev/zero | tr '\\0' x`
const ways = ['node', 'library'] as const

describe.each(ways)('runInTerminal, started by %s', (way) => {
  it('loses no byte of 100 commands that write and end at once, nor of 100 in eights', async () => {
    let lost = 0
    const one = async () => {
      const shell = run(FAST, { way })
      await shell.outcome
      if (shell.text !== 'x'.repeat(20480)) lost += 1
    }
    for (let i = 0; i < 100; i += 1) await one()
    for (let i = 0; i < 104; i += 8) await Promise.all(Array.from({ length: 8 }, one))
    expect(lost).toBe(0)
  })

  it('reports exit code, signal, and the code of a shell inside as they are', async () => {
    expect(await run('exit 3', { way }).outcome).toMatchObject({ exit_code: 3, signal: null, ended_by: 'exit' })
    expect(await run('kill -SEGV $$', { way }).outcome).toMatchObject({ exit_code: null, signal: 'SIGSEGV' })
    expect(await run("sh -c 'kill -9 $$'; exit $?", { way }).outcome).toMatchObject({ exit_code: 137, signal: null })
  })

  it('is a terminal with the size asked for, and its own', async () => {
    const shell = run('stty size </dev/tty; test -t 0 && test -t 1 && test -t 2 && tty', { way })
    expect(await shell.outcome).toMatchObject({ exit_code: 0 })
    expect(shell.text).toMatch(/^30 100\r\n\/dev\/(pts|tty)/)
  })

  it('gives Ctrl+C to the program in front', async () => {
    const shell = run('trap "echo got it; exit 7" INT; echo ready; while :; do sleep 0.01; done', { way })
    await shell.until(/ready/)
    ;(await shell.terminal).write('\u0003')
    expect(await shell.outcome).toMatchObject({ exit_code: 7 })
    expect(shell.text).toContain('got it')
  })

  it('loses no byte when the program leaves the terminal raw', async () => {
    const shell = run(`stty raw -echo; ${FAST}`, { way })
    await shell.outcome
    expect(shell.text).toBe('x'.repeat(20480))
  })
})

describe('runInTerminal', () => {
  it('loses no byte when the reader is slow and the program ended long before', async () => {
    let bytes = 0
    const release: (() => void)[] = []
    const shell = run(`head -c 60000 /dev/zero | tr '\\0' x`, {
      onData: (piece) => {
        bytes += piece.length
        return new Promise((resolve) => {
          release.push(resolve)
          setImmediate(() => release.shift()?.())
        })
      },
    })
    expect(await shell.outcome).toMatchObject({ exit_code: 0 })
    expect(bytes).toBe(60_000)
  })

  it('ends although output was stopped with Ctrl+S', async () => {
    const shell = run('echo first; read line; echo second')
    await shell.until(/first/)
    const terminal = await shell.terminal
    terminal.write('\u0013')
    terminal.write('\u0011go\r')
    expect(await shell.outcome).toMatchObject({ exit_code: 0 })
    expect(shell.text).toContain('second')
  })

  it('passes bytes that are no UTF-8', async () => {
    const shell = run(`printf '\\377\\376a\\303'`)
    await shell.outcome
    expect(Buffer.from(shell.text, 'latin1')).toEqual(Buffer.from([0xff, 0xfe, 0x61, 0xc3]))
  })

  it('resizes, and the program is told', async () => {
    const shell = run(`trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.01; done`)
    await shell.until(/ready/)
    const terminal = await shell.terminal
    for (let i = 0; i < 500; i += 1) terminal.resize(20 + (i % 100), 10 + (i % 40))
    terminal.resize(77, 33)
    await shell.outcome
    expect(shell.text).toContain('33 77')
  })

  it('on timeout ends a child that ignores SIGTERM and one that left the group', async () => {
    const shell = run(
      `trap '' TERM; echo $$; setsid sleep 300 & echo $!; (trap '' TERM; sleep 300) & wait; sleep 300`,
      {
        timeout_ms: 300,
      },
    )
    expect(await shell.outcome).toMatchObject({ ended_by: 'timeout' })
    const pids = [...shell.text.matchAll(/\d+/g)].map(([pid]) => Number(pid))
    expect(pids.length).toBeGreaterThanOrEqual(2)
    for (const pid of pids) expect(await isAlive(pid)).toBe(false)
  })

  it('ends at once on abort, also while output is held back for ever', async () => {
    const stop = new AbortController()
    const shell = run('yes', { signal: stop.signal, onData: () => new Promise(() => {}) })
    await shell.terminal
    stop.abort()
    expect(await shell.outcome).toMatchObject({ ended_by: 'abort' })
  })

  it('rejects with the error of the reader and ends the command', async () => {
    const shell = run('echo a; sleep 300', { onData: () => Promise.reject(new Error('disk')) })
    await expect(shell.outcome).rejects.toThrow('disk')
  })

  it('says when the command waits for input, and that it goes on', async () => {
    const states: boolean[] = []
    let announce = () => {}
    const waiting = new Promise<void>((resolve) => {
      announce = resolve
    })
    const shell = run('read -p "name? " name; echo hello $name', {
      onWaiting: (now) => {
        states.push(now)
        if (now) announce()
      },
    })
    await waiting
    ;(await shell.terminal).write('Ada\r')
    expect(await shell.outcome).toMatchObject({ exit_code: 0 })
    expect(shell.text).toContain('hello Ada')
    expect(states).toEqual([true, false])
  })

  it('ends a command whose question nobody answers: python asks with select, not read', async () => {
    const shell = run(`python3 -c 'input("sure? ")'`, { input_wait_ms: 10 })
    expect(await shell.outcome).toMatchObject({ ended_by: 'input' })
    expect(shell.text).toContain('sure?')
  })

  it('does not take a quiet program for one that waits', async () => {
    const states: boolean[] = []
    const shell = run('sleep 2', { onWaiting: (now) => states.push(now), input_wait_ms: 1 })
    expect(await shell.outcome).toMatchObject({ ended_by: 'exit', exit_code: 0 })
    expect(states).toEqual([])
  })

  it('hands over the terminal of a background process, which lives on', async () => {
    let late = ''
    let seen = () => {}
    const heard = new Promise<void>((resolve) => {
      seen = resolve
    })
    const dir = await mkdtemp(join(tmpdir(), 'ml-intern-terminal-'))
    let close = () => {}
    const shell = run(`(until [ -e ${dir}/go ]; do sleep 0.02; done; echo late) & echo $!`, {
      onLinger: (pty) => {
        close = () => pty.close()
      },
      onData: (bytes) => {
        late += bytes.toString()
        if (late.includes('late')) seen()
        return undefined
      },
    })
    expect(await shell.outcome).toMatchObject({ exit_code: 0, pipes_held: true })
    await writeFile(join(dir, 'go'), '')
    await heard
    close()
    await rm(dir, { recursive: true })
  })

  it('does not wait for a background process that never stops writing', async () => {
    const shell = run('yes & echo $!')
    const outcome = await shell.outcome
    expect(outcome).toMatchObject({ exit_code: 0, pipes_held: true })
    const pid = outcome.trace?.group
    expect(pid).toBeDefined()
    // Its terminal is gone: what it writes fails.
    if (pid) await ended(-pid)
  })

  it('keeps other terminals from the programs it starts', async () => {
    const shells = [run('read x'), run('read x')]
    for (const shell of shells) await shell.terminal
    const looker = run('ls -l /proc/self/fd | grep -c ptmx')
    await looker.outcome
    expect(looker.text.trim()).toBe('0')
    for (const shell of shells) (await shell.terminal).write('\r')
    for (const shell of shells) await shell.outcome
  })

  it('leaves no descriptor open', async () => {
    const { readdir } = await import('node:fs/promises')
    await run('true').outcome
    await new Promise(setImmediate)
    const before = (await readdir('/proc/self/fd')).length
    for (let i = 0; i < 30; i += 1) await run('true').outcome
    await new Promise(setImmediate)
    expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before + 1)
  })

  it('refuses a folder that is not there, a NUL and an endless command in words', async () => {
    await expect(run('true', { cwd: '/nowhere/at/all' }).outcome).rejects.toMatchObject({ code: 'not_found' })
    await expect(run('a\0b').outcome).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(run(`: ${'x'.repeat(300_000)}`).outcome).rejects.toMatchObject({ code: 'invalid_request' })
  })

  it('reports the time to the end of the shell', async () => {
    const { duration_ms } = await run('sleep 0.2').outcome
    expect(duration_ms).toBeGreaterThanOrEqual(195)
    expect(duration_ms).toBeLessThan(1500)
  })
})

async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise(setImmediate)
  }
}
