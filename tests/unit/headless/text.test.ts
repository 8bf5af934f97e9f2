import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LiveRegion } from '../../../src/main/hosts/headless/live-region'
import { runCli } from '../../../src/main/hosts/headless/run-cli'
import {
  clean,
  clip,
  dollars,
  duration,
  oneLine,
  reveal,
  StreamCleaner,
  styleFor,
  widthOf,
} from '../../../src/main/hosts/headless/style'
import { liveLines, planLines, tailLines } from '../../../src/main/hosts/headless/text-lines'
import { Writer } from '../../../src/main/hosts/headless/writer'
import { command, type FakeIo, type FakeIoOptions, type FakeSession, fakeIo, finish, ID, reply, say } from './fakes'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'ml-intern-text-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const ESC = '\u001b'
const plain = styleFor(Object.assign(process.stdout, {}), { NO_COLOR: '1' })

async function shown(
  turn: (session: FakeSession) => Promise<void> | void,
  options: Partial<FakeIoOptions> = {},
): Promise<FakeIo> {
  const io = fakeIo({
    cwd,
    ...options,
    setup: (engine) => {
      engine.turn = turn
    },
  })
  await runCli(['go'], io)
  return io
}

describe('away from a terminal', () => {
  test('stdout is the reply and nothing else; stderr tells the rest, without one escape sequence', async () => {
    const io = await shown((session) => {
      say(session, 'm1', 'First I look.')
      command(session, 'c1', 'python train.py', 0, 'loss 0.3\n')
      command(session, 'c2', 'false', 1, 'one\ntwo\n')
      reply(session, 'Done.\n')
    })
    expect(io.out()).toBe('First I look.\n\nDone.\n')
    const lines = io.err().split('\n')
    expect(lines[0]).toBe(`ML Intern  session ${ID}  model anthropic/claude-opus-5-5  mode auto  in ${cwd}`)
    expect(lines.slice(1, 5)).toEqual([
      '✓ bash  python train.py  2.1 s',
      '✗ bash  false  exit 1  2.1 s',
      '    one',
      '    two',
    ])
    expect(lines[5]).toMatch(/^Finished {2}\d+\.\d s · 2 model calls · 200 tokens in, 40 out · \$0\.0246$/)
    expect(lines[6]).toBe(`Go on with: ml-intern --session ${ID} "…"`)
    expect(io.out() + io.err()).not.toContain(ESC)
  })

  test('a reply that was not streamed is printed once, one that was is not printed twice', async () => {
    const io = await shown((session) => {
      const blocks = [{ type: 'text' as const, text: 'Whole.' }]
      session.emit('assistant_message', { id: 'm1', content: 'Whole.', blocks, model: 'm', stop_reason: 'end_turn' })
      session.emit('assistant_chunk', { id: 'm2', content: 'Ha' })
      session.emit('assistant_message', { id: 'm2', content: 'Half.', blocks, model: 'm', stop_reason: 'end_turn' })
      finish(session, 'Half.')
    })
    expect(io.out()).toBe('Whole.\n\nHalf.\n')
  })

  test('a reply that is thrown away and asked for again is said to be', async () => {
    const io = await shown((session) => {
      session.emit('assistant_chunk', { id: 'm1', content: 'Half' })
      session.emit('assistant_stream_end', { id: 'm1', discarded: true, reason: 'connection lost' })
      const retry = { attempt: 1, delay_ms: 5_000, reason: 'Overloaded' }
      session.emit('processing', { message: 'Waiting', retry })
      reply(session, 'All of it.')
    })
    expect(io.out()).toBe('Half\n\nAll of it.\n')
    expect(io.err()).toContain('The reply was cut off: connection lost; it is asked for again.\n')
    expect(io.err()).toContain('Overloaded: trying again in 5.0 s\n')
  })

  test('the plan is printed when it changes, and only then', async () => {
    const plan = (status: 'pending' | 'completed') => ({ plan: [{ id: '1', content: 'Look', status }] })
    const io = await shown((session) => {
      session.emit('plan_update', plan('pending'))
      session.emit('plan_update', plan('pending'))
      session.emit('plan_update', plan('completed'))
      reply(session, 'x')
    })
    expect(io.err().match(/Plan 0\/1\n {2}· Look\n/g)).toHaveLength(1)
    expect(io.err().match(/Plan 1\/1\n {2}✓ Look\n/g)).toHaveLength(1)
  })

  test('errors and limits are told with what to do', async () => {
    const error = await shown((session) =>
      session.emit('error', { error: 'No credit.', code: 'billing', remedy: 'Pay.' }),
    )
    expect(error.err()).toContain('✗ No credit.\n  Pay.\nFailed ')
    const limit = await shown((session) => finish(session, '', 'max_iterations'))
    expect(limit.err()).toContain('limit of model calls')
  })

  test('a cost that is not known is not shown as nothing', async () => {
    const io = await shown((session) => reply(session, 'x', null))
    expect(io.err()).toContain('cost unknown')
    expect(io.err()).not.toContain('$0')
  })
})

describe('on a terminal', () => {
  const tty: FakeIoOptions['tty'] = ['stdout', 'stderr']

  test('running tools and the plan are drawn, and taken away again', async () => {
    const io = fakeIo({
      cwd,
      tty,
      setup: (engine) => {
        engine.turn = async (session) => {
          session.emit('plan_update', { plan: [{ id: '1', content: 'Train it', status: 'in_progress' }] })
          session.emit('tool_call', { tool: 'bash', arguments: {}, tool_call_id: 'c1', intent: 'python train.py' })
          session.emit('tool_log', { tool: 'bash', tool_call_id: 'c1', log: 'epoch 1\repoch 2\nloss 0.5\n' })
          await io.seen('stderr', /Train it/)
          session.emit('tool_output', { tool: 'bash', tool_call_id: 'c1', output: '', success: true, duration_ms: 5 })
          reply(session, 'Done.')
        }
      },
    })
    expect(await runCli(['go'], io)).toBe(0)
    const err = io.err()
    expect(err).toContain(`${ESC}[36m•${ESC}[39m bash  python train.py\n`)
    expect(err).toContain('    epoch 2')
    expect(err).not.toContain('epoch 1')
    // Three lines of tool and tail, two of plan: erased before the line of the finished tool.
    expect(err).toContain(`\r${`${ESC}[1A${ESC}[2K`.repeat(5)}${ESC}[32m✓`)
    expect(io.out()).toBe('Done.\n')
  })

  test('an approved call is drawn while it runs, though nothing announces it again', async () => {
    const request = { tool: 'bash', arguments: {}, tool_call_id: 'c1', intent: 'python train.py' }
    const io = fakeIo({
      cwd,
      tty,
      setup: (engine) => {
        engine.turn = async (session) => {
          session.emit('approval_required', { tools: [request], count: 1 })
          session.emit('approval_resolved', { decisions: [{ tool_call_id: 'c1', approved: true }], by: 'user' })
          session.emit('tool_state_change', { tool: 'bash', tool_call_id: 'c1', state: 'running' })
          await io.seen('stderr', /bash {2}python train\.py/)
          reply(session, 'Done.')
        }
      },
    })
    expect(await runCli(['go'], io)).toBe(0)
  })

  test('NO_COLOR keeps the colours away', async () => {
    const io = await shown(
      (session) => {
        command(session, 'c1', 'ls', 0, '')
        reply(session, 'Done.')
      },
      { tty, env: { NO_COLOR: '1' } },
    )
    expect(io.err()).not.toMatch(new RegExp(`${ESC}\\[\\d+m`))
  })

  test('nothing that a model or a tool writes moves the cursor, sets a title or rings', async () => {
    const evil = `a${ESC}[2Jb${ESC}]0;title\u0007c\u0007d\u009b31me\rf`
    const io = await shown(
      (session) => {
        command(session, 'c1', `echo ${evil}`, 1, evil)
        session.emit('error', { error: evil, code: 'x', remedy: evil })
      },
      { env: { NO_COLOR: '1' } },
    )
    expect(io.err()).not.toMatch(new RegExp(`[${ESC}\\u0007\\u009b\\r]`))
    expect(io.err()).toContain('abcd31mef')
  })
})

describe('texts', () => {
  test('clean keeps lines and tabs', () => {
    expect(clean('a\tb\nc')).toBe('a\tb\nc')
    expect(clean(`${ESC}[1;31mred${ESC}[0m`)).toBe('red')
  })

  test('what would hide or reorder a command is shown', () => {
    expect(reveal('rm \u202e/ x')).toBe('rm \\u202e/ x')
    expect(oneLine(' a\n\tb\u200bc ')).toBe('a b\\u200bc')
  })

  test('clip counts columns, not characters', () => {
    expect(clip('short', 10)).toBe('short')
    expect(clip('a long text', 6)).toBe('a lon…')
    expect(clip('漢字漢字', 5)).toBe('漢字…')
    expect(clip('e\u0301e\u0301', 2)).toBe('e\u0301e\u0301')
  })

  test('the tail is what a terminal would show', () => {
    expect(tailLines('10%\r20%\r30%\nx\r\n\n\ty\n', 3)).toEqual(['30%', 'x', '  y'])
    expect(tailLines('a\nb\nc', 2)).toEqual(['b', 'c'])
  })

  test('a long plan shows where the work is', () => {
    const plan = Array.from({ length: 20 }, (_, i) => ({
      id: String(i),
      content: `step ${i}`,
      status: i < 10 ? ('completed' as const) : ('pending' as const),
    }))
    const lines = planLines(plan, plain, 40, 4)
    expect(lines).toEqual(['Plan 10/20', '  ✓ step 8', '  ✓ step 9', '  · step 10', '  · step 11'])
  })

  test('the live lines never fill the screen or a line', () => {
    const tools = Array.from({ length: 9 }, (_, i) => ({
      name: `tool${i}`,
      intent: 'x'.repeat(200),
      tail: 'y\n'.repeat(50),
    }))
    const lines = liveLines({ tools, plan: [], waiting: '', rows: 10, columns: 40, style: plain })
    expect(lines.length).toBeLessThanOrEqual(10)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40)
  })

  test('amounts', () => {
    expect([dollars(0), dollars(0.00001), dollars(0.0123), dollars(1.239)]).toEqual([
      '$0.0000',
      '< $0.0001',
      '$0.0123',
      '$1.24',
    ])
    expect([duration(40), duration(59_940), duration(64_000), duration(7_500_000)]).toEqual([
      '0.0 s',
      '59.9 s',
      '1 min 4 s',
      '2 h 5 min',
    ])
  })
})

describe('text in pieces', () => {
  test('an escape sequence cut by the end of a piece leaves nothing of itself', () => {
    const whole = `a${ESC}[31mred${ESC}]0;title\u0007b${ESC}[2Jend`
    for (let cut = 0; cut <= whole.length; cut++) {
      const cleaner = new StreamCleaner()
      expect(cleaner.push(whole.slice(0, cut)) + cleaner.push(whole.slice(cut))).toBe('aredbend')
    }
  })

  test('what only looks like the beginning of a sequence is shown in the end', () => {
    const cleaner = new StreamCleaner()
    const text = 'x'.repeat(5000)
    expect(cleaner.push(`${ESC}]0;${text}`)).toBe(`]0;${text}`)
  })

  test('a reply whose colours come cut in two is shown without them', async () => {
    const io = await shown((session) => {
      session.emit('assistant_chunk', { id: 'm1', content: `one ${ESC}` })
      session.emit('assistant_chunk', { id: 'm1', content: '[31mtwo' })
      const content = `one ${ESC}[31mtwo`
      const blocks = [{ type: 'text' as const, text: content }]
      session.emit('assistant_message', { id: 'm1', content, blocks, model: 'm', stop_reason: 'end_turn' })
      reply(session, 'three')
    })
    expect(io.out()).toBe('one two\n\nthree\n')
  })
})

describe('a terminal that changes its width', () => {
  test('the lines are erased with the rows that they have wrapped to', () => {
    const written: string[] = []
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        written.push(chunk.toString())
        done()
      },
    })
    const out = new Writer(sink)
    let columns = 80
    const lines = ['x'.repeat(70), `${ESC}[2m${'日'.repeat(25)}${ESC}[22m`, 'short']
    vi.useFakeTimers()
    try {
      const region = new LiveRegion(
        out,
        () => lines,
        () => columns,
      )
      region.update()
      vi.advanceTimersByTime(100)
      columns = 40
      region.hide()
    } finally {
      vi.useRealTimers()
    }
    expect(widthOf(lines[1] ?? '')).toBe(50)
    // Two rows, two rows, one row.
    expect(written.join('').split(`${ESC}[1A${ESC}[2K`)).toHaveLength(1 + 5)
  })
})
