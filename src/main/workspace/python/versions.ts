/**
 * Whether a version ("3.11.2") is in a specifier of the packaging standards ("Version specifiers"), for releases only:
 * comma-separated clauses of ==, !=, <=, >=, <, >, ~= and ===, `.*` at the end of == and !=. Null: not such a specifier.
 */
export function satisfies(version: string, specifier: string): boolean | null {
  const own = numbers(version)
  let all = true
  for (const clause of specifier.split(',').map((part) => part.trim())) {
    if (clause === '') continue
    const [, operator, release, star] = /^(===|==|!=|<=|>=|~=|<|>)\s*v?(\d+(?:\.\d+)*)(\.\*)?$/.exec(clause) ?? []
    if (operator === undefined || release === undefined) return null
    if (star && operator !== '==' && operator !== '!=') return null
    const wanted = numbers(release)
    const order = compare(own, wanted)
    const same = star ? compare(own.slice(0, wanted.length), wanted) === 0 : order === 0
    // ~= 3.9.1 means >= 3.9.1 and == 3.9.*.
    const compatible = order >= 0 && compare(own.slice(0, wanted.length - 1), wanted.slice(0, -1)) === 0
    const answers: Record<string, boolean> = {
      '===': same,
      '==': same,
      '!=': !same,
      '<=': order <= 0,
      '>=': order >= 0,
      '<': order < 0,
      '>': order > 0,
      '~=': wanted.length > 1 && compatible,
    }
    all &&= answers[operator] === true
  }
  return all
}

function numbers(version: string): number[] {
  return version.split('.').map(Number)
}

/** Missing parts are zero. */
function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
