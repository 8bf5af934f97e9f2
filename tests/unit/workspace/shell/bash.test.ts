import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { factsOf } from './support'

/** Programs that only write down that they ran. */
const PROGRAMS = ['run0', 'run1', 'run2', 'run3', 'run4']
const LINES = 160

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ml-intern-bash-'))
  await mkdir(join(folder, 'bin'))
  for (const name of PROGRAMS) {
    const file = join(folder, 'bin', name)
    await writeFile(file, `#!/bin/sh\necho ${name} >> "$RAN"\necho ${name}\n`)
    await chmod(file, 0o755)
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A small generator of numbers with a fixed seed (mulberry32): the same lines on every machine. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Pieces of syntax with holes (`@`) for others. */
const SHAPES = [
  '@; @',
  '@ && @',
  '@ || @',
  '@ | @',
  '@\n@',
  '@ & @',
  '{ @; }',
  '(@)',
  'echo $(@)',
  'echo "a $(@) b"',
  'echo `%`',
  'echo "`%`"',
  'if @; then @; else @; fi',
  'for i in 1 $(@); do @; done',
  'case a in a) @;; *) @;; esac',
  'case $(@) in (b) @;& *) @; esac',
  "bash -c '%'",
  'sh -c "%"',
  'eval "%"',
  "env A=1 sh -c '%'",
  'timeout 5 %',
  'nice -n 1 nohup %',
  'command %',
  'exec %',
  '! @',
  'time @',
  'echo x | xargs %',
  'find . -maxdepth 0 -exec % \\;',
  'A=$(@) @',
  'cat <<E\n$(@)\nE\n@',
  "cat <<'E'\n$(%)\nE\n@",
  'bash <<E\n%\nE\n',
  'echo ~{x:-$(@)}',
  'cat <(@)',
  '@ > out',
  '@ 2>&1 >/dev/null',
  'echo "~{x:-`%`}"',
  'f() { @; }; f',
  '[[ -n $(@) ]] && @',
  'x=($(@) b); @',
  'while @; do @; break; done',
  'echo $((1 + $(@ | wc -l)))',
  "trap '%' EXIT",
  '\\%',
  '"%"',
  'r\\\nun1',
  "$'\\x72un2'",
  "'run'3",
  '% # @',
  'echo \'@\' "\\$(@)"',
  'X=run4; $X',
  'alias a=run1\na',
  'coproc %',
  '(( 1 )) && @',
  'select i in 1; do @; done < /dev/null',
  'echo a\\\n; @',
  'echo ~{x#$(@)}',
  'until @; do @; done',
  'let "a[$(@)]"',
  'test -v "a[$(@)]"',
  'printf -v "a[$(@)]" x',
  'unset "a[$(@)]"',
  'a[$(@)]=1',
  'a=([$(@)]=1)',
  'declare -a "x=($(@))"',
  'read "a[$(@)]" <<< x',
  '[[ $(@) -eq 1 ]]',
  'x=$(@); echo $((x))',
  'export A="$(@)"',
  '[ "$(@)" = x ]',
  'y="$(@)"; echo ~{x:$y} ~{y@P} ~{!y}',
  "echo '$(%)'",
]

function line(random: () => number, depth: number): string {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const program = (): string => pick(PROGRAMS)
  if (depth === 0 || random() < 0.15) return program()
  return pick(SHAPES).replace(/[@%~]/g, (hole) => {
    // The holes inside quotes take programs only: quotes in quotes are another line.
    if (hole === '~') return '$'
    return hole === '%' ? program() : line(random, depth - 1)
  })
}

function run(command: string, ran: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { PATH: join(folder, 'bin') + delimiter + (process.env.PATH ?? ''), RAN: ran, HOME: folder }
    const child = spawn('timeout', ['5', 'bash', '-c', command], { cwd: folder, env, stdio: 'ignore' })
    child.on('error', reject).on('close', () => resolve())
  })
}

test('every program that bash really runs was seen before, or the line was opaque', { timeout: 120_000 }, async () => {
  const random = numbers(20_26)
  let judged = 0
  const missed: string[] = []
  for (let at = 0; at < LINES; at += 8) {
    const batch = Array.from({ length: 8 }, (_, i) => ({ text: line(random, 3), ran: join(folder, `ran-${at + i}`) }))
    await Promise.all(batch.map(({ text, ran }) => run(text, ran)))
    for (const { text, ran } of batch) {
      const log = await readFile(ran, 'utf8').catch(() => '')
      const { subjects } = factsOf(text)
      if (subjects.some(({ opaque }) => opaque)) continue
      judged += 1
      const seen = subjects.flatMap((subject) => subject.text.split(' '))
      const unseen = log.split('\n').filter((name) => name !== '' && !seen.includes(name))
      if (unseen.length > 0) missed.push(`${unseen.join(',')} in ${text}`)
    }
  }
  expect(missed).toEqual([])
  // Opaque is no excuse: enough lines have to be understood.
  expect(judged).toBeGreaterThan(LINES / 4)
})
