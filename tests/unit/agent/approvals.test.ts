import type { Rule } from '@shared/approvals'
import { describe, expect, test } from 'vitest'
import { type CallFacts, decide, type Policy } from '../../../src/main/agent/approvals'
import { asked, bash, file, inAll, kind, rule } from './approval-calls'

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
