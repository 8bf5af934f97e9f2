import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bashTool } from '../../../src/main/tools/bash'
import { call, isAlive, removeContext, type TestContext, testContext } from './context'

describe('bash', () => {
  let context: TestContext
  beforeEach(async () => {
    context = await testContext()
  })
  afterEach(() => removeContext(context))

  const bash = (input: Record<string, unknown>, change: Partial<TestContext> = {}) =>
    call(bashTool, input, { ...context, ...change })

  it('returns the output and details of a command', async () => {
    const result = await bash({ command: 'echo hello; echo problem >&2; pwd' })
    expect(result.ok).toBe(true)
    expect(result.output.split('\n').toSorted()).toEqual([context.cwd, 'hello', 'problem'].toSorted())
    expect(result.details).toEqual({
      kind: 'command',
      command: 'echo hello; echo problem >&2; pwd',
      cwd: context.cwd,
      exit_code: 0,
      signal: null,
      timed_out: false,
    })
    expect(context.logged.map(({ text }) => text).join('')).toContain('hello\n')
  })

  it('shows the exit code of a failed command, which the reference hides', async () => {
    const result = await bash({ command: 'echo no >&2; exit 7' })
    expect(result).toMatchObject({ ok: false, output: 'no\nExit code: 7', details: { exit_code: 7 } })
  })

  it('says when a command printed nothing', async () => {
    expect(await bash({ command: 'true' })).toMatchObject({ ok: true, output: '(no output)' })
    expect((await bash({ command: 'exit 1' })).output).toBe('(no output)\nExit code: 1')
  })

  it('names the signal, and the likely reason of SIGKILL', async () => {
    const result = await bash({ command: 'kill -KILL $$' })
    expect(result).toMatchObject({ ok: false, details: { exit_code: null, signal: 'SIGKILL' } })
    expect(result.output).toContain('signal SIGKILL (often the system ran out of memory)')
    expect((await bash({ command: "bash -c 'kill -KILL $$'; exit $?" })).output).toContain('Exit code: 137 (killed')
  })

  it('takes colours out of what the model reads and leaves them in the terminal', async () => {
    const result = await bash({ command: "printf '\\033[31mred\\033[0m'" })
    expect(result.output).toBe('red')
    expect(context.logged.map(({ text }) => text).join('')).toBe('\x1b[31mred\x1b[0m')
  })

  it('does not tear UTF-8 characters that come in pieces', async () => {
    const command = `printf '\\xf0\\x9f'; printf ' ' >&2; printf '\\x98'; printf ' ' >&2; printf '\\x80'`
    const result = await bash({ command })
    expect(result.output.replaceAll(' ', '')).toBe('😀')
    const live = context.logged.filter(({ stream }) => stream === 'stdout')
    expect(live.map(({ text }) => text).join('')).toBe('😀')
  })

  it('stops at the timeout, says so with advice, and keeps what came', async () => {
    const result = await bash({ command: 'echo before; sleep 300', timeout: 0.4 })
    expect(result).toMatchObject({ ok: false, details: { timed_out: true } })
    expect(result.output).toMatch(/^before\nTimed out after 0\.4 s: .*nohup/s)
  })

  it('on interrupt ends the tree and keeps what came', async () => {
    const controller = new AbortController()
    const seen = new Promise<string>((resolve) => {
      context.log = (text) => resolve(text)
    })
    const running = bash({ command: 'sleep 300 & echo $!; wait' }, { signal: controller.signal })
    const pid = Number(await seen)
    const start = performance.now()
    controller.abort()
    const result = await running
    expect(performance.now() - start).toBeLessThan(1500)
    expect(result.ok).toBe(false)
    expect(result.output).toMatch(new RegExp(`^${pid}\\nInterrupted by the user`))
    expect(await isAlive(pid)).toBe(false)
  })

  it('says that a background process holds the output, and how to do it better', async () => {
    const result = await bash({ command: 'sleep 300 & echo $!' })
    expect(result.ok).toBe(true)
    expect(result.output).toMatch(/^\d+\nNote: .*nohup COMMAND > FILE 2>&1 &/s)
    process.kill(Number.parseInt(result.output, 10), 'SIGKILL')
  })

  it('comes back at once from a background process whose output goes to a file', async () => {
    const result = await bash({ command: 'nohup sleep 300 > log 2>&1 & echo $!' })
    expect(result.output).toMatch(/^\d+$/)
    expect(await isAlive(Number(result.output))).toBe(true)
    process.kill(Number(result.output), 'SIGKILL')
  })

  it('runs in work_dir, and refuses one that is missing or a file', async () => {
    await mkdir(join(context.cwd, 'sub'))
    await writeFile(join(context.cwd, 'file'), '')
    expect((await bash({ command: 'pwd', work_dir: 'sub' })).output).toBe(join(context.cwd, 'sub'))
    expect(await bash({ command: 'pwd', work_dir: 'subs' })).toMatchObject({ ok: false })
    expect((await bash({ command: 'pwd', work_dir: 'subs' })).output).toContain('Similar names there: sub')
    expect((await bash({ command: 'pwd', work_dir: 'file' })).output).toContain('not a folder')
  })

  it('gives the command the given environment and nothing of ours, and keeps pagers and prompts away', async () => {
    vi.stubEnv('ML_INTERN_TEST_SECRET', 'secret')
    const { output } = await bash({ command: 'env' })
    vi.unstubAllEnvs()
    expect(output).not.toContain('secret')
    expect(output).toContain('PYTHONUNBUFFERED=1')
    expect(output).toContain('PAGER=cat')
    expect(output).toContain('GIT_TERMINAL_PROMPT=0')
  })

  it('streams while the command runs', async () => {
    const path = join(context.cwd, 'go')
    context.log = (text) => {
      // The command ends only when its first line was seen.
      if (text.includes('first')) void writeFile(path, '')
    }
    const result = await bash({ command: 'echo first; until [ -e go ]; do :; done; echo second', timeout: 15 })
    expect(result).toMatchObject({ ok: true, output: 'first\nsecond' })
  })

  it('gives the beginning and the end of a long output, and the path of the whole', async () => {
    const result = await bash({ command: 'seq 1 20000' }, { call_id: 'toolu/../1' })
    const whole = `${Array.from({ length: 20_000 }, (_, i) => i + 1).join('\n')}\n`
    const [head = '', notice = '', tail = ''] = result.output.split(/\n\n(\[[^\]]*\])\n\n/)
    expect(head).toBe(whole.slice(0, 6250))
    expect(`${tail}\n`).toBe(whole.slice(-18_750))
    const path = join(context.outputs_dir, 'bash-toolu____1.txt')
    expect(notice).toContain(`${whole.length - 25_000} of ${whole.length} characters`)
    expect(notice).toContain(path)
    expect(await readFile(path, 'utf8')).toBe(whole)
    expect(result.spill).toEqual({
      file: 'bash-toolu____1.txt',
      bytes: whole.length,
      omitted_chars: whole.length - 25_000,
    })
  })

  it('makes no file for a short output', async () => {
    await bash({ command: 'seq 1 100' })
    expect(await readdir(context.cwd)).toEqual([])
  })

  it('still gives head and tail when the file cannot be written, and says why', async () => {
    await writeFile(join(context.cwd, 'blocked'), '')
    const result = await bash({ command: 'seq 1 200000' }, { outputs_dir: join(context.cwd, 'blocked/outputs') })
    expect(result.ok).toBe(true)
    expect(result.output).toContain('could not be kept: ENOTDIR')
    expect(result.output.endsWith('200000')).toBe(true)
    expect(result.spill).toBeUndefined()
  })

  it('a flood of 96 MB: no byte lost, memory flat, few live pieces', async () => {
    const bytes = 96_000_000
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    let peak = before
    let live = 0
    let pieces = 0
    context.log = (text) => {
      pieces += 1
      live += text.length
      peak = Math.max(peak, process.memoryUsage().rss)
    }
    const sampler = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss)
    }, 5)
    const start = performance.now()
    const line = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
    const result = await bash({ command: `yes ${line} | head -c ${bytes}` })
    const seconds = (performance.now() - start) / 1000
    clearInterval(sampler)
    expect(result.spill?.bytes).toBe(bytes)

    const expected = createHash('sha256')
    const block = Buffer.from(`${line}\n`.repeat(16_384))
    for (let at = 0; at < bytes; at += block.length) expected.update(block.subarray(0, bytes - at))
    const found = createHash('sha256')
    for await (const chunk of createReadStream(join(context.outputs_dir, 'bash-call_1.txt'))) found.update(chunk)
    expect(found.digest('hex')).toBe(expected.digest('hex'))
    expect(peak - before).toBeLessThan(80_000_000)
    expect(live).toBeLessThan(2_200_000 + seconds * 10_000)
    expect(pieces).toBeLessThan(50 + seconds * 60)
  })

  it('never holds up the event loop for 50 ms during a flood', { retry: 2 }, async () => {
    const flood = "head -c 30000000 /dev/zero | tr '\\0' x"
    await bash({ command: 'head -c 1000000 /dev/zero' }, { call_id: 'warm' })
    // The same work without output tells what a busy machine adds by itself.
    const machine = await longestDelay(() => bash({ command: `${flood} > /dev/null` }))
    const ours = await longestDelay(() => bash({ command: flood }))
    expect(ours - machine).toBeLessThan(50)
  })

  it('refuses arguments out of range', () => {
    expect(bashTool.schema.safeParse({ command: 'x', timeout: 36_001 }).success).toBe(false)
    expect(bashTool.schema.safeParse({ command: '  ' }).success).toBe(false)
    expect(bashTool.schema.safeParse({ command: 'x', shell: 'zsh' }).success).toBe(false)
  })

  it('intent is one line', () => {
    expect(bashTool.intent({ command: 'python train.py' })).toBe('python train.py')
    expect(bashTool.intent({ command: 'cat > x <<E\na\nE' })).toBe('cat > x <<E …')
    expect(bashTool.intent({ command: 'x'.repeat(500) })).toHaveLength(120)
    expect(bashTool.effect({ command: 'ls' })).toBe('execute')
  })
})

/** Milliseconds the event loop was held up at most. */
async function longestDelay(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  await work()
  delay.disable()
  return delay.max / 1e6
}
