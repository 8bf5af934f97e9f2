import {
  argumentChoices,
  type CommandHost,
  commands,
  commandsOf,
  completeCommand,
  parseCommand,
  runCommand,
} from '@shared/commands'
import type { Operation } from '@shared/operations'
import { initialState, type SessionState } from '@shared/state'
import { describe, expect, it } from 'vitest'

function fakeHost(state: Partial<SessionState> = {}, yes = true) {
  const done: unknown[] = []
  const host: CommandHost = {
    state: () => ({ ...initialState('s'), ...state }),
    submit: (op: Operation) => {
      done.push(op)
      return Promise.resolve(op.op === 'fork' ? { seq: 1, session: 'copy' } : { seq: 1 })
    },
    say: (text) => void done.push(text),
    open: (view, argument) => void done.push(['open', view, argument]),
    newSession: async ({ clear }) => void done.push(['new', clear]),
    openSession: async (id) => void done.push(['session', id]),
    rename: async (title) => void done.push(['rename', title]),
    exportSession: async (format, target) => void done.push(['export', format, target]),
    uploadTrace: async () => void done.push('upload'),
    confirm: async (question) => {
      done.push(question)
      return yes
    },
    quit: () => void done.push('quit'),
  }
  return { host, done }
}

async function run(text: string, state: Partial<SessionState> = {}, yes = true): Promise<unknown[]> {
  const { host, done } = fakeHost(state, yes)
  const parsed = parseCommand(text)
  if (!parsed) throw new Error(`${text} is no command`)
  await runCommand(parsed, host)
  return done
}

describe('what is a command', () => {
  it.each([
    '/home/me/data.csv look at it',
    '//',
    '/',
    '/ help',
    '/help2',
    '/2',
    'help',
    'see /help',
    '/.ssh',
    '',
    '/a_b',
    '/tmp/x',
  ])('leaves %j to the model', (text) => {
    expect(parseCommand(text)).toBeNull()
  })

  it.each([
    ['/help', 'help', ''],
    ['  /HELP  ', 'help', ''],
    ['/exit', 'quit', ''],
    ['/queue two\nlines ', 'queue', 'two\nlines'],
    ['/share-traces', 'share-traces', ''],
    ['/model\tanthropic/x', 'model', 'anthropic/x'],
  ])('reads %j', (text, name, args) => {
    const parsed = parseCommand(text)
    expect(parsed).toMatchObject({ kind: 'command', args })
    expect(parsed?.kind === 'command' && parsed.spec.name).toBe(name)
  })

  it.each([
    ['/hlep', 'help'],
    ['/regen', 'regenerate'],
    ['/modle x', 'model'],
    ['/bugdet', 'budget'],
    ['/zzzzzz', null],
  ])('knows no %s and suggests %s', (text, suggestion) => {
    expect(parseCommand(text)).toMatchObject({ kind: 'unknown', suggestion })
  })

  it('keeps the commands of one host from the other', () => {
    expect(parseCommand('/quit', 'window')).toMatchObject({ kind: 'unknown', name: 'quit' })
    expect(commandsOf('window').map(({ name }) => name)).not.toContain('quit')
    expect(completeCommand('/qui', 'window')).toEqual([])
    expect(completeCommand('/qui', 'chat').map(({ name }) => name)).toEqual(['quit'])
  })

  it('has every command of the reference, each name once, all with a usage and a summary', () => {
    const names = commands.flatMap(({ name, aliases }) => [name, ...aliases])
    expect(new Set(names).size).toBe(names.length)
    const reference = 'help new clear undo compact resume model effort yolo status share-traces quit exit'.split(' ')
    const ours = 'budget mode fork export rename regenerate rules search queue'.split(' ')
    expect(names).toEqual(expect.arrayContaining([...reference, ...ours]))
    for (const { name, usage, summary } of commands) {
      expect(usage.startsWith(`/${name}`)).toBe(true)
      expect(summary).toMatch(/^[A-Z].*[^.]$/)
    }
  })

  it('completes by the beginning of a name or alias, and nothing after a space', () => {
    expect(completeCommand('/', 'chat')).toHaveLength(commandsOf('chat').length)
    expect(completeCommand('/mo', 'chat').map(({ name }) => name)).toEqual(['model', 'mode'])
    expect(completeCommand('ex', 'chat').map(({ name }) => name)).toEqual(['export', 'quit'])
    expect(completeCommand('/model ', 'chat')).toEqual([])
    expect(argumentChoices('effort')).toEqual(['low', 'medium', 'high', 'xhigh', 'max', 'off'])
  })
})

describe('what a command does', () => {
  it.each<[string, unknown[]]>([
    ['/new', [['new', false]]],
    ['/clear', [['new', true]]],
    ['/undo', [{ op: 'undo' }]],
    ['/regenerate', [{ op: 'regenerate' }]],
    ['/compact', [{ op: 'compact' }]],
    ['/fork', [{ op: 'fork' }, ['session', 'copy']]],
    ['/resume', [['open', 'sessions', '']]],
    ['/resume 12ab', [['session', '12ab']]],
    ['/model', [['open', 'model', '']]],
    ['/model hf/org/name:cheapest', [{ op: 'set_model', model: 'hf/org/name:cheapest' }]],
    ['/effort', [['open', 'effort', '']]],
    ['/effort HIGH', [{ op: 'set_effort', effort: 'high' }]],
    ['/effort off', [{ op: 'set_effort', effort: null }]],
    ['/mode plan', [{ op: 'set_mode', mode: 'plan' }]],
    ['/budget', [['open', 'budget', '']]],
    ['/budget $2.50', [{ op: 'set_budget', max_cost_usd: 2.5 }]],
    ['/budget 0', [{ op: 'set_budget', max_cost_usd: 0 }]],
    ['/budget off', [{ op: 'set_budget', max_cost_usd: null }]],
    ['/queue then test it', [{ op: 'enqueue', text: 'then test it' }]],
    ['/search learning rate', [['open', 'search', 'learning rate']]],
    ['/rules', [['open', 'rules', '']]],
    ['/status', [['open', 'status', '']]],
    ['/rename  A  title', [['rename', 'A title']]],
    ['/export', [['export', 'markdown', '']]],
    ['/export html', [['export', 'html', '']]],
    ['/export trace my file.x', [['export', 'trace', 'my file.x']]],
    ['/export notes.jsonl', [['export', 'jsonl', 'notes.jsonl']]],
    ['/quit', ['quit']],
  ])('%s', async (text, expected) => {
    expect(await run(text)).toEqual(expected)
  })

  it.each([
    ['/effort hard', 'low, medium, high, xhigh, max or off'],
    ['/mode yolo', 'plan, ask, auto or full'],
    ['/budget -1', '/budget 2.50'],
    ['/budget 1e9', '/budget 2.50'],
    ['/budget 2,50', '/budget 2.50'],
    ['/model two words', 'contains spaces'],
    ['/search', '/search query'],
    ['/rename', '/rename title'],
    [`/rename ${'x'.repeat(201)}`, 'at most 200'],
    ['/export yaml', 'markdown, html, json, jsonl or trace'],
    ['/undo 3', '/undo takes no argument'],
    ['/share-traces public', 'private dataset only'],
    ['/nosuch', 'There is no command /nosuch.'],
  ])('refuses %s without doing anything', async (text, said) => {
    const done = await run(text)
    expect(done).toHaveLength(1)
    expect(done[0]).toContain(said)
  })

  it('asks before everything runs unasked, says what the cap is, and switches back without asking', async () => {
    const budget = { spent_usd: 0, reserved_usd: 0, cap_usd: 5, warning: null } as unknown as SessionState['budget']
    const capped = await run('/yolo', { budget })
    expect(capped[0]).toContain('$5 for this session')
    expect(capped[1]).toEqual({ op: 'set_mode', mode: 'full' })
    expect((await run('/yolo', {}, false))[0]).toContain('There is no cap')
    expect(await run('/yolo', {}, false)).toHaveLength(1)
    // The same door for /mode full.
    expect(await run('/mode full', {}, false)).toHaveLength(1)
    expect((await run('/yolo', { mode: 'full' }))[0]).toEqual({ op: 'set_mode', mode: 'ask' })
  })

  it('uploads a trace only after a yes', async () => {
    expect(await run('/share-traces', {}, false)).toHaveLength(1)
    expect((await run('/share-traces'))[1]).toBe('upload')
  })

  it('says what an operation refused, with the remedy, and never rejects', async () => {
    const { host, done } = fakeHost()
    const refusal = Object.assign(new Error('The session is working.'), { remedy: 'Stop it first.' })
    const parsed = parseCommand('/undo')
    if (parsed) await runCommand(parsed, { ...host, submit: () => Promise.reject(refusal) })
    expect(done).toEqual(['The session is working. Stop it first.'])
  })

  it('lists the messages that wait', async () => {
    expect(
      await run('/queue', {
        queue: [
          { id: '1', content: 'first\nline' },
          { id: '2', content: 'b' },
        ],
      }),
    ).toEqual(['1. first line\n2. b'])
  })
})
