import type { ApprovalMode } from '@shared/settings'
import systemTemplate from '../../../resources/prompts/system.md?raw'

export interface PromptFacts {
  cwd: string
  mode: ApprovalMode
  platform: string
  /** Version and path, or a sentence that there is none. */
  python: string
  /** Cores, memory, disk and GPUs, in one line. */
  machine: string
  now: Date
}

const modeNotes: Record<ApprovalMode, string> = {
  plan: 'You may read, but not change anything or run commands: work out what you would do and present it.',
  ask: 'The user is asked before each command and each change; bundle related work so that they are asked less often.',
  auto: 'Commands and edits run without asking; be careful accordingly.',
  full: 'Commands and edits run without asking; be careful accordingly.',
}

/** The system prompt. Stable within a day, so that the provider's prompt cache keeps working from turn to turn. */
export function systemPrompt(facts: PromptFacts): string {
  return render(systemTemplate, {
    date: localDate(facts.now),
    timezone: timeZone(),
    cwd: inLine(facts.cwd),
    platform: facts.platform,
    python: facts.python,
    machine: facts.machine,
    mode: facts.mode,
    mode_note: modeNotes[facts.mode],
  })
}

/** In the time zone that stands beside it: around midnight UTC has another day. */
function localDate(now: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
}

/** A folder may have line breaks in its name; quoted, they cannot begin a section of their own here. */
function inLine(path: string): string {
  return /[\p{Cc}\u2028\u2029]/u.test(path) ? JSON.stringify(path) : path
}

let zone: string | null = null

/** IANA name. Asked for once: making a formatter costs a quarter of a millisecond, and this is needed for every call. */
function timeZone(): string {
  zone ??= Intl.DateTimeFormat().resolvedOptions().timeZone
  return zone
}

/** Replaces every `{{name}}`; a name without a value is a defect and throws. */
export function render(template: string, values: Record<string, string>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`prompt variable {{${name}}} has no value`)
    return value
  })
}
