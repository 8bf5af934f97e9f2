/** Names that carry secrets: tokens, keys and passwords, whatever service they belong to. */
const SECRET_NAME = /(^|_)(API_?KEY|ACCESS_KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|PRIVATE_KEY)(_|$)/i

/** The environment of a command: the user's own, without tokens and without our settings. */
export function commandEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !SECRET_NAME.test(name) && !name.startsWith('ML_INTERN_')),
  )
}

/** Values under secret-bearing names: never shown, even when a command prints a file that holds them. */
export function secretValues(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([name, value]) => (value && SECRET_NAME.test(name) ? [value] : []))
}
