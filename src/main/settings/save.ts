import type { Settings } from '@shared/settings'
import { ensureHome } from '../home'
import { type LoadedSettings, readConfig } from './load'

/**
 * Returns the function that writes changes into the user's file and gives the settings that hold from then on. The file
 * is replaced atomically; keys this version does not know, and `${VAR}` texts, stay as they are. What the user changes
 * now also holds over this run's project file and command line. Throws UserError when the file is broken by then.
 */
export function createSettingsSaver(loaded: LoadedSettings): (patch: Partial<Settings>) => Promise<Settings> {
  let current = loaded.settings
  let last: Promise<unknown> = Promise.resolve()

  const write = async (patch: Partial<Settings>): Promise<Settings> => {
    const [{ default: writeFileAtomic }, { dirname }, written] = await Promise.all([
      import('write-file-atomic'),
      import('node:path'),
      readConfig(loaded.user_file, false),
    ])
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
    await ensureHome(dirname(loaded.user_file))
    const text = `${JSON.stringify({ ...written, ...given }, null, 2)}\n`
    await writeFileAtomic(loaded.user_file, text, { mode: 0o600 })
    current = { ...current, ...given }
    return current
  }

  return (patch) => {
    // One at a time: two changes at once must not lose one of them.
    const result = last.then(() => write(patch))
    last = result.catch(() => undefined)
    return result
  }
}
