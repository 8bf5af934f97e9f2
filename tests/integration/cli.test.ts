import { execFile, spawnSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TRANSIENT_EVENTS } from '@shared/events'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CLI, eventsOf, runCli } from '../support/cli'
import { parseLog, TEST_KEY, temporaryFolder } from '../support/engine'
import { createGate, type FakeAnthropic, type Script, startFakeAnthropic } from '../support/fake-anthropic'

const execute = promisify(execFile)
let folder: string
let remove: () => Promise<void>
const servers: FakeAnthropic[] = []

beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made.path
  remove = made.remove
})
afterEach(async () => {
  const closed = await Promise.allSettled(servers.splice(0).map((server) => server.close()))
  await remove()
  for (const result of closed) if (result.status === 'rejected') throw result.reason
})

async function serve(script: Script, options: { knownModels?: string[] } = {}) {
  const server = await startFakeAnthropic(script, { apiKey: TEST_KEY, ...options })
  servers.push(server)
  return { server, env: { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: server.url } }
}
const text = (value: string, chunks: number | string[] = 1) => ({
  blocks: [{ type: 'text' as const, text: value, chunks }],
})
const tool = (name: string, input: Record<string, unknown>) => ({ type: 'tool_use' as const, name, input })
const plan = (...status: ('pending' | 'in_progress' | 'completed')[]) =>
  tool('plan_tool', { todos: status.map((s, i) => ({ id: String(i + 1), content: `Step ${i + 1}`, status: s })) })
const logFile = (id: string) => join(folder, 'home/sessions', id, 'events.jsonl')

/** Every byte of every file under a folder. */
async function everything(path: string): Promise<string> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n')
}

const TRAIN = `import csv
rows = list(csv.DictReader(open('data.csv')))
classes = [r['label'] for r in rows]
best = max(set(classes), key=classes.count)
print(f"rows={len(rows)} accuracy={classes.count(best) / len(rows):.4f}", flush=True)
`

describe('ml-intern "prompt"', () => {
  it('runs plan_tool, bash, write and read with real Python; every durable event printed is on disk with its number', async () => {
    await writeFile(join(folder, 'data.csv'), 'x,label\n1,a\n2,a\n3,a\n4,b\n')
    const { server, env } = await serve([
      {
        blocks: [
          { type: 'thinking', thinking: 'Look first.' },
          plan('in_progress', 'pending'),
          tool('bash', { command: 'head data.csv' }),
        ],
      },
      { blocks: [tool('write', { path: 'train.py', content: TRAIN }), tool('bash', { command: 'python3 train.py' })] },
      { blocks: [tool('read', { path: 'train.py' }), plan('completed', 'completed')] },
      text('The baseline accuracy is 0.7500.', 5),
    ])
    const run = runCli(['train a classifier on data.csv', '--output-format', 'stream-json'], { cwd: folder, env })
    expect(await run.done, run.stderr()).toBe(0)

    const printed = eventsOf(run.stdout())
    const id = printed[0]?.session ?? ''
    expect(printed.map((e) => e.seq)).toEqual(printed.map((_, i) => (printed[0]?.seq ?? 0) + i))
    const stored = parseLog(await readFile(logFile(id), 'utf8'))
    const bySeq = new Map(stored.map((event) => [event.seq, event]))
    for (const event of printed) if (!TRANSIENT_EVENTS.has(event.type)) expect(bySeq.get(event.seq)).toEqual(event)
    const outputs = printed.flatMap((e) => (e.type === 'tool_output' ? [(e.data as { output: string }).output] : []))
    expect(outputs.join('\n')).toContain('rows=4 accuracy=0.7500')
    expect(foldEvents(initialState(id), stored)).toMatchObject({ last_outcome: 'finished', status: 'idle' })

    const everywhere = `${run.stdout()}${run.stderr()}${await everything(join(folder, 'home'))}`
    expect(everywhere).not.toContain(TEST_KEY)
    expect(everywhere).not.toContain(TEST_KEY.slice(7))
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${TEST_KEY}`)
  })

  it('prints the reply on stdout and everything else on stderr in text form, without colours in a pipe', async () => {
    const { env } = await serve([{ blocks: [tool('bash', { command: 'echo hi' })] }, text('All is well.', 3)])
    const run = runCli(['hello'], { cwd: folder, env })
    expect(await run.done).toBe(0)
    expect(run.stdout().trim()).toBe('All is well.')
    expect(run.stderr()).toContain('echo hi')
    expect(run.stdout() + run.stderr()).not.toContain('\u001b[')
  })

  it('prints one object in json form', async () => {
    const { env } = await serve([{ blocks: [plan('completed')] }, text('Done.')])
    const run = runCli(['hello', '--output-format', 'json', '--no-stream'], { cwd: folder, env })
    expect(await run.done).toBe(0)
    const result = JSON.parse(run.stdout())
    expect(Object.keys(result)).toEqual([
      'session',
      'status',
      'final_response',
      'usage',
      'cost_usd',
      'plan',
      'artifacts',
    ])
    expect(result).toMatchObject({ final_response: 'Done.', plan: [{ content: 'Step 1', status: 'completed' }] })
    expect(result.cost_usd).toBeGreaterThan(0)
  })

  it('goes on with --continue and --session, with the whole conversation', async () => {
    const { server, env } = await serve([text('One.'), text('Two.'), text('Three.')])
    const first = runCli(['first', '--output-format', 'json'], { cwd: folder, env })
    expect(await first.done).toBe(0)
    const { session } = JSON.parse(first.stdout())
    expect(await runCli(['second', '--continue'], { cwd: folder, env }).done).toBe(0)
    expect(await runCli(['third', '--session', session.slice(0, 8)], { cwd: folder, env }).done).toBe(0)
    const said = server.requests[2]?.body.messages.map((m) => m.content.map((c) => c.text).join())
    expect(said).toEqual(['first', 'One.', 'second', 'Two.', 'third'])
  })

  it('stops at --max-iterations with exit code 3', async () => {
    const { env } = await serve([{ blocks: [tool('bash', { command: 'true' })] }])
    expect(await runCli(['go', '--max-iterations', '1'], { cwd: folder, env }).done).toBe(3)
  })

  it('exits with 5 when a call needs an approval that nobody can give', async () => {
    const { env } = await serve([{ blocks: [tool('bash', { command: 'touch made' })] }])
    const run = runCli(['go', '--approve', 'ask'], { cwd: folder, env })
    expect(await run.done).toBe(5)
    expect(await readdir(folder)).not.toContain('made')
  })

  it('exits with 130 on Ctrl+C and keeps the partial reply', async () => {
    const gate = createGate()
    const { env } = await serve([
      { ...text('Half a reply', ['Half ', 'a reply']), gate, afterChunks: 1, unbatched: true },
    ])
    const run = runCli(['go', '--output-format', 'stream-json'], { cwd: folder, env })
    await run.event('assistant_chunk')
    run.child.kill('SIGINT')
    expect(await run.done).toBe(130)
    const events = eventsOf(run.stdout())
    expect(events.at(-1)?.type).toBe('interrupted')
    expect(events.find((e) => e.type === 'assistant_message')?.data).toMatchObject({ content: 'Half ', partial: true })
  })

  it('exits with 1 when the provider refuses the key, and says what to do', async () => {
    const { env } = await serve([])
    const run = runCli(['go'], { cwd: folder, env: { ...env, ANTHROPIC_API_KEY: 'sk-ant-wrong-key-000000' } })
    expect(await run.done).toBe(1)
    expect(run.stderr()).toContain('key')
    expect(run.stderr()).not.toContain('sk-ant-wrong-key-000000')
  })
})

describe('a crash', () => {
  it('loses nothing that was acknowledged: kill -9 in mid-reply, then --session goes on', async () => {
    const gate = createGate()
    const half = { ...text('Half a reply that never ends', ['Half a reply ', 'that never ends']), gate, afterChunks: 1 }
    const { server, env } = await serve([
      { blocks: [tool('bash', { command: 'echo one' })] },
      { ...half, unbatched: true },
      text('Back again.'),
    ])
    const run = runCli(['go', '--output-format', 'stream-json'], { cwd: folder, env })
    await run.event('assistant_chunk')
    // One second later at most the partial reply is stored too; the kill comes at once.
    run.child.kill('SIGKILL')
    expect(await run.done).toBeNull()
    const before = eventsOf(run.stdout().slice(0, run.stdout().lastIndexOf('\n') + 1))
    const id = before[0]?.session ?? ''

    const next = runCli(['go on', '--session', id, '--output-format', 'json'], { cwd: folder, env })
    expect(await next.done, next.stderr()).toBe(0)
    expect(JSON.parse(next.stdout()).final_response).toBe('Back again.')
    const stored = parseLog(await readFile(logFile(id), 'utf8'))
    const bySeq = new Map(stored.map((event) => [event.seq, event]))
    for (const event of before.filter((e) => !TRANSIENT_EVENTS.has(e.type))) expect(bySeq.get(event.seq)).toEqual(event)
    expect(stored.some((event) => event.type === 'resumed')).toBe(true)
    expect(server.requests[2]?.body.messages.at(-1)?.content.at(-1)).toMatchObject({ text: 'go on' })
    gate.open()
  })

  it('on a full disk stops the turn with an error, and the log stays readable', async () => {
    const { env } = await serve((request) =>
      request.index > 200
        ? text('never')
        : { blocks: [tool('bash', { command: 'head -c 3000 /dev/zero | tr "\\0" x' })] },
    )
    const home = join(folder, 'home')
    await mkdir(home)
    // A disk of 128 kB, mounted where only this command sees it.
    const script = `mount -t tmpfs -o size=128k none "$1" && shift && "$@"; code=$?; cp -r "${home}/sessions" "${folder}/kept"; exit $code`
    const command = [
      '-rm',
      'bash',
      '-c',
      script,
      'bash',
      home,
      process.execPath,
      CLI,
      'go',
      '--output-format',
      'stream-json',
    ]
    const result = await execute('unshare', command, {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, ML_INTERN_HOME: home, ...env },
    }).then(
      () => ({ code: 0, stdout: '', stderr: '' }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    )
    expect(result.code, result.stderr).toBe(1)
    const last = eventsOf(result.stdout).at(-1)
    expect(last).toMatchObject({ type: 'error', data: { code: 'log_write' } })
    expect(JSON.stringify(last)).toContain('disk is full')
    const [id = ''] = await readdir(join(folder, 'kept'))
    const raw = await readFile(join(folder, 'kept', id, 'events.jsonl'), 'utf8')
    expect(raw.endsWith('\n')).toBe(true)
    expect(parseLog(raw).length).toBeGreaterThan(10)
  })
})

describe('bad input', () => {
  const cases: [string, string[], RegExp, (() => Promise<void>)?][] = [
    ['an unknown option', ['go', '--hologram'], /--hologram/],
    ['an unknown model', ['go', '--model', 'gpt-2'], /gpt-2/],
    ['a missing folder', ['go', '--cwd', 'nowhere'], /nowhere/],
    ['a file where a folder is wanted', ['go', '--cwd', 'file'], /file.* not a folder/],
    ['an unreadable folder', ['go', '--cwd', 'locked/in'], /locked/],
    ['a broken config', ['go', '--config', 'broken.json'], /broken\.json.*line 2/s],
    ['a wrong value in a config', ['go', '--config', 'wrong.json'], /wrong\.json.*max_iterations/s],
    ['an unknown session', ['go', '--session', 'ffffffff'], /ffffffff/],
    ['nothing to continue', ['go', '--continue'], /continue|session/],
    ['an impossible output format', ['go', '--output-format', 'xml'], /stream-json/],
    ['a number that is none', ['go', '--max-iterations', 'many'], /max-iterations/],
  ]
  it.each(cases)('%s: exit 2 and a sentence that names it', async (_, args, pattern) => {
    await writeFile(join(folder, 'file'), '')
    await writeFile(join(folder, 'broken.json'), '{\n  "model": oops\n}')
    await writeFile(join(folder, 'wrong.json'), '{ "max_iterations": "many" }')
    await writeFile(join(folder, 'locked'), '')
    const run = runCli(args, { cwd: folder, env: { ANTHROPIC_API_KEY: TEST_KEY } })
    expect(await run.done, run.stderr()).toBe(2)
    expect(run.stderr()).toMatch(pattern)
    expect(run.stdout()).toBe('')
    expect(run.stderr()).not.toMatch(/\n\s+at /)
  })

  it('a working folder that was deleted: exit 2 and its name, and --version works there', async () => {
    const start = (args: string[]) => {
      const gone = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
      return spawnSync('sh', ['-c', gone, 'sh', process.execPath, CLI, ...args], { cwd: folder, encoding: 'utf8' })
    }
    const run = start(['go'])
    expect(run.status, run.stderr).toBe(2)
    expect(run.stderr).toContain(`The folder ${join(folder, 'gone')} does not exist.`)
    expect(start(['--version']).status).toBe(0)
  })

  it('a session whose beginning cannot be read: exit 2, and what can be done with it', async () => {
    const { env } = await serve([{ blocks: [{ type: 'text', text: 'Hello' }] }])
    expect(await runCli(['go'], { cwd: folder, env }).done).toBe(0)
    const [id = ''] = await readdir(join(folder, 'home', 'sessions'))
    const file = join(folder, 'home', 'sessions', id, 'events.jsonl')
    const [, ...rest] = (await readFile(file, 'utf8')).split('\n')
    await writeFile(file, rest.join('\n'))
    const run = runCli(['more', '--session', id], { cwd: folder, env })
    expect(await run.done).toBe(2)
    expect(run.stderr()).toContain('no beginning')
  })

  it('no key: exit 2, and it says where to put one', async () => {
    const run = runCli(['go'], { cwd: folder })
    expect(await run.done).toBe(2)
    expect(run.stderr()).toMatch(/ANTHROPIC_API_KEY/)
    expect(run.stderr()).toMatch(/\.env/)
  })

  it('a model the provider does not know: exit 2 with its name', async () => {
    const { env } = await serve([], { knownModels: ['claude-opus-5-5'] })
    const run = runCli(['go', '--model', 'claude-nonsense-9'], { cwd: folder, env })
    expect(await run.done).toBe(2)
    expect(run.stderr()).toContain('claude-nonsense-9')
  })

  it('a data folder that cannot be written: says so before anything is sent', async () => {
    const { server, env } = await serve([])
    await writeFile(join(folder, 'taken'), '')
    await chmod(join(folder, 'taken'), 0o400)
    const run = runCli(['go'], { cwd: folder, env: { ...env, ML_INTERN_HOME: join(folder, 'taken') } })
    expect(await run.done).not.toBe(0)
    expect(run.stderr()).toContain('taken')
    expect(server.requests).toHaveLength(0)
  })
})

describe('sessions', () => {
  it('lists, shows, exports and removes', async () => {
    const { env } = await serve([{ blocks: [tool('bash', { command: 'echo marker' })] }, text('Done.')])
    const made = runCli(['Find the marker', '--output-format', 'json'], { cwd: folder, env })
    await made.done
    const { session } = JSON.parse(made.stdout())
    const sessions = async (...args: string[]) => {
      const run = runCli(['sessions', ...args], { cwd: folder })
      return { code: await run.done, out: run.stdout(), err: run.stderr() }
    }
    expect((await sessions('list')).out).toContain('Find the marker')
    expect(JSON.parse((await sessions('list', '--json')).out)[0]).toMatchObject({
      id: session,
      last_outcome: 'finished',
    })
    expect((await sessions('show', session.slice(0, 8))).out).toContain('marker')
    const markdown = await sessions('export', session, '--format', 'markdown')
    expect(markdown.out).toContain('# Find the marker')
    expect(eventsOf((await sessions('export', session, '--format', 'jsonl')).out).length).toBeGreaterThan(5)
    expect((await sessions('rm', session)).code).toBe(2)
    expect((await sessions('rm', session, '--yes')).code).toBe(0)
    expect((await sessions('show', session)).code).toBe(2)
  })
})

describe('demo and doctor', () => {
  it('runs the demo without key and network, with numbers from the real run', async () => {
    const run = runCli(['demo', '--output-format', 'json'], { cwd: folder })
    expect(await run.done, run.stderr()).toBe(0)
    const result = JSON.parse(run.stdout())
    const [project = ''] = await readdir(join(folder, 'home/demo'))
    const metrics = JSON.parse(await readFile(join(folder, 'home/demo', project, 'metrics.json'), 'utf8'))
    expect(result.final_response).toContain(metrics.test.macro_f1.toFixed(4))
    expect(result.final_response).toMatch(/scripted demo model/i)
    expect(result.cost_usd).toBe(0)
    expect(await readdir(join(folder, 'home/demo', project))).toEqual(
      expect.arrayContaining(['train.py', 'model.json', 'metrics.json', 'MODEL_CARD.md']),
    )
  })

  it('doctor names every part with its state and what to do', async () => {
    const run = runCli(['doctor', '--json'], { cwd: folder, env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' } })
    await run.done
    const checks = JSON.parse(run.stdout()) as { id: string; state: string; remedy: string }[]
    for (const part of ['node', 'python', 'keychain', 'sandbox', 'electron']) {
      expect(checks.map((c) => c.id).join(' ')).toContain(part)
    }
    for (const check of checks) if (check.state !== 'ok') expect(check.remedy).not.toBe('')
  })
})
