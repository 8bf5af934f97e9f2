import { posix } from 'node:path'
import { evaluates } from './evaluating'
import { type OptionGrammar, PREFIXES, readOptions, TASKSET_LIST, TRANSPARENT } from './options'
import { MAX_DEPTH, parseShell } from './parse'
import { isDeceptive } from './quote'
import type { Assignment, SimpleCommand, Word } from './types'

/** A command as it will run, with everything taken off that only leads to it. */
export interface Step {
  kind: 'command' | 'words'
  /** Who runs it, when that is somebody or something else: `sudo`, `xargs`. */
  prefix: readonly Word[]
  words: readonly Word[]
  assignments: readonly Assignment[]
  redirects: SimpleCommand['redirects']
  bodies: readonly string[]
  dir: string | null
  /** What it does is known only when it runs. */
  opaque: boolean
  /** The commands that it was taken out of, as texts. */
  inside: readonly string[]
}

const SHELLS = new Set(['sh', 'bash', 'zsh', 'dash', 'ksh', 'mksh', 'ash', 'fish'])
/** Run a script whose name is the first argument; without one, what comes in from outside. */
const INTERPRETERS =
  /^(python[\d.]*|pypy\d*|node|nodejs|deno|bun|ruby|perl|php|lua|Rscript|R|julia|osascript|tclsh|expect)$/
/** Where the programs of a system lie: there, a name means what it says. */
const SYSTEM_FOLDERS = /^\/(usr\/(local\/)?)?s?bin$|^\/opt\/homebrew\/bin$/
/** Change what later names mean, or run something that is written elsewhere. */
const OPAQUE_BUILTINS = new Set(
  'source . alias unalias enable hash shopt complete compgen compopt bind fc coproc parallel su runuser script flock tmux screen jobs'.split(
    ' ',
  ),
)
const PROGRAM = /^[A-Za-z0-9_./@+:,~^[\]%-]+$/

/** The last part of a path to a system's program: `/usr/bin/env` is `env`. Other paths are what they are. */
export function programName(word: Word): string {
  const { value } = word
  return value.includes('/') && SYSTEM_FOLDERS.test(posix.dirname(value)) ? posix.basename(value) : value
}

export function textOf(words: readonly Word[]): string {
  return words.map(({ text }) => text).join(' ')
}

/** The commands that really run, with `sudo`, `sh -c`, `xargs` and their like seen through. Never throws. */
export function unwrap(command: SimpleCommand, depth = 0): Step[] {
  const steps: Step[] = []
  new Unwrapper(steps).take({ ...command, prefix: [], opaque: false, inside: [] }, depth)
  return steps
}

class Unwrapper {
  constructor(private readonly steps: Step[]) {}

  take(step: Step, depth: number): void {
    const [first, ...rest] = step.words
    if (step.kind === 'words' || first === undefined) {
      this.steps.push(step)
      return
    }
    const name = programName(first)
    if (!first.literal || !PROGRAM.test(name) || name.includes('=') || isDeceptive(name) || depth > MAX_DEPTH) {
      this.opaque(step)
    } else if (SHELLS.has(name)) this.shell(step, rest, depth)
    else if (name === 'eval') this.text(step, rest, depth)
    else if (name === 'trap') this.trap(step, rest, depth)
    else if (name === 'find') this.find(step, rest, depth)
    else if (name === 'env') this.env(step, rest, depth)
    else if (name === 'command' && /^-[vV]+$/.test(rest[0]?.value ?? '')) this.steps.push(step)
    else if (RUNNERS.has(name)) this.runner(step, name, rest, depth)
    else if (Object.hasOwn(TRANSPARENT, name)) this.transparent(step, name, rest, depth)
    else if (Object.hasOwn(PREFIXES, name)) this.prefixed(step, name, rest, depth)
    else this.plain(step, name, rest)
  }

  private plain(step: Step, name: string, rest: readonly Word[]): void {
    const defines =
      OPAQUE_BUILTINS.has(name) &&
      !(['hash', 'jobs'].includes(name) && !rest.some(({ value }) => value !== '-l' && value !== '-p'))
    const opaque = step.opaque || defines || evaluates(name, rest) || readsItsScript(name, rest)
    this.steps.push({ ...step, opaque })
  }

  private opaque(step: Step): void {
    this.steps.push({ ...step, opaque: true })
  }

  /** Goes on with what `step` runs. */
  private inner(step: Step, words: readonly Word[], depth: number, more: Partial<Step> = {}): void {
    this.take({ ...step, inside: [...step.inside, wholeText(step)], words, ...more }, depth + 1)
  }

  private transparent(step: Step, name: string, rest: readonly Word[], depth: number): void {
    const list = name === 'taskset' && /^(-a?c|--cpu-list)$/.test(rest[0]?.value ?? '')
    const options = readOptions(rest, list ? TASKSET_LIST : (TRANSPARENT[name] as OptionGrammar))
    // `exec` alone has redirections that hold from then on.
    if (name === 'exec' && rest.length === 0) this.steps.push(step)
    else if (options === null || options.rest.length === 0) this.opaque(step)
    else this.inner(step, options.rest, depth)
  }

  private env(step: Step, rest: readonly Word[], depth: number): void {
    const options = readOptions(rest, TRANSPARENT.env as OptionGrammar)
    if (options === null) {
      this.opaque(step)
      return
    }
    const at = options.rest.findIndex(({ value, literal }) => !literal || !/^[A-Za-z_]\w*=/.test(value))
    const given = options.rest.slice(0, at < 0 ? undefined : at)
    const assignments = [...step.assignments, ...given.map(assignmentOf)]
    const dir = options.given.has('C') || options.given.has('chdir') ? null : step.dir
    if (at < 0) this.steps.push({ ...step, assignments })
    else this.inner(step, options.rest.slice(at), depth, { assignments, dir })
  }

  private prefixed(step: Step, name: string, rest: readonly Word[], depth: number): void {
    const grammar = PREFIXES[name] as OptionGrammar
    const options = readOptions(rest, grammar)
    if (options === null) {
      this.opaque(step)
      return
    }
    const words = [...options.rest]
    const given = rest.slice(0, rest.length - words.length)
    const assignments: Assignment[] = []
    while (name === 'sudo' && words[0]?.literal && /^[A-Za-z_]\w*=/.test(words[0].value)) {
      assignments.push(...words.splice(0, 1).map(assignmentOf))
    }
    if (words.length === 0) {
      // `xargs` alone prints; the others begin a shell, or take what to run from elsewhere.
      const tame = name === 'xargs' || (name === 'sudo' && ['l', 'k', 'K'].some((flag) => options.given.has(flag)))
      this.steps.push({ ...step, opaque: !tame })
      return
    }
    const prefix = [...step.prefix, ...step.words.slice(0, 1), ...given]
    const more = { prefix, assignments: [...step.assignments, ...assignments] }
    // What comes in on standard input becomes part of the command; in a text for a shell nobody knows which part.
    const template = options.given.get('I') ?? options.given.get('replace')
    if (name === 'xargs' && takesCommand(words, template ?? '{}')) {
      this.opaque(step)
      return
    }
    if (name === 'watch' && !options.given.has('x') && !options.given.has('exec')) {
      this.text({ ...step, ...more, words }, words, depth)
    } else this.inner(step, words, depth, more)
  }

  /** `uv run python train.py`: the runner sets up what the program finds. */
  private runner(step: Step, name: string, rest: readonly Word[], depth: number): void {
    const [verb, ...words] = rest
    if (verb?.value !== 'run') {
      this.plain(step, name, rest)
      return
    }
    const options = readOptions(words, name === 'uv' ? UV_RUN : RUNNER)
    const [program] = options?.rest ?? []
    if (!options || !program?.literal || program.value === '-') {
      this.opaque(step)
      return
    }
    // A Python file is run by the runner itself.
    if (program.value.endsWith('.py')) {
      this.plain(step, name, rest)
      return
    }
    const given = step.words.slice(0, step.words.length - options.rest.length)
    this.inner(step, options.rest, depth, { prefix: [...step.prefix, ...given] })
  }

  private shell(step: Step, rest: readonly Word[], depth: number): void {
    let text: Word | null | undefined
    let at = 0
    let from_text = false
    for (; at < rest.length; at += 1) {
      const word = rest[at]
      if (!word?.literal) break
      if (word.value === '--' || word.value === '-') {
        at += 1
        break
      }
      if (word.value.startsWith('--')) {
        if (/^--(rcfile|init-file)/.test(word.value)) {
          this.opaque(step)
          return
        }
        continue
      }
      if (!/^[-+][A-Za-z]+$/.test(word.value)) break
      if (word.value.startsWith('-') && word.value.includes('c')) from_text = true
      if (word.value.includes('s') && word.value.startsWith('-')) {
        this.opaque(step)
        return
      }
      if (/[oO]$/.test(word.value)) at += 1
    }
    text = rest[at]
    if (from_text) {
      if (text?.literal) this.text(step, [text], depth)
      else this.opaque(step)
      return
    }
    // Without a script it runs what it reads; a script behind an expansion may be anything.
    const script = text?.literal && !isStandardInput(text.value)
    this.steps.push({ ...step, opaque: step.opaque || !script })
    if (!script) for (const body of step.bodies) this.lines(step, body, depth)
  }

  /** Words that are joined and read as a command line. */
  private text(step: Step, words: readonly Word[], depth: number): void {
    if (words.some(({ literal }) => !literal)) {
      this.opaque(step)
      return
    }
    this.lines(step, words.map(({ value }) => value).join(' '), depth)
    // Its own redirections and assignments.
    this.steps.push({ ...step, kind: 'words', words: [] })
  }

  private lines(step: Step, text: string, depth: number): void {
    const line = parseShell(text, step.dir, depth + 1)
    const inside = [...step.inside, wholeText(step)]
    for (const command of line.commands) {
      this.take({ ...command, prefix: step.prefix, opaque: step.opaque, inside }, depth + 1)
    }
    if (line.opaque) this.opaque(step)
  }

  private trap(step: Step, rest: readonly Word[], depth: number): void {
    const [action] = rest.filter(({ value }) => value !== '--')
    if (action && !/^-|^$/.test(action.value)) this.text(step, [action], depth)
    else this.steps.push(step)
  }

  private find(step: Step, rest: readonly Word[], depth: number): void {
    for (let at = 0; at < rest.length; at += 1) {
      if (!/^-(exec|ok)(dir)?$/.test(rest[at]?.value ?? '')) continue
      const length = rest.slice(at + 1).findIndex(({ value }) => value === ';' || value === '+')
      const words = rest.slice(at + 1, length < 0 ? undefined : at + 1 + length)
      if (length < 0 || takesCommand(words, '{}')) this.opaque({ ...step, words })
      else this.inner(step, words, depth, { redirects: [], dir: null })
      at += length < 0 ? rest.length : length + 1
    }
    this.steps.push(step)
  }
}

const UV_RUN: OptionGrammar = {
  flags: 'qv',
  valued: 'p',
  long: [
    'quiet',
    'isolated',
    'active',
    'no-project',
    'no-sync',
    'frozen',
    'locked',
    'all-extras',
    'offline',
    'no-cache',
  ],
  long_valued: ['with', 'with-requirements', 'python', 'extra', 'group', 'directory', 'project', 'env-file'],
}
const RUNNER: OptionGrammar = {
  flags: 'v',
  valued: 'np',
  long: ['no-capture-output', 'live-stream'],
  long_valued: ['name', 'prefix', 'cwd'],
}
const RUNNERS = new Set(['uv', 'poetry', 'pipenv', 'pdm', 'conda', 'mamba', 'micromamba', 'pixi', 'rye', 'hatch'])

function wholeText({ prefix, words }: Step): string {
  return textOf([...prefix, ...words])
}

/** Whether what is put in for the template decides which program runs, or becomes part of a text for a shell. */
function takesCommand(words: readonly Word[], template: string): boolean {
  const [first] = words
  if (!first || first.value.includes(template)) return true
  const name = programName(first)
  const leads =
    SHELLS.has(name) || name === 'eval' || INTERPRETERS.test(name) || name in TRANSPARENT || name in PREFIXES
  if (!leads) return false
  if (words.slice(1).some(({ value }) => value.includes(template))) return true
  // What is appended becomes the program, or its script.
  return !words.slice(1).some(({ value }) => !value.startsWith('-'))
}

function isStandardInput(path: string): boolean {
  return path === '-' || /^\/dev\/(stdin|fd\/\d+)$|^\/proc\/(self|\d+)\/fd\//.test(path)
}

/** Whether an interpreter runs what is not in the command line and has no name: a pipe, a here-document, a variable. */
function readsItsScript(name: string, rest: readonly Word[]): boolean {
  if (!INTERPRETERS.test(name)) return false
  const script = rest.find(({ value }) => !/^-[^cemEM]*$/.test(value) || value === '-')
  if (!script) return !rest.some(({ value }) => /^(-V|-v|--version|--help|-h)$/.test(value))
  if (/^-[A-Za-z]*[cemEM]/.test(script.value)) {
    const code = rest[rest.indexOf(script) + 1]
    return code !== undefined && !code.literal
  }
  return !script.literal || isStandardInput(script.value)
}

function assignmentOf(word: Word): Assignment {
  const [name = ''] = word.value.split('=', 1)
  return { name, value: word.literal ? word.value.slice(name.length + 1) : null, text: word.text }
}
