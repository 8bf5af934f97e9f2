import { resolve } from 'node:path'
import { EXIT } from '../../errors'
import { ensureHome } from '../../home'
import { importSessions } from '../../session/import'
import { importedModel } from '../../session/import/models'
import { importConfig } from '../../settings/import'
import { createSettingsSaver } from '../../settings/save'
import { secretValues } from '../../workspace/environment'
import type { Command } from './args'
import type { CliIo } from './io'
import { prepare } from './setup'
import { oneLine, styleFor, tildePath } from './style'
import { Writer } from './writer'

/** `ml-intern sessions import`. Exit code 1 when no session was imported. Throws UserError. */
export async function runImportSessions(
  io: CliIo,
  command: Extract<Command, { name: 'sessions import' }>,
): Promise<number> {
  const { loaded, credentials } = await prepare(io, command)
  const { home, env, settings } = loaded
  await ensureHome(home)
  const controller = new AbortController()
  const release = io.onSignal(() => controller.abort())
  try {
    const { sessions, skipped } = await importSessions(resolve(io.cwd, command.path), {
      home,
      secrets: [...secretValues(env), ...credentials.known_secrets()],
      app_version: io.version,
      model: settings.model,
      signal: controller.signal,
    })
    const style = styleFor(io.stdout, io.env)
    const out = new Writer(io.stdout)
    for (const { id, title, file, messages, notes } of sessions) {
      out.write(`${style.cyan(id.slice(0, 8))}  ${oneLine(title) || '(untitled)'}`)
      out.write(style.dim(`  ${messages} messages from ${oneLine(file)}\n`))
      for (const note of notes) out.write(style.dim(`          ${oneLine(note)}\n`))
    }
    await out.finish()
    for (const { file, reason } of skipped) io.stderr.write(`Left out ${oneLine(file)}: ${oneLine(reason)}\n`)
    io.stderr.write(`Imported ${sessions.length === 1 ? 'one session' : `${sessions.length} sessions`}.\n`)
    return sessions.length > 0 ? EXIT.finished : EXIT.failed
  } catch (error) {
    if (controller.signal.aborted) return EXIT.interrupted
    throw error
  } finally {
    release()
  }
}

/** `ml-intern config import`. Exit code 1 when nothing could be taken over. Throws UserError. */
export async function runImportConfig(
  io: CliIo,
  command: Extract<Command, { name: 'config import' }>,
): Promise<number> {
  const { loaded } = await prepare(io, command)
  const file = resolve(io.cwd, command.file)
  const { env, user_file } = loaded
  const { patch, notes } = await importConfig(file, createSettingsSaver(loaded), { env, model: importedModel })
  for (const note of notes) io.stderr.write(`${oneLine(note)}\n`)
  const keys = Object.keys(patch)
  if (keys.length === 0) {
    io.stderr.write('Nothing was taken over.\n')
    return EXIT.failed
  }
  io.stderr.write(`Written to ${tildePath(user_file, io.env.HOME)}: ${keys.join(', ')}\n`)
  return EXIT.finished
}
