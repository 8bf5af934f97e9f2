import { isObject } from './merge'

/** `${NAME}` names a variable that is not set. */
export class MissingVariable extends Error {
  override readonly name = 'MissingVariable'
  constructor(
    readonly variable: string,
    /** Keys from the root to the string that asked for it. */
    readonly path: readonly string[],
  ) {
    super(`The environment variable ${variable} is not set.`)
  }
}

// The name may be anything up to the first colon or brace, spaces included; the default anything up to the brace.
const REFERENCE = /\$\{([^}:]+)(?::-([^}]*))?\}/g

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every string value, not in keys. One pass: what a variable contains is
 * not expanded again. A variable that is set but empty stays empty. Throws MissingVariable.
 */
export function substituteEnv(value: unknown, env: NodeJS.ProcessEnv, path: readonly string[] = []): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(REFERENCE, (_match, name: string, fallback: string | undefined) => {
      const found = env[name] ?? fallback
      if (found === undefined) throw new MissingVariable(name, path)
      return found
    })
  }
  if (Array.isArray(value)) return value.map((entry, i) => substituteEnv(entry, env, [...path, String(i)]))
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([k, entry]) => [k, substituteEnv(entry, env, [...path, k])]))
  }
  return value
}
