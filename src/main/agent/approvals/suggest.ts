import { dirname } from 'node:path'
import type { Rule } from '@shared/approvals'
import type { Subject } from '../../tools/types'

/** Tools whose calls are about one path. */
const FILE_TOOLS: ReadonlySet<string> = new Set(['write', 'edit', 'read', 'list', 'glob', 'grep'])

interface Suggestible {
  tool: string
  subjects: readonly Subject[]
}

/** Longer texts make no readable rule. */
const MAX_EXACT_CHARS = 120
const MAX_SUGGESTIONS = 20
/** Words that need no quotes and no thought: a program, a script, a subcommand. */
const SIMPLE = /^[A-Za-z0-9_./~@:+-]+$/
/** Run the script that is named first. */
const SCRIPT_RUNNERS = /^(python[\d.]*|node|ruby|perl|Rscript|bash|sh|zsh|pytest|torchrun)$/
/** Modules that run another script or a text: to allow them is to allow everything. */
const LAUNCHER_MODULES =
  /^(torch\.distributed(\..*)?|accelerate(\..*)?|deepspeed(\..*)?|runpy|trace|timeit|cProfile|profile|pdb|debugpy|coverage|IPython|code|kernprof|memory_profiler|scalene|viztracer)$/
/** Run what follows them, whatever that is; only the whole command says enough. */
const RUNS_ANYTHING =
  /^((uv|uvx|poetry|pipenv|pdm|conda|mamba|pipx|rye|hatch|pixi|micromamba|deno|bun|cargo|go|dotnet|npm|pnpm|yarn) (run|x|exec|eval|dlx|tool|repl)|git (bisect|submodule|filter-branch|rebase|config|difftool|mergetool|worktree)|kubectl (exec|run|debug)|docker (run|exec|compose)|podman (run|exec|compose)|tmux .*|npx .*|gcloud .*|az .*|terraform .*|jupyter (nbconvert|run|execute|lab|notebook|server)|make -f|cmake -P|gh (api|alias|extension))$/
/** The first word says what is done. */
const SUBCOMMANDS = new Set(
  (
    'git pip pip3 pipx npm pnpm yarn cargo go apt apt-get brew make just cmake kubectl wandb systemctl conda mamba dvc tmux ' +
    'poetry pipenv pdm rustup terraform ollama vllm trl lm_eval dotnet mvn gradle helm jupyter ruff mypy npx tsc vitest'
  ).split(' '),
)
/** The first two do. */
const TWO_LEVELS = new Set([
  'hf',
  'huggingface-cli',
  'gh',
  'docker',
  'podman',
  'aws',
  'gcloud',
  'uv',
  'accelerate',
  'az',
])

/**
 * Rules that would have let a call run, as narrow as stays useful. Empty when there is none worth keeping: the call can
 * only be approved as it is.
 */
export function suggestRules({ tool, subjects }: Suggestible): Rule[] {
  const telling = subjects.filter(({ harmless }) => !harmless)
  const rules: Rule[] = []
  for (const subject of telling.length > 0 ? telling : subjects) {
    const rule = suggestRule(tool, subject)
    // Rules for some parts only would let nothing run.
    if (rule === null) return []
    if (!rules.some(({ operation, pattern }) => operation === rule.operation && pattern === rule.pattern))
      rules.push(rule)
  }
  return rules.length > MAX_SUGGESTIONS ? [] : rules
}

function suggestRule(tool: string, subject: Subject): Rule | null {
  const { operation, text } = subject
  const rule = (pattern: string | null): Rule | null =>
    pattern === null ? null : { effect: 'allow', tool, operation, pattern }
  if (subject.opaque) return null
  if (text === '') return { effect: 'allow', tool, operation }
  if (tool === 'bash' && operation === 'run') return rule(commandPattern(subject))
  if (tool === 'bash' && operation === 'assign') return rule(exact(subject))
  if (operation === 'redirect' || FILE_TOOLS.has(tool)) return rule(pathPattern(text))
  return { effect: 'allow', tool, operation }
}

/** The text itself; null where it says too much or, by a `*` of its own, too little. */
function exact({ text, unsure_from }: Subject): string | null {
  return text.length > MAX_EXACT_CHARS || text.includes('*') || text.includes('\n') || unsure_from !== undefined
    ? null
    : text
}

function commandPattern(subject: Subject): string | null {
  const known = subject.text.slice(0, subject.unsure_from)
  const [program = '', ...rest] = known.split(' ', 4)
  // Behind an expansion nothing is known; a word that it ends in the middle of is not known either.
  const words = rest.filter((word) => word !== '')
  const count = namingWords(program, words)
  const naming = words.slice(0, count)
  const clear = count > 0 && naming.length === count && naming.every((word) => SIMPLE.test(word))
  return clear && SIMPLE.test(program) ? `${[program, ...naming].join(' ')} *` : exact(subject)
}

/** How many words behind the program say what it does; 0: all of them do. */
function namingWords(program: string, [first = '-', second = '-']: readonly string[]): number {
  const name = program.split('/').pop() ?? ''
  if (SCRIPT_RUNNERS.test(name)) {
    if (first === '-m') return second.startsWith('-') || LAUNCHER_MODULES.test(second) ? 0 : second === 'pip' ? 3 : 2
    return first.startsWith('-') ? 0 : 1
  }
  if (first.startsWith('-')) return 0
  // `npm run build` names a script of the project; the others take any program or text.
  const script = /^(npm|pnpm|yarn)$/.test(name) && first === 'run' && SIMPLE.test(second) && !second.startsWith('-')
  if (!script && RUNS_ANYTHING.test(`${name} ${first}`)) return 0
  if (SUBCOMMANDS.has(name)) return ['npm', 'pnpm', 'yarn'].includes(name) && first === 'run' ? 2 : 1
  return TWO_LEVELS.has(name) && !second.startsWith('-') ? 2 : 0
}

/** The folder of a file in the working folder; the file itself at its top and outside. */
function pathPattern(path: string): string | null {
  if (path.includes('*') || path.includes('\n')) return null
  const folder = dirname(path)
  const own = path.startsWith('/') || /^[A-Za-z]:/.test(path) || folder === '.'
  return own ? path : `${folder.split('\\').join('/')}/*`
}
