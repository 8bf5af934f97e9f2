import type { Settings } from '@shared/settings'
import { createCredentialStore } from './credentials/store'
import type { CredentialStore } from './credentials/types'
import type { DoctorDeps } from './doctor/types'
import type { Engine, EngineOptions } from './engine-types'
import { ensureHome } from './home'
import { type LoadedSettings, loadSettings } from './settings/load'
import { createSettingsSaver } from './settings/save'

export interface BootOptions {
  /** Absolute. */
  cwd: string
  host: EngineOptions['host']
  env: NodeJS.ProcessEnv
  flags?: Partial<Settings>
  configFile?: string
}

/** Settings and places of keys, read but not yet used: no engine is loaded. */
export interface Prepared {
  cwd: string
  loaded: LoadedSettings
  credentials: CredentialStore
}

/** Reads the settings of all layers. Throws UserError `config`, naming file, key and what was expected. */
export async function prepare({ cwd, env, flags, configFile }: Omit<BootOptions, 'host'>): Promise<Prepared> {
  const loaded = await loadSettings({ cwd, env, config_file: configFile, flags, platform: process.platform })
  return { cwd, loaded, credentials: createCredentialStore({ env: loaded.env }) }
}

/** What the engine is made with; the data folder is made when it is not there. */
export async function engineOptions(prepared: Prepared, host: EngineOptions['host']): Promise<EngineOptions> {
  const { cwd, loaded, credentials } = prepared
  await ensureHome(loaded.home)
  return {
    settings: loaded.settings,
    home: loaded.home,
    cwd,
    env: loaded.env,
    credentials,
    save_settings: createSettingsSaver(loaded),
    settings_file: loaded.user_file,
    run_doctor: async () => {
      const { runDoctor } = await import('./doctor')
      return runDoctor(doctorDeps(prepared))
    },
    host,
  }
}

export function doctorDeps({ loaded, credentials }: Prepared): DoctorDeps {
  const { settings, home, env, files, notes } = loaded
  return { settings, home, env, files, notes, credentials }
}

/** The engine, with everything a host needs around it. Warnings go to stderr. Throws UserError. */
export async function bootEngine(options: BootOptions): Promise<Engine> {
  const prepared = await prepare(options)
  for (const warning of prepared.loaded.warnings) process.stderr.write(`ml-intern: ${warning}\n`)
  const { createEngine } = await import('./engine')
  return createEngine(await engineOptions(prepared, options.host))
}
