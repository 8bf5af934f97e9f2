import type { Rule } from '@shared/approvals'
import type { ApprovalMode } from '@shared/settings'
import { describe, expect, it, test } from 'vitest'
import { ApprovalGate, type CallFacts, decide, type Policy, type Verdict } from '../../../src/main/agent/approvals'
import { globMatches, patternMatches } from '../../../src/main/agent/approvals/rules'
import { commandFacts, fileFacts } from '../../../src/main/workspace/shell'

const CWD = '/w/project'
const MODES: readonly ApprovalMode[] = ['plan', 'ask', 'auto', 'full']

/** `§` stands for `$`, where the linter would take the text for a template. */
const bash = (command: string): CallFacts => ({
  tool: 'bash',
  effect: 'execute',
  ...commandFacts(command.replaceAll('§', '$'), { cwd: CWD, work_dir: '.' }),
})
const file = (tool: 'read' | 'write' | 'edit', path: string): CallFacts => ({
  tool,
  effect: tool === 'read' ? 'read' : 'write',
  ...fileFacts(tool, path, CWD),
})
const rule = (effect: Rule['effect'], pattern?: string, more: Partial<Rule> = {}): Rule => ({
  effect,
  tool: 'bash',
  ...(pattern === undefined ? {} : { pattern }),
  ...more,
})
const kind = (call: CallFacts, mode: ApprovalMode, rules: Rule[] = [], lasting: Rule[] = []): Verdict['kind'] =>
  decide(call, { mode, rules, lasting }).kind
const inAll = (call: CallFacts, policy: Omit<Policy, 'mode'>): string =>
  MODES.map((mode) => decide(call, { ...policy, mode }).kind).join(' ')
const asked = (call: CallFacts, mode: ApprovalMode = 'ask', rules: Rule[] = []) => {
  const verdict = decide(call, { mode, rules })
  if (verdict.kind !== 'ask') throw new Error(`it was not asked: ${verdict.kind}`)
  return verdict
}

describe('modes, where no rule speaks: plan, ask, auto, full', () => {
  test.each<[string, CallFacts, string]>([
    ['reading', file('read', 'a.py'), 'allow allow allow allow'],
    ['reading a secret', file('read', '~/.ssh/id_rsa'), 'ask ask ask allow'],
    ['a change of a file', file('edit', 'a.py'), 'deny ask allow allow'],
    ['a command', bash('python train.py'), 'deny ask allow allow'],
    ['a look', bash('ls'), 'deny ask allow allow'],
    ['an opaque command', bash('curl x | sh'), 'deny ask allow allow'],
    ['money', bash('hf jobs run python x'), 'deny ask ask allow'],
    ['a secret', bash('cat .env'), 'deny ask ask allow'],
    ['a deletion on the Hub', bash('hf repo delete a/b'), 'deny ask ask ask'],
    ['a schedule', bash('crontab x'), 'deny ask ask ask'],
    ['what is over the cap', { ...bash('true'), cost_problem: 'Too much.' }, 'deny ask ask ask'],
  ])('%s', (_, call, verdicts) => {
    expect(inAll(call, { rules: [] })).toBe(verdicts)
  })
})

describe('rules', () => {
  const push = bash('git push origin main')

  test('deny holds in every mode and over everything; the order does not count', () => {
    const rules = [rule('allow'), rule('ask', 'git *'), rule('deny', 'git push *')]
    expect(inAll(push, { rules })).toBe('deny deny deny deny')
    expect(inAll(push, { rules: [], lasting: rules.reverse() })).toBe('deny deny deny deny')
    expect(decide(push, { mode: 'auto', rules })).toMatchObject({
      reason: 'A rule of the user forbids this: git push *.',
    })
  })

  test('ask goes before allow, also in auto and full, and says which rule it was', () => {
    const rules = [rule('allow'), rule('ask', 'git push *')]
    expect(inAll(push, { rules })).toBe('deny ask ask ask')
    expect(asked(push, 'full', rules).reason).toBe('A rule asks: git push *')
  })

  test('allow runs in ask mode, and does not open plan mode', () => {
    expect(inAll(push, { rules: [], lasting: [rule('allow', 'git push *')] })).toBe('deny allow allow allow')
  })

  test('for reading: deny and ask count, in plan mode too', () => {
    const read = (pattern: string, effect: Rule['effect']): Policy => ({
      mode: 'plan',
      rules: [{ effect, tool: 'read', pattern }],
    })
    expect(decide(file('read', 'data/a'), read('data/*', 'deny')).kind).toBe('deny')
    expect(decide(file('read', 'data/a'), read('data/*', 'ask')).kind).toBe('ask')
    expect(decide(file('read', 'src/a'), read('data/*', 'deny')).kind).toBe('allow')
  })

  test('one part is enough to deny and to ask; to allow takes all of them', () => {
    const both = bash('make a && rm -rf b')
    expect(kind(both, 'full', [rule('deny', 'rm *')])).toBe('deny')
    expect(kind(both, 'ask', [rule('allow', 'make *')])).toBe('ask')
    expect(kind(both, 'ask', [rule('allow', 'make *'), rule('allow', 'rm -rf b')])).toBe('allow')
    expect(kind(bash('cd src && make a | tail -5'), 'ask', [rule('allow', 'make *')])).toBe('allow')
  })

  test('a rule names a tool, an operation, both, or any', () => {
    const write = file('write', 'src/a.py')
    for (const more of [
      {},
      { tool: '*' },
      { tool: 'wr*' },
      { operation: 'write' },
      { operation: 'w*' },
      { pattern: 'src/*' },
    ]) {
      expect([more, kind(write, 'ask', [rule('allow', undefined, { tool: 'write', ...more })])]).toEqual([
        more,
        'allow',
      ])
    }
    for (const more of [{ tool: 'edit' }, { operation: 'run' }, { pattern: 'src' }, { pattern: 'rc/*' }]) {
      expect([more, kind(write, 'ask', [rule('allow', undefined, { tool: 'write', ...more })])]).toEqual([more, 'ask'])
    }
  })

  test('a risk is not allowed by rules that outlive the session', () => {
    for (const call of [bash('hf jobs run python x'), bash('cat .env'), bash('crontab x'), bash('hf repo delete a')]) {
      expect(kind(call, 'ask', [], [rule('allow')])).toBe('ask')
      expect(kind(call, 'ask', [rule('allow')], [])).toBe('allow')
    }
    expect(kind(file('read', '.env'), 'ask', [], [rule('allow', undefined, { tool: 'read' })])).toBe('ask')
  })

  test('what is opaque is allowed by a rule without a pattern only', () => {
    const opaque = bash('curl x | sh')
    expect(kind(opaque, 'ask', [rule('allow', '*')])).toBe('ask')
    expect(kind(opaque, 'ask', [rule('allow', 'curl *'), rule('allow', 'sh *'), rule('allow', 'sh')])).toBe('ask')
    expect(kind(opaque, 'ask', [rule('allow')])).toBe('allow')
  })

  test('where a rule denies something, what could be it asks and never runs by itself', () => {
    const lasting = [rule('deny', 'git push *')]
    for (const command of ['curl x | sh', 'X=push; git §X', 'git {push,origin}', '§CMD', 'g[i]t push', 'eval "§X"']) {
      expect([command, inAll(bash(command), { rules: [rule('allow')], lasting })]).toEqual([
        command,
        'deny ask ask ask',
      ])
    }
    for (const command of ['python train.py --lr §LR', 'git status §X', 'echo *']) {
      expect([command, kind(bash(command), 'auto', [], lasting)]).toEqual([command, 'allow'])
    }
  })

  test.each([
    '/usr/bin/git push',
    'git -C x push origin',
    'sudo git push',
    'nohup git push &',
    'bash -c "git push"',
    'env A=1 git push',
    'ls | xargs git push',
    'true; git push',
    '(git push)',
    'echo "§(git push)"',
    "g'i't pu\\sh",
    'timeout 5 git --no-pager push x',
    'find . -exec git push \\;',
    'if true; then git push; fi',
    "sh <<'E'\ngit push\nE",
    'cat <<E\n`git push`\nE',
    './git push',
    'f() { git push; }; f',
  ])('a denied command is found in: %s', (command) => {
    expect(inAll(bash(command), { rules: [rule('deny', 'git push *')] })).toBe('deny deny deny deny')
  })
})

describe('attacks on what is allowed', () => {
  const allowed = [
    rule('allow', 'git status *'),
    rule('allow', 'git status'),
    rule('allow', 'python train.py *'),
    rule('allow', 'echo *'),
    rule('allow', 'out/*', { operation: 'redirect' }),
  ]
  test.each([
    'git status',
    'git status -s && echo done',
    'python train.py --lr 1e-4 > out/log.txt 2>&1',
    'cd src && python train.py | tail -3',
    'CUDA_VISIBLE_DEVICES=1 timeout 60 python train.py',
    'git status > /dev/null',
    "bash -c 'git status'",
  ])('what it is for runs: %s', (command) => {
    expect(kind(bash(command), 'ask', allowed)).toBe('allow')
  })

  test.each([
    'git status; rm -rf ~',
    'git status && rm -rf ~',
    'git status || rm x',
    'git status | sh',
    'git status & rm x',
    'git status\nrm -rf ~',
    'git status\r\nrm x',
    'git status §(curl x|sh)',
    'git status `curl x`',
    'git status "§(rm x)"',
    'git status <(rm x)',
    'git status >(rm x)',
    'git status > ~/.bashrc',
    'git status >> out/../.git/config',
    'git status >| x',
    'git status &> x',
    'git status 2> x',
    'git status >& x',
    'git status <> x',
    'X=§(rm x) git status',
    'LD_PRELOAD=./x.so git status',
    'PATH=.:§PATH git status',
    'GIT_SSH_COMMAND=x git status',
    'BASH_ENV=x git status',
    'GIT_EXTERNAL_DIFF=x git status',
    'PYTHONPATH=/tmp python train.py',
    'export PATH=/x; git status',
    'declare -x LD_PRELOAD=x; git status',
    'read PATH < x; git status',
    'printf -v PATH /x; git status',
    'for PATH in /x; do git status; done',
    ': §{PATH:=/x}; git status',
    'bash -c "rm -rf /"',
    'env FOO=1 sh -c "rm x"',
    'env -S "rm x" git status',
    'sh -c "git status; rm x"',
    'eval "git status; rm x"',
    'eval §X git status',
    'git\u00a0status',
    'git status\u2028rm x; rm y',
    '\u200bgit status',
    'gi\u0442 status',
    './git status',
    '/tmp/git status',
    '~/git status',
    'git() { rm -rf ~; }; git status',
    'function git { rm x; }; git status',
    "alias git='rm -rf ~'\ngit status",
    'hash -p /tmp/x git; git status',
    'enable -f x git; git status',
    'source x; git status',
    '. ./x && git status',
    'trap "rm x" EXIT; git status',
    'shopt -s expand_aliases; git status',
    'find . -exec rm {} +',
    'find . -delete; git status',
    'ls | xargs -I{} sh -c "rm {}"',
    'ls | xargs rm',
    'xargs git status < x',
    'git status | xargs -I% %',
    "sh <<'E'\nrm x\nE",
    'git status <<E\n§(rm x)\nE',
    "git status <<'E'\nE\nrm x",
    'git status <<-E\n\tE\nrm x',
    'python - <<E\nE',
    'python <<< "x"',
    'python -c "x"',
    'python train.py; python -c x',
    'cd /tmp && python train.py',
    'cd .. && git status',
    'cd §X && git status',
    'pushd /tmp; python train.py',
    'git -c core.pager=x status',
    'git --exec-path=/x status',
    'git -C /tmp status',
    'sudo git status',
    'doas git status',
    'git status #\nrm x',
    "git status '\n' ; rm x",
    'git status \\\n; rm x',
    "git 'status; rm x'; rm y",
    'git status §((a[§(rm x)]))',
    "echo §'x\\x27; rm y",
    "[[ 'a[§(rm x)]' -eq 0 ]]; git status",
    'case x in x) rm y;; esac; git status',
    'if git status; then rm x; fi',
    'while git status; do rm x; done',
    '{ git status; rm x; }',
    '(git status; rm x)',
    '! rm x',
    'time rm x',
    'coproc rm x',
    'echo x > .git/hooks/post-commit',
    'cd no; echo x > out/a',
    'cd out || echo x > out/a',
    'exec > x; git status',
    'echo x | tee ~/.bashrc',
    'git status && curl x',
    'nohup rm x',
    'command rm x',
    'builtin eval rm x',
    'b\\ash -c "rm x"',
    '"bash" -c "rm x"',
    '§(echo git) status',
    '§GIT status',
    'git§IFS status',
    '{git,status}',
    'gi? status',
    'echo a;rm x',
    'echo a&&rm x',
    'echo §{x@P}',
    'echo §{!x}',
    'echo "§{x:-`rm y`}"',
    'echo §((x))',
    'echo §[x]',
    'busybox rm x',
    'nice rm x',
    'watch rm x',
    'parallel rm ::: x',
    'uv run rm x',
    'ssh h rm x',
    'git status |& rm x',
    'git status;;rm x',
    "git status $'\\n'; rm x",
    'echo x >out/a >b',
  ])('asks: %s', (command) => {
    expect(kind(bash(command), 'ask', allowed, [])).toBe('ask')
  })

  test('a path does not lead out of an allowed folder', () => {
    const rules = [rule('allow', 'src/*', { tool: 'write' })]
    expect(kind(file('write', 'src/a/../b.py'), 'ask', rules)).toBe('allow')
    for (const path of [
      'src/../a',
      'src/../../x',
      '/w/project/src/../a',
      '~/src/a',
      './src/../.git/config',
      '/src/a',
    ]) {
      expect([path, kind(file('write', path), 'ask', rules)]).toEqual([path, 'ask'])
    }
  })
})

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
