import { programName, type Step } from './unwrap'

/** Change nothing and run nothing, with any arguments. */
const ALWAYS = new Set(
  (
    'echo : true false pwd cd test [ [[ sleep wait exit return break continue shift exec ls dir cat head tail wc nl tac rev ' +
    'cut paste tr comm join diff cmp grep egrep fgrep zgrep basename dirname realpath readlink stat du df free uname whoami ' +
    'id groups uptime nproc lscpu lsblk type which whereis seq expr md5sum sha1sum sha256sum sha512sum cksum b2sum ' +
    'od hexdump strings column fold fmt expand unexpand arch tty dirs times numfmt read unset export declare typeset local readonly factor look'
  ).split(' '),
)
const GIT_LOOKS =
  /^(status|log|diff|show|rev-parse|ls-files|ls-tree|describe|shortlog|blame|cat-file|rev-list|merge-base)$/
const GIT_RUNS = /^(--output|--ext-diff|--textconv|-O|--exec|--upload-pack|--open-files-in-pager)/
const GIT_RUNS_LONG = ['output', 'ext-diff', 'textconv', 'exec', 'upload-pack', 'open-files-in-pager']

/** Some that do so only with certain arguments: words -> whether these are harmless. */
const SOMETIMES: Readonly<Record<string, (words: readonly string[]) => boolean>> = {
  printf: (words) => words[0] !== '-v',
  set: (words) =>
    words.length > 0 && words.every((word) => /^[-+][euxfvno]+$|^(pipefail|errexit|nounset|xtrace)$/.test(word)),
  sort: (words) =>
    !words.some(
      (word) => /^-[a-zA-Z]*[oT]/.test(word) || abbreviates(word, 'output', 'compress-program', 'temporary-directory'),
    ),
  uniq: (words) => words.filter((word) => !word.startsWith('-')).length <= 1,
  file: (words) => !words.some((word) => /^-[a-zA-Z]*C/.test(word) || abbreviates(word, 'compile')),
  hostname: (words) => words.length === 0 || words.every((word) => /^-[fisdAI]$/.test(word)),
  date: (words) =>
    !words.some((word) => /^-[a-zA-Z]*s/.test(word) || abbreviates(word, 'set')) &&
    words.every((word) => /^[-+]/.test(word)),
  tree: (words) => !words.some((word) => /^(-[a-zA-Z]*[oR]|--output)/.test(word)),
  rg: (words) => !words.some((word) => /^--(pre|hostname-bin|search-zip)|^-[a-zA-Z]*z/.test(word)),
  sed: (words) =>
    words[0] === '-n' && /^(\d+|\$)(,(\d+|\$))?p$/.test(words[1] ?? '') && words.slice(2).every(isOperand),
  find: (words) => !words.some((word) => /^-(delete|fprint|fprint0|fprintf|fls|files0-from)$/.test(word)),
  jq: (words) => !words.some((word) => /^(-[a-zA-Z]*f|--from-file|-L)/.test(word)),
  ps: (words) => words.length === 0 || (words.length === 1 && /^(aux|axu|-ef|-e|-A|-eLf)$/.test(words[0] ?? '')),
  printenv: (words) => words.length > 0,
  xargs: (words) => words.length === 0,
  command: (words) => /^-[vV]+$/.test(words[0] ?? ''),
  'nvidia-smi': (words) =>
    words.every((word) => /^(-L|-q|-l|--list-gpus|--query-[\w-]+=\S+|--format=\S+|--id=\S+|-i|\d+)$/.test(word)),
  git: ([verb = '', ...words]) =>
    GIT_LOOKS.test(verb) && !words.some((word) => GIT_RUNS.test(word) || abbreviates(word, ...GIT_RUNS_LONG)),
  python: versionOnly,
  python3: versionOnly,
  pip: (words) =>
    /^(list|freeze|show|--version|check)$/.test(words[0] ?? '') &&
    !words.some((word) => abbreviates(word, 'log', 'python', 'cache-dir')),
  nvcc: versionOnly,
}

/** Whether a word is one of these long options, in full or in the short form that GNU programs take: `--outp=x`. */
function abbreviates(word: string, ...names: string[]): boolean {
  const given = /^--([a-z-]+)/.exec(word)?.[1]
  return given !== undefined && names.some((name) => name.startsWith(given))
}
function isOperand(word: string): boolean {
  return !word.startsWith('-')
}
function versionOnly(words: readonly string[]): boolean {
  return words.length === 1 && /^(-V|--version)$/.test(words[0] ?? '')
}

/**
 * Whether a command changes nothing and runs nothing else. Only what is written out is judged: an argument that is an
 * expansion may be anything. That it shows no secret is for the risks to say.
 */
export function isHarmless(step: Step): boolean {
  if (step.opaque || step.prefix.length > 0) return false
  const [first, ...rest] = step.words
  if (!first) return true
  const name = programName(first)
  const known = ALWAYS.has(name) || Object.hasOwn(SOMETIMES, name)
  if (!known || rest.some(({ hidden }) => hidden)) return false
  // A pattern of file names stays where it is written, and does not begin with a dot or lead through one.
  const certain = rest.every(
    ({ literal, value, variables }) =>
      literal ||
      (variables.length === 0 && /^[\w.*?/-]+$/.test(value) && !/^[/.]|\/\.|\.\./.test(value) && !/^-/.test(value)),
  )
  if (!certain && name !== 'echo') return false
  return ALWAYS.has(name) || (SOMETIMES[name]?.(rest.map(({ value }) => value)) ?? false)
}
