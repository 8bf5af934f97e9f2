/**
 * Finds secrets by their form. `precise`: only what nothing but a secret looks like, safe for text that must stay exact
 * (file contents, arguments). `full`: also `NAME=value`, `"name": "value"` and every bearer header.
 */
export type PatternLevel = 'precise' | 'full'

/** Longest piece of an unfinished line that a stream holds back, in characters: longer than every known token. */
export const MAX_HELD_CHARS = 512

const HF = '[REDACTED_HF_TOKEN]'
const PROVIDER = '[REDACTED_PROVIDER_API_KEY]'
const GITHUB = '[REDACTED_GITHUB_TOKEN]'
const AWS = '[REDACTED_AWS_KEY_ID]'
const SLACK = '[REDACTED_SLACK_TOKEN]'
const GOOGLE = '[REDACTED_GOOGLE_KEY]'

/** Only ASCII classes (no \s): the same text is also searched as Latin-1, where \s takes a byte of a UTF-8 letter. */
const COLOUR_END = `(?<=${String.fromCharCode(27)}\\[[0-9;]{0,16}m)`
/** Where a token begins: not inside a word, but also right after a colour code, which ends in a letter. */
const token = (body: string): RegExp => new RegExp(`(?:(?<![A-Za-z0-9])|${COLOUR_END})${body}`, 'g')
const TOKENS: readonly (readonly [RegExp, string])[] = [
  [token('hf_[A-Za-z0-9]{30,}'), HF],
  [token('sk-ant-[A-Za-z0-9_-]{20,}'), PROVIDER],
  [token('gh[pousr]_[A-Za-z0-9]{36,}'), GITHUB],
  [token('github_pat_[A-Za-z0-9_]{36,}'), GITHUB],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, AWS],
  [token('(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}'), SLACK],
  [/(?<=hooks\.slack\.com\/services\/)[A-Za-z0-9/]{20,}/g, SLACK],
  // A slash or plus before it would be the middle of base64.
  [/(?<![A-Za-z0-9+/])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g, GOOGLE],
  [token('(?:ya29\\.|GOCSPX-)[A-Za-z0-9_-]{20,}'), GOOGLE],
]
const OTHER_KEY = token('sk-(?!ant-)[A-Za-z0-9_-]{40,}')
/** An unbroken run tells a key from a long name in words, such as a CSS class. */
const KEY_RUN = /[A-Za-z0-9]{20}/
const TOKEN_HINT = /hf_|sk-|gh[pousr]_|github_pat_|AKIA|ASIA|xox[abeoprs]-|xapp-|slack\.com|AIza|ya29\.|GOCSPX-/

const URL_LOGIN =
  /(\b[A-Za-z][A-Za-z0-9+.-]{0,15}:\/\/[^ \t\r\n/:@"'`<>]{0,128}:)([^ \t\r\n/@"'`<>]{1,256})@(?!sha256:)/g
const AWS_SECRET = /(secret_?access_?key["']?[ \t]{0,8}[:=][ \t]{0,8}["']?)([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi
const BEARER = /\bbearer[ \t]+(?!\[)[A-Za-z0-9._~+/=-]{20,}/gi
const BEARER_WITH_DIGIT = /\bbearer[ \t]+(?=[A-Za-z._~+/=-]{0,200}[0-9])[A-Za-z0-9._~+/=-]{20,}/gi

/** name, closing quote of a quoted name, separator, value: in double quotes, in single quotes (escaped ones too), or bare. */
const ASSIGNMENT = new RegExp(
  '(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]{0,64}?(?:token|api[_-]?key|secret|password|passwd|access[_-]?key(?:[_-]?id)?|' +
    'secret[_-]?key|private[_-]?key))(\\\\?["\']?)([ \\t]{0,8}(?:=(?![=>~])|:(?![:=/]))[ \\t]{0,8})' +
    '(?:(\\\\?")([^"\\\\\\r\\n]{1,512})|(\\\\?\')([^\'\\\\\\r\\n]{1,512})|([^ \\t\\r\\n"\'\\\\]{1,512}))',
  'gi',
)
const NAME_HINT = /(?:token|key(?:[_-]?id)?|secret|passw(?:or)?d)\\?["']?[ \t]{0,8}[:=]|bearer[ \t]/i
const NAME_END = /(?:token|api[_-]?key|secret|password|passwd|access[_-]?key(?:[_-]?id)?|(?:secret|private)[_-]?key)$/i

/** Tokens of text, of a limit or of a page: not of somebody's account. */
const HARMLESS_NAME =
  /(?:^|[_.-])(?:max|min|num|n|pad|eos|bos|unk|mask|sep|cls|special|added|additional|next|prev|previous|first|last|stop|start|end|page|continuation|image|audio|video|prompt|per|new|sample|target|source|think|word|sub|decoder|forced|ignore|token)[_.-]?(?:page[_-]?)?token$|^(?:.*(?:[Nn]ext|[Pp]age)|max|min|num|pad|eos|bos|unk|mask|sep|cls)Token$/
/** A value that names or stands for a secret, or is none: number, constant, type, reference, call, placeholder. */
const HARMLESS_VALUE = [
  /^[+-]?[0-9][0-9_.,eE+-]{0,12}[,;)\]}]*$/,
  /^(?:true|false|none|null|nil|undefined|yes|no|on|off|str|string|bytes|int|bool|float|any|optional|required|secretstr|object)(?:\W|$)/i,
  /^[$%{<([&*|]|^\*{3}|^[xX.*]{3,}$|^\[REDACTED|^(?:your|my|the)[_-]/,
  // Program text: a call, an index, an attribute.
  /^[A-Za-z_][A-Za-z0-9_.]*[([{]/,
  /^[A-Za-z_][A-Za-z_]{0,24}[0-9]?(?:\.[A-Za-z_]{1,32})+[,;:)\]}]*$/,
]
/** Qualifiers that make it somebody's token, whatever its value looks like. */
const ACCOUNT_TOKEN =
  /(?:hf|hub|hugging_?face|api|access|auth|refresh|bearer|github|gh|gitlab|slack|bot|session|security|wandb|login|personal|client|secret|deploy|admin|service|jwt|oauth)[_.-]?token$/i

function isSecretPair(name: string, value: string, quoted: boolean): boolean {
  const bare = value.replace(/[,;)\]}]+$/, '')
  if (bare === '' || HARMLESS_VALUE.some((harmless) => harmless.test(value))) return false
  // `token=token`, `api_key=args_api_key`: handing on a variable.
  if (!quoted && NAME_END.test(bare)) return false
  if (!/token$/i.test(name)) return !quoted || !/[ \t]/.test(value)
  if (HARMLESS_NAME.test(name.includes('_') ? name.toLowerCase() : name)) return false
  if (quoted && /[ \t]/.test(value)) return false
  // An environment variable; in lower case "token" is mostly a piece of text.
  if (!quoted && /^[A-Z0-9_]+$/.test(name)) return true
  if (ACCOUNT_TOKEN.test(name)) return true
  return /^(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_.~+/=-]{16,}$/.test(bare) && !/^[A-Za-z][\w.-]*\/[\w.-]+$/.test(bare)
}

function redactAssignments(text: string): string {
  return text.replace(
    ASSIGNMENT,
    (
      all: string,
      name: string,
      close: string,
      separator: string,
      double: string | undefined,
      inDouble: string | undefined,
      single: string | undefined,
      inSingle: string | undefined,
      bare: string | undefined,
    ) => {
      const quote = double ?? single
      const value = inDouble ?? inSingle ?? bare ?? ''
      if (!isSecretPair(name, value, quote !== undefined)) return all
      // Prose: "Password: required", "the secret: practice".
      if (bare !== undefined && separator.includes(':') && /^[a-z]{1,10}[.,!?;:]?$/i.test(value)) return all
      if (quote !== undefined) return `${name}${close}${separator}${quote}[REDACTED]`
      const ending = separator.includes('=') ? '' : (/[,;)\]}]+$/.exec(value)?.[0] ?? '')
      return `${name}${close}${separator.includes('=') ? '=' : separator}[REDACTED]${ending}`
    },
  )
}

/** Whether the string under this key of an object is a secret by its name. */
export function isSecretField(name: string, value: string): boolean {
  return NAME_END.test(name) && isSecretPair(name, value, true)
}

const NO_LOGIN = /^(?:[${[*%]|(?:password|passwd|pass|pwd|secret|token|x+)$)/i

/** Replaces secrets inside lines; private-key blocks are the business of PemFilter. */
export function redactInLines(text: string, level: PatternLevel): string {
  let result = text
  if (TOKEN_HINT.test(result)) {
    for (const [pattern, mark] of TOKENS) result = result.replace(pattern, mark)
    result = result.replace(OTHER_KEY, (key) => (KEY_RUN.test(key) ? PROVIDER : key))
  }
  if (result.includes('://') && result.includes('@')) {
    result = result.replace(URL_LOGIN, (all: string, before: string, login: string) =>
      NO_LOGIN.test(login) ? all : `${before}[REDACTED]@`,
    )
  }
  if (!NAME_HINT.test(result)) return result
  if (level === 'precise') result = result.replace(AWS_SECRET, '$1[REDACTED]')
  result = result.replace(level === 'full' ? BEARER : BEARER_WITH_DIGIT, 'Bearer [REDACTED]')
  return level === 'full' ? redactAssignments(result) : result
}

/** One cheap look at a piece of text: false means that no pattern can occur in it. */
export function mayHoldPattern(text: string): boolean {
  return TOKEN_HINT.test(text) || NAME_HINT.test(text) || (text.includes('://') && text.includes('@'))
}

const PREFIXES = ['hf_', 'sk-', 'ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_', 'AKIA', 'ASIA', 'xox', 'xapp-']
const MORE_PREFIXES = ['AIza', 'ya29.', 'GOCSPX-', 'hooks.slack.com']
const STARTS = [...PREFIXES, ...MORE_PREFIXES].flatMap((prefix) =>
  Array.from(prefix, (_, i) => prefix.slice(0, i + 1).replace(/[.]/g, '\\.')),
)
/** The end of an unfinished line that may be the beginning of something secret, with the word it starts in. */
const OPEN = [
  new RegExp(
    `(?:(?<![A-Za-z0-9])|${COLOUR_END})(?:(?:${STARTS.join('|')})|` +
      '(?:hf_|sk-|gh[pousr]_|github_pat_|AKIA|ASIA|xox|xapp-|AIza|ya29\\.|GOCSPX-|hooks\\.slack\\.com/)[A-Za-z0-9_/-]*)$',
  ),
  /[A-Za-z][A-Za-z0-9+.-]{0,15}:(?:\/(?:\/[^ \t/]{0,400})?)?$/,
  /[A-Za-z0-9_.-]{0,64}(?:token|key|key[_-]?id|secret|password|passwd)\\?["']?[ \t]{0,8}[:=]?[ \t]{0,8}\\?["']?[^ \t"'\\]*$/i,
  /[A-Za-z0-9_.-]{0,64}(?:token|key|secret|passw(?:or)?d)\\?["']?[ \t]{0,8}[:=][ \t]{0,8}(?:"[^"]*|'[^']*)$/i,
  /\b(?:b|be|bea|bear|beare|bearer)(?:(?<=bearer)[ \t]+[A-Za-z0-9._~+/=-]*)?$/i,
]

/**
 * Where in `line`, which has no newline yet, something begins that may become a secret; its length when nothing does.
 * Only the last MAX_HELD_CHARS are looked at.
 */
export function openFrom(line: string): number {
  const skipped = Math.max(0, line.length - MAX_HELD_CHARS)
  const end = skipped > 0 ? line.slice(skipped) : line
  let first = end.length
  for (const pattern of OPEN) {
    const at = end.search(pattern)
    if (at !== -1 && at < first) first = at
  }
  return skipped + first
}
