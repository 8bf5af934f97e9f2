import { resolve } from 'node:path'
import type { ApprovalRisk, ApprovalSubject } from '@shared/approvals'
import { displayPath, resolvePath } from '../paths'
import { isHarmless } from './harmless'
import { parseShell } from './parse'
import { visible } from './quote'
import { isOwn, namesOwn, riskReason, risksOf, risksOfPath, risksOfText, risksOfWriting, worstRisk } from './risks'
import type { Assignment, Redirect, Word } from './types'
import { programName, type Step, textOf, unwrap } from './unwrap'
import { decidesWhatRuns } from './variables'

/** One thing that a call would do, as rules see it. */
export interface ActionSubject extends ApprovalSubject {
  opaque?: boolean
  harmless?: boolean
  also?: string[]
  unsure_from?: number
}
export interface ActionFacts {
  subjects: ActionSubject[]
  risk?: ApprovalRisk
  reason?: string
}

/** Parts of one command line that are shown and judged one by one; beyond, it is judged as a whole. */
const MAX_SUBJECTS = 200
/** Longest text of a line that could not be read, in characters. */
const MAX_LINE_CHARS = 4_000
const NO_FILE = /^\/dev\/(null|stdout|stderr|tty|fd\/\d+)$|^NUL$/
const NETWORK = /^\/dev\/(tcp|udp)\//
const OPAQUE_REASON = 'Part of what it runs cannot be known beforehand'

/** What a bash command line would do. Pure; never throws; time proportional to the length of the text. */
export function commandFacts(
  command: string,
  { cwd, work_dir, own = [] }: { cwd: string; work_dir: string; own?: readonly string[] },
): ActionFacts {
  if (work_dir.includes('\0') || command.includes('\0')) {
    return { subjects: [{ operation: 'run', text: visible(command).slice(0, MAX_LINE_CHARS), opaque: true }] }
  }
  const base = resolvePath(work_dir, cwd)
  const line = parseShell(command)
  const steps = line.commands.flatMap((one) => unwrap(one))
  const risks: ApprovalRisk[] = []
  const found = new Map<string, ActionSubject>()
  const add = (subject: ActionSubject): void => {
    const key = `${subject.operation}\0${subject.opaque === true}\0${subject.text}`
    const known = found.get(key)
    if (!known) found.set(key, subject)
    // `cd ..` twice: the second may lead out.
    if (known && !subject.harmless) delete known.harmless
    if (known && subject.also)
      known.also = [...new Set([...(known.also ?? []), ...subject.also])].slice(0, MAX_SUBJECTS)
  }
  if (!isInside(base, cwd)) add({ operation: 'run', text: `cd ${base}` })
  for (const step of steps.slice(0, MAX_SUBJECTS)) {
    const found = risksOf(step)
    risks.push(...found)
    if (step.kind === 'command' && step.words.length > 0) {
      const harmless = found.length === 0 && isHarmless(step) && staysInside(step, base, cwd)
      add(runSubject(step, harmless))
      if (!isHarmless(step) && touchesOwn(step, base, own)) risks.push('rights')
    }
    if (step.redirects.some((redirect) => writesOwn(redirect, step, base, own))) risks.push('rights')
    for (const assignment of [...step.assignments, ...setByBuiltin(step)]) {
      for (const subject of assignSubject(assignment)) add(subject)
    }
    for (const redirect of step.redirects) {
      for (const subject of redirectSubject(redirect, step, base, cwd)) add(subject)
    }
  }
  const opaque = line.opaque || steps.length > MAX_SUBJECTS
  const whole = visible(command).slice(0, MAX_LINE_CHARS)
  if (opaque) add({ operation: 'run', text: whole, opaque: true })
  if (found.size === 0) add({ operation: 'run', text: whole, harmless: true })
  const subjects = [...found.values()]
  if (subjects.some((subject) => subject.opaque)) {
    risks.push(...risksOfText(command), ...(namesOwn(command, own) ? (['rights'] as const) : []))
  }
  return withReason(subjects, risks)
}

interface FileContext {
  /** Where paths lead when links are followed. */
  real?: ReadonlyMap<string, string>
  own?: readonly string[]
}

/**
 * What touching a file would do. `path` as the model wrote it; rules see it relative to `cwd`, absolute outside, and a file
 * behind a link under both its names.
 */
export function fileFacts(
  operation: 'read' | 'write' | 'edit',
  path: string,
  cwd: string,
  { real, own }: FileContext = {},
): ActionFacts {
  if (path.includes('\0')) return { subjects: [{ operation, text: visible(path) }] }
  const file = resolvePath(path, cwd)
  const target = real?.get(file) ?? file
  const texts = new Set([displayPath(file, cwd), displayPath(target, target === file ? cwd : (real?.get(cwd) ?? cwd))])
  const risks = [file, target].flatMap((one) => (operation === 'read' ? risksOfPath(one) : risksOfWriting(one, own)))
  return withReason(
    [...texts].map((text) => ({ operation, text })),
    risks,
  )
}

/** The file that a path argument names; none where it cannot be one. */
export function openedPaths(path: string, cwd: string): string[] {
  return path.includes('\0') ? [] : [resolvePath(path, cwd)]
}

/** Whether a command is given a file of the program itself, in a word or in code. */
function touchesOwn(step: Step, base: string, own: readonly string[]): boolean {
  const dir = resolvePath(step.dir ?? '.', base)
  const texts = [...step.words.slice(1), ...step.prefix].map((word) => word.value).concat(step.bodies)
  return texts.some((text) => {
    if (namesOwn(text, own)) return true
    if (text.length > 4096 || text.includes('\0')) return false
    return text
      .split(/[=:,]/)
      .some((part) => part !== '' && !part.startsWith('-') && isOwn(resolvePath(part, dir), own))
  })
}

function writesOwn({ direction, target }: Redirect, step: Step, base: string, own: readonly string[]): boolean {
  if (direction === 'in' || direction === 'here' || target.value.includes('\0')) return false
  const dir = resolvePath(step.dir ?? '.', base)
  return namesOwn(target.value, own) || isOwn(resolvePath(target.value, dir), own)
}

function withReason(subjects: ActionSubject[], risks: ApprovalRisk[]): ActionFacts {
  const risk = worstRisk(risks)
  const reason = risk ? riskReason(risk) : subjects.some(({ opaque }) => opaque) ? OPAQUE_REASON : undefined
  return { subjects, ...(risk ? { risk } : {}), ...(reason ? { reason } : {}) }
}

function runSubject(step: Step, harmless: boolean): ActionSubject {
  const words = [...step.prefix, ...step.words]
  const text = textOf(words)
  const unsure = words.findIndex(({ literal }) => !literal)
  const also = otherTexts(step).filter((other) => other !== text)
  return {
    operation: 'run',
    text,
    ...(step.opaque ? { opaque: true } : {}),
    ...(harmless ? { harmless: true } : {}),
    ...(also.length > 0 ? { also } : {}),
    ...(unsure < 0 ? {} : { unsure_from: textOf(words.slice(0, unsure)).length + (unsure === 0 ? 0 : 1) }),
  }
}

/** Under which other names a rule that denies or asks would know the command. */
function otherTexts(step: Step): string[] {
  const [first, ...rest] = step.words
  const texts = [...step.inside, textOf(step.words)]
  if (first) {
    const name = first.value.split('/').pop() ?? ''
    const tail = textOf(rest)
    const join = (...parts: string[]): string => parts.filter((part) => part !== '').join(' ')
    if (first.literal && name !== first.value) texts.push(join(name, tail))
    if (name === 'git') texts.push(join('git', textOf(withoutGitOptions(rest))))
    // `python3.11 -u train.py`, for rules that say `python`
    if (/^python[\d.]+$/.test(name)) texts.push(join('python', tail))
  }
  return [...new Set(texts)]
}

const GIT_VALUED = /^(-C|-c|--git-dir|--work-tree|--namespace|--exec-path|--config-env|--super-prefix)$/

/** `git -C x -c a=b push` is a `git push`. */
function withoutGitOptions(words: readonly Word[]): readonly Word[] {
  let at = 0
  while (words[at]?.value.startsWith('-')) at += GIT_VALUED.test(words[at]?.value ?? '') ? 2 : 1
  return words.slice(at)
}

const DECLARES = new Set(['export', 'declare', 'typeset', 'local', 'readonly'])
const READS = new Set(['read', 'mapfile', 'readarray', 'getopts', 'unset'])

/** Variables that a builtin sets by the words it is given. */
function setByBuiltin(step: Step): Assignment[] {
  const [first, ...rest] = step.words
  if (!first || step.kind === 'words') return []
  const name = programName(first)
  const unknown = (word: Word): Assignment => ({ name: word.value, value: null, text: `${word.text}=…` })
  if (DECLARES.has(name)) {
    return rest.flatMap((word): Assignment[] => {
      const variable = /^([A-Za-z_]\w*)\+?=/.exec(word.value)?.[1]
      return variable === undefined ? [] : [{ name: variable, value: word.literal ? '' : null, text: word.text }]
    })
  }
  if (READS.has(name)) return rest.filter(({ value }) => /^\w+$/.test(value)).map(unknown)
  if (name === 'printf' && rest[0]?.value === '-v' && rest[1]) return [unknown(rest[1])]
  return []
}

function assignSubject({ name, value, text }: Assignment): ActionSubject[] {
  if (!decidesWhatRuns(name)) return []
  return [{ operation: 'assign', text: visible(text), ...(value === null ? { opaque: true } : {}) }]
}

function redirectSubject({ direction, target }: Redirect, step: Step, base: string, cwd: string): ActionSubject[] {
  const text = target.literal ? target.value : target.text
  const reads = direction === 'in' || direction === 'here'
  if ((reads && !NETWORK.test(text)) || target.process || (target.literal && NO_FILE.test(text))) {
    return []
  }
  const known = target.literal && (step.dir !== null || /^[/~]/.test(text))
  if (!known) return [{ operation: 'redirect', text: visible(text), opaque: true }]
  const file = target.tilde ? resolvePath(text, base) : resolve(resolvePath(step.dir ?? '.', base), text)
  return [{ operation: 'redirect', text: visible(displayPath(file, cwd)) }]
}

/** Whether a `cd` keeps to the working folder; any other command does. */
function staysInside({ words, dir }: Step, base: string, cwd: string): boolean {
  const [first, ...rest] = words
  if (first?.value !== 'cd') return true
  const [target, ...more] = rest.filter(({ value }) => value !== '--')
  if (!target?.literal || more.length > 0 || target.value.startsWith('-') || dir === null) return false
  const from = resolvePath(dir, base)
  return isInside(target.tilde ? resolvePath(target.value, from) : resolve(from, target.value), cwd)
}

function isInside(path: string, cwd: string): boolean {
  return path === cwd || path.startsWith(cwd.endsWith('/') ? cwd : `${cwd}/`)
}
