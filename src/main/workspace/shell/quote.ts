/** Needs no quotes anywhere: letters, digits and marks that no shell gives a meaning. */
const SAFE = /^[A-Za-z0-9_@%+=:,./-][A-Za-z0-9_@%+=:,./~^-]*$/
/**
 * Not to be seen, or seen as something else: control characters, the space-like, soft hyphen and zero-width ones, marks
 * of direction, lone surrogates. Line feed and tab are seen.
 */
const DECEPTIVE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]|(?! )\p{Zs}/gu
const VISIBLE = new Set(['\n', '\t'])

function written(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`
}

/** The text with everything that could deceive a reader written out: a no-break space becomes `\u{a0}`. */
export function visible(text: string): string {
  return text.replace(DECEPTIVE, (char) => (VISIBLE.has(char) ? char : written(char)))
}

export function isDeceptive(text: string): boolean {
  return text.replace(/[\n\t]/g, '').search(DECEPTIVE) >= 0
}

/** A literal word as it would be typed: in quotes only where it needs them. `tilde`: it begins with a `~` that counts. */
export function quoteWord(value: string, tilde = false): string {
  if (tilde) return value.slice(1) === '' || SAFE.test(value.slice(1)) ? value : `~${quoteWord(value.slice(1))}`
  if (SAFE.test(value) || value === '{}' || value === '[' || value === ']') return value
  return `'${visible(value).replaceAll("'", "'\\''")}'`
}
