import type { Rule } from '@shared/approvals'
import { describe, expect, it, test } from 'vitest'
import { ApprovalGate, type CallFacts } from '../../../src/main/agent/approvals'
import { globMatches, patternMatches } from '../../../src/main/agent/approvals/rules'
import { commandFacts, fileFacts } from '../../../src/main/workspace/shell'
import { asked, bash, CWD, file, inAll, kind } from './approval-calls'

describe('what would change what ML Intern itself may do', () => {
  const own = ['/h/config.json', '/h/sessions', '/h/spend']
  const shell = (command: string): CallFacts => ({
    tool: 'bash',
    effect: 'execute',
    ...commandFacts(command, { cwd: CWD, work_dir: '.', own }),
  })
  const change = (path: string, real?: string): CallFacts => ({
    tool: 'write',
    effect: 'write',
    ...fileFacts('write', path, CWD, { own, ...(real ? { real: new Map([[`${CWD}/${path}`, real]]) } : {}) }),
  })

  test.each<[string, CallFacts]>([
    ['the user’s settings', change('/h/config.json')],
    ['in other letters', change('/H/Config.json')],
    ['a project’s settings', change('.ml-intern/config.json')],
    ['the log of a session', change('/h/sessions/x/events.jsonl')],
    ['what was spent', change('/h/spend/2026-11-20.jsonl')],
    ['behind a link', change('notes.json', '/h/config.json')],
    ['by a redirection', shell('echo x > /h/config.json')],
    ['by a redirection in its folder', shell('cd /h && echo x > config.json')],
    ['by a copy', shell('cp a.json /h/config.json')],
    ['by a copy in its folder', shell('cd /h && cp a config.json')],
    ['by code', shell("python -c \"open('/h/config.json', 'w')\"")],
    ['by a here-document', shell("python3 - <<'E'\nopen('/h/spend/x', 'w')\nE")],
    ['by a command that cannot be read', shell('eval "$X" /h/config.json')],
  ])('is asked for in every mode, whatever is allowed: %s', (_, call) => {
    const rules: Rule[] = [{ effect: 'allow', tool: '*' }]
    expect(inAll(call, { rules, lasting: rules })).toBe('deny ask ask ask')
    expect(asked(call, 'full', rules)).toMatchObject({ max_scope: 'once', suggested_rules: [] })
  })

  test('is not to look at it, nor to work beside it', () => {
    for (const call of [shell('cat /h/config.json'), shell('ls /h'), shell('cp a b'), change('config.json')]) {
      expect(call.risk).toBeUndefined()
    }
  })
})

describe('a file behind a link', () => {
  const linked = (tool: 'read' | 'write', real: string): CallFacts => ({
    tool,
    effect: tool,
    ...fileFacts(tool, 'src/a', CWD, { real: new Map([[`${CWD}/src/a`, real]]) }),
  })

  test('is judged under both its names', () => {
    const rules: Rule[] = [{ effect: 'allow', tool: 'write', pattern: 'src/*' }]
    expect(kind(linked('write', '/home/u/.bashrc'), 'ask', rules)).toBe('ask')
    expect(kind(linked('write', `${CWD}/src/b`), 'ask', rules)).toBe('allow')
    const deny: Rule[] = [{ effect: 'deny', tool: 'write', pattern: 'data/*' }]
    expect(kind(linked('write', `${CWD}/data/x`), 'full', deny)).toBe('deny')
  })

  test('that is a secret is asked for', () => {
    expect(linked('read', '/home/u/.ssh/id_rsa').risk).toBe('secrets')
    expect(kind(linked('read', '/home/u/.ssh/id_rsa'), 'ask')).toBe('ask')
    expect(kind(linked('read', '/data/a'), 'ask')).toBe('allow')
  })

  test('in a working folder that is a link itself has one name', () => {
    const real = new Map([
      [CWD, '/real'],
      [`${CWD}/src/a`, '/real/src/a'],
    ])
    expect(fileFacts('write', 'src/a', CWD, { real }).subjects).toEqual([{ operation: 'write', text: 'src/a' }])
  })
})

describe('what is suggested', () => {
  const patterns = (call: CallFacts): (string | undefined)[] =>
    asked(call).suggested_rules.map(({ pattern, operation }) => `${operation} ${pattern}`)

  test.each<[string, string[]]>([
    ['python train.py --lr 1', ['run python train.py *']],
    ['python -m pytest -q', ['run python -m pytest *']],
    ['git push origin main', ['run git push *']],
    ['pip install x && cd src && make all > log/a.txt', ['run pip install *', 'run make all *', 'redirect src/log/*']],
    ['uv pip install x', ['run uv pip install *']],
    ['rm -rf build', ['run rm -rf build']],
    ['mkdir a', ['run mkdir a']],
    ['curl https://x', ['run curl https://x']],
    ['python train.py --lr §X', ['run python train.py *']],
    ['ls -la', ['run ls -la']],
    ['PYTHONPATH=. python a.py > log', ['run python a.py *', 'assign PYTHONPATH=.', 'redirect log']],
    ['npm run build', ['run npm run build *']],
    ['git -C x push', ['run git -C x push']],
    // Shorter, each of these would allow any program, script or text.
    ['uv run python train.py', ['run uv run python train.py']],
    ['poetry run python train.py', ['run poetry run python train.py']],
    ['conda run -n ml python a.py', ['run conda run -n ml python a.py']],
    ['deno eval x', ['run deno eval x']],
    ['bun run build', ['run bun run build']],
    ['pnpm dlx tool', ['run pnpm dlx tool']],
    ['git submodule foreach make', ['run git submodule foreach make']],
    ['git bisect run make', ['run git bisect run make']],
    ['kubectl exec pod -- ls', ['run kubectl exec pod -- ls']],
    ['docker run ubuntu ls', ['run docker run ubuntu ls']],
    ['gcloud compute instances list', ['run gcloud compute instances list']],
    ['python -m torch.distributed.run a.py', ['run python -m torch.distributed.run a.py']],
    ['python -m pip install x', ['run python -m pip install *']],
  ])('%s', (command, expected) => {
    expect(patterns(bash(command))).toEqual(expected)
    expect(asked(bash(command)).max_scope).toBe('always')
  })

  test.each([
    'curl x | sh',
    'rm §X',
    'rm *',
    'make > §X',
    'python -c "print(1)\nprint(2)"',
    `echo ${'x'.repeat(200)}`,
    'for f in a; do rm §f; done',
    // A rule for what comes before it would be one for anything.
    'uv run python train.py --lr §X',
    'poetry run bash §X',
    'deno eval §X',
  ])('nothing for: %s', (command) => {
    expect(asked(bash(command))).toMatchObject({ suggested_rules: [], max_scope: 'once' })
  })

  test('never longer than a session with a risk, and each suggestion lets its call run', () => {
    expect(asked(bash('hf jobs run python x'))).toMatchObject({
      max_scope: 'session',
      reason: 'Starts something that costs money',
    })
    const calls = [
      bash('hf jobs run python x'),
      bash('cat .env'),
      bash('ls -la && pwd'),
      bash('sudo make a > b/c'),
      file('write', 'src/a.py'),
      file('edit', 'README.md'),
      file('write', '/etc/x'),
      file('read', '.env'),
    ]
    for (const call of calls) {
      const { suggested_rules } = asked(call)
      expect(suggested_rules.length).toBeGreaterThan(0)
      expect(kind(call, 'ask', suggested_rules)).toBe('allow')
    }
  })

  test('for files the folder, at the top and outside the file; for other tools the operation', () => {
    expect(asked(file('write', 'src/a/b.py')).suggested_rules).toEqual([
      { effect: 'allow', tool: 'write', operation: 'write', pattern: 'src/a/*' },
    ])
    expect(patterns(file('edit', 'README.md'))).toEqual(['edit README.md'])
    expect(patterns(file('edit', '/etc/hosts'))).toEqual(['edit /etc/hosts'])
    const upload: CallFacts = {
      tool: 'hf_repo_files',
      effect: 'write',
      subjects: [{ operation: 'upload', text: 'a/b' }],
    }
    expect(asked(upload).suggested_rules).toEqual([{ effect: 'allow', tool: 'hf_repo_files', operation: 'upload' }])
  })

  test('the reason is a sentence for a person, and none for a change that speaks for itself', () => {
    expect(asked(bash('make')).reason).toBe('Runs a command outside a sandbox')
    expect(asked(bash('curl x | sh')).reason).toBe('Part of what it runs cannot be known beforehand')
    expect(asked(bash('hf repo delete a')).reason).toBe('Deletes something on the Hugging Face Hub')
    expect(asked(file('write', 'a')).reason).toBe('')
  })
})

describe('patterns', () => {
  test.each<[string, string, boolean]>([
    ['git push *', 'git push', true],
    ['git push *', 'git push origin', true],
    ['git push *', 'git pushx', false],
    ['git push*', 'git pushx', true],
    ['*', '', true],
    ['* --force', 'git push --force', true],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'acb', false],
    ['ab*bc', 'abc', false],
    ['a.c', 'abc', false],
    ['rm *', 'rm a\nb', true],
    ['git * *', 'git push', true],
  ])('%s and %s: %s', (pattern, text, fits) => {
    expect(patternMatches(pattern, text)).toBe(fits)
  })
  test('many stars against a long text take no time', () => {
    const started = performance.now()
    expect(globMatches('*a'.repeat(2000), 'a'.repeat(1_000_000))).toBe(true)
    expect(globMatches(`${'*a'.repeat(2000)}b`, 'a'.repeat(1_000_000))).toBe(false)
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})

describe('ApprovalGate', () => {
  it('hands each decision to its own call, and says when nobody waits', async () => {
    const gate = new ApprovalGate()
    const { signal } = new AbortController()
    const first = gate.wait('a', signal)
    const second = gate.wait('b', signal)
    expect(gate.pending()).toEqual(['a', 'b'])
    expect(gate.resolve({ tool_call_id: 'b', approved: false })).toBe(true)
    expect(gate.resolve({ tool_call_id: 'a', approved: true })).toBe(true)
    expect(gate.resolve({ tool_call_id: 'a', approved: true })).toBe(false)
    expect(await first).toMatchObject({ approved: true })
    expect(await second).toMatchObject({ approved: false })
  })
  it('ends the wait at once on an interrupt, and forgets the call', async () => {
    const gate = new ApprovalGate()
    const controller = new AbortController()
    const waiting = gate.wait('a', controller.signal)
    controller.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
    expect(gate.pending()).toEqual([])
    await expect(gate.wait('b', controller.signal)).rejects.toThrow('stop')
  })
})
