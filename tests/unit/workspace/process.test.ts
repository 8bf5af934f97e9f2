import { getEventListeners } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { killAllProcesses, runShell, type ShellOptions } from '../../../src/main/workspace/process'
import { isAlive } from '../tools/context'

interface Run {
  text: string
  /** Fulfilled with the first output that has a whole line. */
  firstLine: Promise<string>
  outcome: ReturnType<typeof runShell>
}

function run(command: string, change: Partial<ShellOptions> = {}): Run {
  let announce = (_: string) => {}
  const firstLine = new Promise<string>((resolve) => {
    announce = resolve
  })
  const state: Run = { text: '', firstLine, outcome: Promise.reject(new Error('not started')) }
  state.outcome.catch(() => {})
  state.outcome = runShell({
    command,
    cwd: '/',
    env: { PATH: process.env.PATH },
    timeout_ms: 15_000,
    signal: new AbortController().signal,
    onData: (chunk) => {
      state.text += chunk.toString()
      if (state.text.includes('\n')) announce(state.text)
      return undefined
    },
    ...change,
  })
  return state
}

const pidsOf = (text: string) => [...text.matchAll(/\d+/g)].map(([pid]) => Number(pid))

describe('runShell', () => {
  it('reports the exit code', async () => {
    expect(await run('exit 3').outcome).toEqual({ exit_code: 3, signal: null, ended_by: 'exit', pipes_held: false })
  })

  it('reports the signal that ended the shell', async () => {
    expect(await run('kill -SEGV $$').outcome).toMatchObject({ exit_code: null, signal: 'SIGSEGV', ended_by: 'exit' })
  })

  it('gives no input: a command that reads ends instead of waiting', async () => {
    const shell = run('read line; echo "rc=$?"')
    expect(await shell.outcome).toMatchObject({ exit_code: 0 })
    expect(shell.text).toBe('rc=1\n')
  })

  it('keeps the order in which stdout and stderr were written', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'ml-intern-process-'))
    const parts: string[] = []
    // Every line waits until the one before it was seen.
    const command = `for i in 1 2 3; do
      echo o$i; until [ -e ${dir}/o$i ]; do :; done
      echo e$i >&2; until [ -e ${dir}/e$i ]; do :; done
    done`
    const onData = async (chunk: Buffer) => {
      parts.push(chunk.toString())
      await writeFile(join(dir, chunk.toString().trim()), '')
    }
    await run(command, { onData }).outcome
    await rm(dir, { recursive: true })
    expect(parts).toEqual(['o1\n', 'e1\n', 'o2\n', 'e2\n', 'o3\n', 'e3\n'])
  })

  it('on timeout ends the whole tree: no grandchild is left', async () => {
    const shell = run('(sleep 300 & echo $!; wait) & sleep 300 & echo $!; wait', { timeout_ms: 400 })
    expect(await shell.outcome).toMatchObject({ ended_by: 'timeout' })
    const pids = pidsOf(shell.text)
    expect(pids).toHaveLength(2)
    for (const pid of pids) expect(await isAlive(pid)).toBe(false)
  })

  it('on abort keeps what came, and ends a child that left the process group (torchrun workers do)', async () => {
    const controller = new AbortController()
    const shell = run('setsid sleep 300 & echo $!; sleep 300', { signal: controller.signal })
    const [pid = 0] = pidsOf(await shell.firstLine)
    controller.abort()
    expect(await shell.outcome).toMatchObject({ ended_by: 'abort', signal: 'SIGTERM' })
    expect(shell.text).toContain(String(pid))
    expect(await isAlive(pid)).toBe(false)
  })

  it('forces a child that ignores SIGTERM after the shell itself has gone', async () => {
    const controller = new AbortController()
    const stubborn = `(trap '' TERM; echo $BASHPID; exec >/dev/null 2>&1; while :; do sleep 0.2; done) & sleep 300`
    const shell = run(stubborn, { signal: controller.signal })
    const [pid = 0] = pidsOf(await shell.firstLine)
    const start = performance.now()
    controller.abort()
    expect(await shell.outcome).toMatchObject({ ended_by: 'abort' })
    expect(await isAlive(pid)).toBe(false)
    expect(performance.now() - start).toBeGreaterThan(1900)
  })

  it('does not start a command that is interrupted already', async () => {
    const shell = run('echo ran', { signal: AbortSignal.abort() })
    expect(await shell.outcome).toMatchObject({ ended_by: 'abort', exit_code: null })
    expect(shell.text).toBe('')
  })

  it('does not wait for a background process that holds the pipes, and does not kill it', async () => {
    const start = performance.now()
    const shell = run('sleep 300 & echo $!')
    expect(await shell.outcome).toMatchObject({ exit_code: 0, ended_by: 'exit', pipes_held: true })
    expect(performance.now() - start).toBeLessThan(3000)
    const [pid = 0] = pidsOf(shell.text)
    expect(await isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })

  it('does not wait for ever for a background process that never stops writing', async () => {
    const shell = run('(while :; do echo tick; sleep 0.05; done) & echo started')
    // The writer ends by itself (SIGPIPE) once nobody reads.
    expect(await shell.outcome).toMatchObject({ exit_code: 0, pipes_held: true })
  })

  it('holds both pipes back while the consumer is busy', async () => {
    let busy = 0
    let most = 0
    let bytes = 0
    const onData = async (chunk: Buffer) => {
      busy += 1
      most = Math.max(most, busy)
      bytes += chunk.length
      await setImmediate()
      busy -= 1
    }
    await run('head -c 3000000 /dev/zero', { onData }).outcome
    expect(bytes).toBe(3_000_000)
    // One piece more may be on its way when the pipes are paused, and node resumes them at exit.
    expect(most).toBeLessThanOrEqual(3)
  })

  it('rejects when the consumer fails, and ends the command', async () => {
    const onData = async () => {
      throw new Error('consumer broke')
    }
    await expect(run('echo x; sleep 300', { onData }).outcome).rejects.toThrow('consumer broke')
  })

  it('explains a command that is too long for the system, and one with a NUL character', async () => {
    await expect(run(`: ${'x'.repeat(200_000)}`).outcome).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(run('echo \0').outcome).rejects.toMatchObject({ code: 'invalid_request' })
  })

  it('says so when there is no shell', async () => {
    await expect(run('true', { env: { PATH: '/nowhere' } }).outcome).rejects.toMatchObject({ code: 'resource_missing' })
  })

  it('loses no byte of 200 commands that write and end at once', async () => {
    const sizes: number[] = []
    const worker = async () => {
      for (let i = 0; i < 25; i += 1) {
        const shell = run("head -c 20480 /dev/zero | tr '\\0' x")
        await shell.outcome
        sizes.push(shell.text.length)
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    expect(sizes).toEqual(Array.from({ length: 200 }, () => 20_480))
  })

  it('leaves no listener on the signal: a session has one for thousands of commands', async () => {
    const { signal } = new AbortController()
    await run('true', { signal }).outcome
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('ends what still runs when the program ends', async () => {
    const shell = run('echo $$; sleep 300')
    const [pid = 0] = pidsOf(await shell.firstLine)
    killAllProcesses()
    expect(await shell.outcome).toMatchObject({ signal: 'SIGKILL' })
    expect(await isAlive(pid)).toBe(false)
  })
})
