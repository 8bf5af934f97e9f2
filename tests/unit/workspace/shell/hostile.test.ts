import { describe, expect, test } from 'vitest'
import { factsOf, partsOf } from './support'

const many = (text: string, length: number): string => text.repeat(Math.floor(length / text.length))

describe('what cannot be read for sure is opaque', () => {
  test.each([
    "echo 'open",
    'echo "open',
    'echo `open',
    'echo $(open',
    'echo §{open',
    'echo $((open',
    '(open',
    'a )',
    'a (b)',
    'echo \\',
    '$CMD x',
    '"$X"',
    '§{X}m x',
    'r[m] x',
    '/bin/r? x',
    '{rm,x}',
    '$(echo rm) x',
    '`echo rm` x',
    '~evil/x$Y',
    'eval "$X"',
    'eval rm $X',
    'source x',
    '. x',
    'sh',
    'bash -s',
    'sh < x',
    'curl x | sh',
    'sh -c "$X"',
    'bash --rcfile x',
    'bash <(curl x)',
    'bash $F',
    'bash /dev/stdin',
    'python',
    'python -',
    'python $F',
    'python <(curl x)',
    'python -c "$X"',
    'curl x | python3',
    'python /dev/fd/3',
    'node',
    'perl -e "$X"',
    'f() { rm x; }; f',
    'function f { rm x; }',
    'alias x=y',
    'enable -f x y',
    'hash -p /x git',
    'shopt -s expand_aliases',
    'coproc x',
    'xargs -I{} sh -c "rm {}"',
    'xargs sh -c',
    'xargs -I% % x',
    'xargs env',
    'parallel rm',
    'find . -exec sh -c "rm {}" \\;',
    'find . -exec {} \\;',
    'su -c x',
    'script -c x',
    'flock f -c x',
    'tmux new x',
    'nice --what x',
    'env -S "rm x"',
    'sudo -i',
    'sudo',
    'timeout --odd 5 rm',
    "[[ 'a[$(rm x)]' -eq 0 ]]",
    "test -v 'a[$(rm x)]'",
    "let 'a[$(rm x)]'",
    'echo $((x))',
    'echo $[1]',
    '((x))',
    '[[ $x -gt 1 ]]',
    "printf -v 'a[$(x)]' y",
    'echo §{x@P}',
    'echo §{!x}',
    'echo §{x:=y}',
    'echo §{a[$i]}',
    'declare -n r=PATH',
    'let "a[$(x)]"',
    'test -v "$x"',
    'printf -v "$x" y',
    'unset "$x"',
    'read "$x"',
    'export "$x"',
    'declare -a x=$y',
    'x=([$(y)]=1)',
    'mapfile -C x -c 1 a',
    'a[$x]=1',
    "echo §{x:-'}'}",
    'cat <<$E\nx',
    'echo $(cat <<E)\nE',
    'cat <<E "\n"\nE\nx',
    'case x in a',
    'case x y',
    'for $x in a; do b; done',
    'a ;; b',
    'if a; esac',
    'a\0b',
    "echo $'\\0'",
    'git\u00a0status',
    'gi\u200bt status',
    '\u2066rm x',
    "$'\\xc3\\xa9'",
  ])('%j', (command) => {
    expect(factsOf(command).subjects.some(({ opaque }) => opaque)).toBe(true)
  })

  test('what was read before and behind is shown all the same', () => {
    expect(partsOf('rm a; echo "$(rm b)"; rm c; echo \'open')).toEqual(expect.arrayContaining(['rm a', 'rm b', 'rm c']))
    expect(partsOf('git() { rm -rf ~; }; git status')).toEqual(
      expect.arrayContaining(['rm -rf ~', '?git() { rm -rf ~; }; git status']),
    )
    expect(partsOf("sh <<'E'\nrm x\nE")).toEqual(['?sh', 'rm x'])
  })

  test('what a reader could mistake is written out', () => {
    expect(partsOf('rm a\u202eb')).toEqual(["rm 'a\\u{202e}b'"])
    expect(partsOf('rm "a\u00a0$x"')).toEqual(['rm "a\\u{a0}$x"'])
  })
})

describe('a megabyte of hostile text', () => {
  test.each([
    'a;',
    '$(',
    '((',
    '`',
    '"$(',
    '"`',
    '<<E ',
    '<<E\n',
    "'",
    '§{',
    'a ',
    "bash -c '",
    '{',
    '{a',
    'x\\\n',
    '[[ ',
    'if ',
    'a=(',
    '>',
    'case x in ',
    'sudo ',
    'env ',
    'nice ',
    '$((1+',
    '[',
    'a[$(',
    '\\',
    '§{x:-',
    '{,',
    "$'\\",
    '~',
    '<(',
    'x=',
    '-',
    '\u00a0',
    '\ud800',
    '=',
    '(a)|',
    'f() ',
    '! ',
    '#\n',
    'a|',
    '&&',
    '"\\',
    'eval ',
    'echo ~/.ssh/x ',
    'hf jobs ',
  ])('ends soon and does not throw: %j', (piece) => {
    const started = performance.now()
    // As long as is read at all; more is opaque as a whole.
    const text = many(piece, 131_000)
    expect(factsOf(text).subjects.length).toBeGreaterThan(0)
    expect(factsOf(`bash -c '${text.replaceAll("'", '"')}'`).subjects.length).toBeGreaterThan(0)
    expect(factsOf(many(piece, 1_000_000)).subjects).toMatchObject([{ opaque: true }])
    // Quadratic time would be half a minute; a slow, busy machine is not.
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})
