import type { Word } from './types'

/** The options of a program that runs another one, as far as they matter for finding that one. */
export interface OptionGrammar {
  /** Letters that stand alone. */
  flags: string
  /** Letters that take a value, in the same word or the next. */
  valued: string
  /** Long options without a value, without dashes. */
  long?: readonly string[]
  /** Long options with a value: `--name=value` or `--name value`. */
  long_valued?: readonly string[]
  /** Words between the options and the program, such as a duration. */
  skip?: number
  /** `-5` means something. */
  number?: boolean
}

export interface Options {
  /** Letters and long names that were given, with their values; null: without one. */
  given: Map<string, string | null>
  rest: Word[]
}

/** Null when an option is not known: then nobody can say where the program begins. */
export function readOptions(words: readonly Word[], grammar: OptionGrammar): Options | null {
  const given = new Map<string, string | null>()
  let at = 0
  for (; at < words.length; at += 1) {
    const word = words[at]
    if (!word?.literal) break
    const { value } = word
    if (value === '--') {
      at += 1
      break
    }
    if (!value.startsWith('-') || value === '-') break
    if (grammar.number && /^-\d+$/.test(value)) continue
    if (value.startsWith('--')) {
      const [name = '', inline] = value.slice(2).split('=', 2)
      if (grammar.long?.includes(name)) given.set(name, null)
      else if (grammar.long_valued?.includes(name)) {
        if (inline === undefined) at += 1
        given.set(name, inline ?? words[at]?.value ?? null)
      } else return null
      continue
    }
    for (let i = 1; i < value.length; i += 1) {
      const letter = value[i] ?? ''
      if (grammar.flags.includes(letter)) given.set(letter, null)
      else if (grammar.valued.includes(letter)) {
        const inline = value.slice(i + 1)
        if (inline === '') at += 1
        given.set(letter, inline || (words[at]?.value ?? null))
        break
      } else return null
    }
  }
  return { given, rest: words.slice(at + (grammar.skip ?? 0)) }
}

/** Programs that run their arguments as a command and change nothing about what that command does. */
export const TRANSPARENT: Readonly<Record<string, OptionGrammar>> = {
  nohup: { flags: '', valued: '' },
  nice: { flags: '', valued: 'n', long_valued: ['adjustment'], number: true },
  ionice: { flags: 't', valued: 'cn', long: ['ignore'], long_valued: ['class', 'classdata'] },
  time: { flags: 'pvq', valued: 'f', long: ['portability', 'verbose', 'quiet'], long_valued: ['format'] },
  timeout: {
    flags: 'vfp',
    valued: 'ks',
    long: ['foreground', 'preserve-status', 'verbose'],
    long_valued: ['kill-after', 'signal'],
    skip: 1,
  },
  gtimeout: { flags: 'v', valued: 'ks', long: ['foreground'], long_valued: ['kill-after', 'signal'], skip: 1 },
  stdbuf: { flags: '', valued: 'ioe', long_valued: ['input', 'output', 'error'] },
  setsid: { flags: 'cfw', valued: '', long: ['ctty', 'fork', 'wait'] },
  exec: { flags: 'cl', valued: 'a' },
  command: { flags: 'p', valued: '' },
  builtin: { flags: '', valued: '' },
  busybox: { flags: '', valued: '' },
  toybox: { flags: '', valued: '' },
  caffeinate: { flags: 'disum', valued: 't' },
  unbuffer: { flags: 'p', valued: '' },
  numactl: {
    flags: 'l',
    valued: 'NmCip',
    long: ['localalloc'],
    long_valued: ['cpunodebind', 'membind', 'physcpubind', 'interleave', 'preferred'],
  },
  taskset: { flags: 'a', valued: '', skip: 1 },
  env: { flags: 'i0v', valued: 'uC', long: ['ignore-environment', 'null', 'debug'], long_valued: ['unset', 'chdir'] },
}
// The list of processors of `taskset -c 0-3 cmd` stands where the mask stands without it.
export const TASKSET_LIST: OptionGrammar = { flags: 'ac', valued: '', skip: 1, long: ['cpu-list', 'all-tasks'] }

/**
 * Programs that run their arguments as a command, but elsewhere or as somebody else: what runs under them needs a rule of
 * its own, that names them.
 */
export const PREFIXES: Readonly<Record<string, OptionGrammar>> = {
  sudo: {
    flags: 'nEHSkKbAPBisl',
    valued: 'ughpCrtTUDR',
    long: ['non-interactive', 'preserve-env', 'set-home', 'stdin', 'background', 'login', 'shell'],
    long_valued: ['user', 'group', 'host', 'prompt', 'chdir'],
  },
  doas: { flags: 'nsL', valued: 'uaC' },
  pkexec: { flags: '', valued: '', long: ['disable-internal-agent', 'keep-cwd'], long_valued: ['user'] },
  xargs: {
    flags: '0rtpxo',
    valued: 'InLPsdEa',
    long: ['null', 'no-run-if-empty', 'verbose', 'exit', 'interactive', 'open-tty'],
    long_valued: ['max-args', 'max-procs', 'max-lines', 'max-chars', 'delimiter', 'arg-file', 'replace', 'eof'],
  },
  watch: {
    flags: 'bcdegtpxwr',
    valued: 'nq',
    long: ['beep', 'color', 'differences', 'errexit', 'chgexit', 'no-title', 'precise', 'exec'],
    long_valued: ['interval'],
  },
  strace: { flags: 'cCdfhikqrtTvVxy', valued: 'abeoOpPsSuEX' },
  chroot: { flags: '', valued: '', long_valued: ['userspec', 'groups'], skip: 1 },
  uvx: { flags: 'qv', valued: 'p', long: ['quiet', 'isolated'], long_valued: ['from', 'with', 'python'] },
}
