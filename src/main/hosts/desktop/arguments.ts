import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface DesktopArguments {
  /** Absolute; null when not given. */
  cwd: string | null
  config: string | null
  /** Settings given as flags, by the name of the flag. */
  flags: Record<string, string>
}

/** Flags of the desktop app. Not strict: Chromium and test drivers put switches of their own on the same line. */
export function desktopArguments(argv: string[], base: string): DesktopArguments {
  const { values } = parseArgs({
    args: argv,
    strict: false,
    options: {
      cwd: { type: 'string' },
      config: { type: 'string' },
      model: { type: 'string' },
      mode: { type: 'string' },
      effort: { type: 'string' },
    },
  })
  const flags: Record<string, string> = {}
  for (const name of ['model', 'mode', 'effort']) {
    const value = values[name]
    if (typeof value === 'string') flags[name] = value
  }
  return {
    cwd: typeof values.cwd === 'string' ? resolve(base, values.cwd) : null,
    config: typeof values.config === 'string' ? resolve(base, values.config) : null,
    flags,
  }
}
