import { posix } from 'node:path'
import type { ApprovalRisk } from '@shared/approvals'
import { isSecretName, isSecretPath } from './secrets'
import type { Word } from './types'
import { programName, type Step, textOf } from './unwrap'

/** Worst first: one call shows one risk. */
const SEVERITY: readonly ApprovalRisk[] = ['rights', 'hub_deletion', 'schedule', 'money', 'secrets']

const RISK_REASONS: Readonly<Record<ApprovalRisk, string>> = {
  hub_deletion: 'Deletes something on the Hugging Face Hub',
  schedule: 'Sets up or changes something that runs by itself later',
  money: 'Starts something that costs money',
  secrets: 'Reads or shows a secret',
  rights: 'Changes the settings or records of ML Intern itself: it could give itself more rights',
}
/** Why a call with this risk is asked, for a person. */
export function riskReason(risk: ApprovalRisk): string {
  return RISK_REASONS[risk]
}

/** The worst of them; undefined when there is none. */
export function worstRisk(risks: Iterable<ApprovalRisk>): ApprovalRisk | undefined {
  const found = new Set(risks)
  return SEVERITY.find((risk) => found.has(risk))
}

/** Names in code of the Hub's Python and JavaScript libraries; and its addresses. */
const IN_CODE: readonly [ApprovalRisk, RegExp][] = [
  [
    'hub_deletion',
    /\b(delete_(repo|files?|folder|branch|tag|collection|space_\w+|inference_endpoint|bucket)|super_squash_\w+)\b/,
  ],
  ['hub_deletion', /\bdelete(Repo|Files?|Branch|Collection)\b|\/api\/repos\/delete\b|\brepos\.delete\b/],
  ['schedule', /\b(create|run|resume|suspend|delete)_scheduled_\w+|\/api\/scheduled-jobs\b|\bcreateScheduledJob\b/],
  [
    'money',
    /\brun_(uv_)?job\b|\b(create|resume|scale_to|update)_inference_endpoint\b|\brequest_space_(hardware|storage)\b/,
  ],
  ['money', /\brunJob\b|\bduplicateJob\b|\/api\/jobs\/[^\s'"/]+(['"\s]|$)|\bapi\.endpoints\.huggingface\.cloud\b/],
  ['secrets', /\bhf_?folder\.get_token\b|\bHfFolder\b|\bkeyring\.get_password\b|\bgetpass\.getpass\b/i],
]
const HUB_HOST = /\b(huggingface\.co|hf\.co)\b|\bHF_ENDPOINT\b/
const WRITES_TIMERS =
  /(^|\/)(etc\/(cron[^/]*|anacrontab)|var\/spool\/(cron|at)|launchagents|launchdaemons|systemd\/(user|system))(\/|$)/i

/** What is risky about the code or the file itself: a Python text, a here-document. */
export function risksOfCode(code: string): ApprovalRisk[] {
  return IN_CODE.filter(([, pattern]) => pattern.test(code)).map(([risk]) => risk)
}

/** Signs of a risk in a command line that could not be read. */
const IN_TEXT: readonly [ApprovalRisk, RegExp][] = [
  ['hub_deletion', /\b(hf|huggingface-cli)\s[^\n;|&]{0,200}\b(delete|rm)\b/],
  ['schedule', /\b(crontab|launchctl|schtasks)\b|\bjobs\s+scheduled\b/],
  ['money', /\b(hf|huggingface-cli)\s+(jobs\s+(run|uv)|endpoints)\b/],
]
const MAX_TOKENS = 2_000

/** What is risky about a command line, judged by its letters alone. */
export function risksOfText(text: string): ApprovalRisk[] {
  const tokens = text.slice(0, 200_000).split(/[\s=@:,<>|&;'"()`]+/, MAX_TOKENS)
  return [
    ...risksOfCode(text),
    ...IN_TEXT.filter(([, pattern]) => pattern.test(text)).map(([risk]) => risk),
    ...(tokens.some(isSecretPath) ? (['secrets'] as const) : []),
  ]
}

/** What is risky about touching this file, whatever is done to it. */
export function risksOfPath(path: string): ApprovalRisk[] {
  return isSecretPath(path) ? ['secrets'] : []
}

/** What is risky about changing this file; `own`: files and folders of the program itself. */
export function risksOfWriting(path: string, own: readonly string[] = []): ApprovalRisk[] {
  return [
    ...risksOfPath(path),
    ...(WRITES_TIMERS.test(path) ? (['schedule'] as const) : []),
    ...(isOwn(path, own) ? (['rights'] as const) : []),
  ]
}

/** A project's settings, which are read at every start in its folder. */
const PROJECT_SETTINGS = /(^|\/)\.ml-intern\/config\.json$/

/** Whether a file says what the program itself may do, or what it has done. */
export function isOwn(path: string, own: readonly string[]): boolean {
  const plain = sameCase(path)
  if (PROJECT_SETTINGS.test(plain)) return true
  return own.map(sameCase).some((one) => plain === one || plain.startsWith(`${one}/`))
}

/** Whether a text names such a file: code that is run, a command that could not be read. */
export function namesOwn(text: string, own: readonly string[]): boolean {
  const plain = sameCase(text)
  return plain.includes('.ml-intern/config.json') || own.map(sameCase).some((one) => plain.includes(one))
}

/** Two systems of three do not tell capital from small letters in paths. */
function sameCase(path: string): string {
  return path.replaceAll('\\', '/').toLowerCase()
}

/** What is risky about a command. */
export function risksOf(step: Step): ApprovalRisk[] {
  const risks: ApprovalRisk[] = []
  const [first, ...rest] = step.words
  if (first && step.kind === 'command') risks.push(...risksOfProgram(programName(first), rest, step))
  for (const word of [...step.prefix, ...step.words]) risks.push(...risksOfWord(word, step.dir))
  for (const { target, direction } of step.redirects) {
    risks.push(...risksOfWord(target, step.dir))
    if (direction !== 'in' && WRITES_TIMERS.test(target.value)) risks.push('schedule')
  }
  for (const body of step.bodies) risks.push(...risksOfCode(body))
  return risks
}

function risksOfWord({ value, literal, variables }: Word, dir: string | null): ApprovalRisk[] {
  // `--file=~/.netrc`, `@.env`, `if=/etc/shadow`, `host:.ssh/id_rsa`
  const paths = value.length > 4096 ? [] : [value, ...value.split(/[=@:,<\s'"()]+/).slice(0, 50)]
  const secret = paths.some((path) => path !== '' && (isSecretPath(path) || isSecretPath(posix.join(dir ?? '', path))))
  const named = variables.some(isSecretName)
  return [...(secret || named ? (['secrets'] as const) : []), ...(literal ? risksOfCode(value) : [])]
}

function risksOfProgram(name: string, rest: readonly Word[], step: Step): ApprovalRisk[] {
  const words = rest.map(({ value }) => value)
  const [verb = '', second = ''] = words.filter((word) => !word.startsWith('-'))
  const text = words.join(' ')
  switch (posix.basename(name)) {
    case 'hf':
    case 'huggingface-cli':
      return risksOfHub(
        words.filter((word) => !word.startsWith('-')),
        words,
      )
    case 'python':
    case 'python3':
    case 'pypy3':
      return /-m huggingface_hub\b/.test(text) ? risksOfHub(words.slice(words.indexOf('-m') + 2), words) : []
    case 'curl':
    case 'wget':
    case 'http':
    case 'https':
    case 'xh':
      return HUB_HOST.test(text) && /DELETE\b/i.test(text) ? ['hub_deletion'] : []
    case 'git':
      return verb === 'push' && HUB_HOST.test(text) && /(^| )(--delete|-d|--mirror|--prune|\+?:\S+)( |$)/.test(text)
        ? ['hub_deletion']
        : verb === 'credential'
          ? ['secrets']
          : []
    case 'crontab':
      return words.length === 1 && words[0] === '-l' ? [] : ['schedule']
    case 'at':
    case 'batch':
      return words.includes('-l') ? [] : ['schedule']
    case 'schtasks':
      return /\/query/i.test(text) ? [] : ['schedule']
    case 'launchctl':
      return /^(list|print|help|version|blame)/.test(verb) ? [] : ['schedule']
    case 'systemctl':
      return /\.timer\b/.test(text) && !/^(status|show|cat|is-|list-)/.test(verb) ? ['schedule'] : []
    case 'systemd-run':
      return /--(on-|timer)/.test(text) ? ['schedule'] : []
    // The whole environment of a command may be listed: tokens are not in it (workspace/environment).
    case 'printenv':
      return words.some(isSecretName) ? ['secrets'] : []
    case 'ps':
      return words.some((word) => /^[a-zA-Z]*e[a-zA-Z]*$/.test(word)) ? ['secrets'] : []
    case 'jq':
      return /(^|[^.\w])(env|\$ENV)\b/.test(text) ? ['secrets'] : []
    case 'gh':
      return verb === 'auth' && (second === 'token' || text.includes('--show-token')) ? ['secrets'] : []
    case 'gcloud':
      return /\bprint-(access|identity)-token\b/.test(text) ? ['secrets'] : []
    case 'aws':
      return /\b(export-credentials|get-login-password|get-secret-value|get-session-token)\b/.test(text)
        ? ['secrets']
        : []
    case 'security':
      return /^(find-|dump-|export)/.test(verb) ? ['secrets'] : []
    case 'secret-tool':
    case 'pass':
    case 'op':
    case 'keyring':
    case 'gopass':
    case 'bw':
      return ['secrets']
    case 'gpg':
      return text.includes('--export-secret') ? ['secrets'] : []
    default:
      return step.opaque ? risksOfCode(textOf(step.words)) : []
  }
}

const DELETES = /^(delete|del|rm|remove)$|^(delete|remove)-/

/** The Hub's command line; `words` without options. */
function risksOfHub(words: readonly string[], all: readonly string[]): ApprovalRisk[] {
  const [area = ''] = words
  if (area === 'jobs') {
    if (words[1] === 'scheduled') return /^(ps|ls|list|inspect)$/.test(words[2] ?? '') ? [] : ['schedule']
    return /^(run|uv|duplicate)$/.test(words[1] ?? '') ? ['money'] : []
  }
  if (area === 'cache') return []
  if (area === 'endpoints') {
    if (words.some((word) => DELETES.test(word))) return ['hub_deletion']
    return /^(ls|list|describe|catalog|pause)$/.test(words[1] ?? '') && words[2] !== 'deploy' ? [] : ['money']
  }
  if (area === 'auth' || area === 'login') return words[1] === 'token' ? ['secrets'] : []
  const wipes = all.some((word) => /^--delete(=|$)/.test(word))
  return wipes || words.some((word) => DELETES.test(word)) ? ['hub_deletion'] : []
}
