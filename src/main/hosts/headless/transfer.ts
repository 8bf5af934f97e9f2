import { EXIT, UserError } from '../../errors'
import { Transfers } from '../../session/export/transfers'
import { SessionStore } from '../../session/store'
import { secretValues } from '../../workspace/environment'
import type { Command } from './args'
import { confirmed } from './confirm'
import { exportToFile } from './export'
import type { CliIo } from './io'
import { prepare } from './setup'
import { oneLine } from './style'
import { Writer } from './writer'

type TransferCommand = Extract<Command, { name: 'sessions export' | 'sessions fork' | 'sessions upload' }>

/**
 * `ml-intern sessions export|fork|upload`. They need no engine: they read what is on the disk, whoever writes it. Returns
 * the exit code. Throws UserError.
 */
export async function runTransfer(io: CliIo, command: TransferCommand): Promise<number> {
  const { loaded, credentials } = await prepare(io, command)
  const store = new SessionStore(loaded.home)
  const id = await store.resolve(command.id)
  const transfers = new Transfers({
    store,
    env: loaded.env,
    secrets: () => [...secretValues(loaded.env), ...credentials.known_secrets()],
    settings: () => loaded.settings,
    flush: () => Promise.resolve(),
  })
  const out = new Writer(io.stdout)
  const controller = new AbortController()
  const release = io.onSignal(() => controller.abort(new DOMException('Stopped by the user', 'AbortError')))
  const { signal } = controller
  try {
    switch (command.name) {
      case 'sessions export':
        await exportToFile(io, transfers, id, { ...command, signal }, out)
        break
      case 'sessions fork': {
        const fork = await transfers.forkSession(id, { at_seq: command.at_seq, signal })
        out.write(`${fork}\n`)
        await out.flush()
        io.stderr.write(`Go on with: ml-intern --session ${fork} "…"\n`)
        break
      }
      case 'sessions upload': {
        if (!command.yes && !(await agreed(io, store, id, loaded.settings.trace_repo))) return EXIT.failed
        const onProgress = (_phase: string, message: string): void => void io.stderr.write(`${message}\n`)
        const { url, repo } = await transfers.uploadSession(id, { signal, onProgress })
        io.stderr.write(`Uploaded to the private dataset ${repo}\n`)
        out.write(`${url}\n`)
        break
      }
    }
    await out.finish()
    return EXIT.finished
  } catch (error) {
    if (!signal.aborted) throw error
    io.stderr.write('Stopped.\n')
    return EXIT.interrupted
  } finally {
    release()
  }
}

/** The user's word for an upload. Throws `usage` where nobody can be asked. */
async function agreed(io: CliIo, store: SessionStore, id: string, repo: string): Promise<boolean> {
  if (io.stdin.isTTY !== true || io.stderr.isTTY !== true) {
    throw new UserError('usage', 'Uploading needs a confirmation, and there is no terminal to ask on.', 'Add --yes.')
  }
  const { title } = await store.fold(id)
  io.stderr.write(
    `  ${id}  ${oneLine(title) || '(untitled)'}\n` +
      `This uploads the whole conversation, with what files and commands showed, to the private Hugging Face dataset\n` +
      `${repo}. Known secrets are taken out, and that never finds all of them. To look first:\n` +
      `  ml-intern sessions export ${id.slice(0, 8)} --format trace\n`,
  )
  if (await confirmed(io, 'Upload it? [y/N] ')) return true
  io.stderr.write('Nothing was uploaded.\n')
  return false
}
