import { createHash, randomUUID } from 'node:crypto'
import { lstat, mkdir, open, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import { serializeEvent } from '@shared/events'
import { isSessionId } from '@shared/ids'
import writeFileAtomic from 'write-file-atomic'
import { z } from 'zod'
import { isNodeError, messageOf, UserError } from '../../errors'
import { syncFolder } from '../log'
import { toEvents } from './events'
import { parseSession } from './formats'
import { unfinishedPrefix } from './prefix'
import type { ForeignSession, ImportJob, ImportReport } from './types'

/** Beyond this a file is no conversation. */
const MAX_FILE_BYTES = 256 * 1024 * 1024
const MAX_FILES = 2_000
/** Where the reference keeps its files, below the folder it was started in. */
const LOG_FOLDER = 'session_logs'
const SESSION_FILE = /\.jsonl?$/i
const OUTPUT_NAME = /[^A-Za-z0-9_-]/g
const EVENTS_PER_WRITE = 500
const REGISTRY = 'imports.json'

/** Old id -> the session it became. */
const registrySchema = z.record(z.string(), z.object({ id: z.string().refine(isSessionId), file: z.string() }))
type Registry = z.infer<typeof registrySchema>

/**
 * Imports a file, or the session files of a folder, newest first. Nothing is left of a session that could not be made
 * whole. Runs in a worker: reading one file may take seconds. Throws UserError when the path itself cannot be read.
 */
export async function runImport(job: ImportJob): Promise<ImportReport> {
  const report: ImportReport = { sessions: [], skipped: [] }
  const registry = await readRegistry(job.home)
  for (const path of await sessionFiles(job, report)) {
    const file = basename(path)
    const skip = (reason: string): void => {
      report.skipped.push({ file, reason })
    }
    try {
      const info = await lstat(path)
      if (!info.isFile())
        skip(info.isSymbolicLink() ? 'It is a link: give the file that it points to.' : 'It is no file.')
      else if (info.size > MAX_FILE_BYTES) skip('It is larger than 256 MB.')
      else {
        const text = await readFile(path, 'utf8')
        const parsed = parseSession(text)
        if (!parsed.ok) {
          skip(parsed.reason)
          continue
        }
        const { session } = parsed
        const key = session.old_id ?? `sha256:${createHash('sha256').update(text).digest('hex')}`
        const known = Object.hasOwn(registry, key) ? registry[key] : undefined
        if (known && (await isThere(join(job.home, 'sessions', known.id)))) {
          skip(`It is here already, as session ${known.id.slice(0, 8)}.`)
          continue
        }
        const made = await makeSession(session, file, job)
        registry[key] = { id: made.id, file }
        report.sessions.push(made)
        if (!(await saveRegistry(job.home, registry))) {
          made.notes.push('It could not be noted that it is here: another import would bring it again.')
        }
      }
    } catch (error) {
      if (!isNodeError(error)) throw error
      if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
        throw new UserError('log_write', 'The disk is full: the import was ended.', 'Free some space and import again.')
      }
      skip(`It cannot be read: ${error.code ?? messageOf(error)}.`)
    }
  }
  return report
}

/** The files to look at. What is left out of a large folder is said. */
async function sessionFiles({ path }: ImportJob, report: ImportReport): Promise<string[]> {
  try {
    const real = await realpath(path)
    if (!(await stat(real)).isDirectory()) return [real]
    const found: { file: string; time: number }[] = []
    for (const folder of [real, join(real, LOG_FOLDER)]) {
      for (const name of await namesIn(folder, folder === real)) {
        const file = join(folder, name)
        const info = await lstat(file)
        if (!info.isDirectory()) found.push({ file, time: info.mtimeMs })
      }
    }
    // Of several files of one session the newest has all of it.
    found.sort((a, b) => b.time - a.time || (a.file < b.file ? -1 : 1))
    if (found.length > MAX_FILES) {
      const reason = `The folder has ${found.length} files; the newest ${MAX_FILES} were looked at.`
      report.skipped.push({ file: basename(real), reason })
    }
    if (found.length === 0)
      report.skipped.push({ file: basename(real), reason: 'The folder holds no .json or .jsonl file.' })
    return found.slice(0, MAX_FILES).map(({ file }) => file)
  } catch (error) {
    if (!isNodeError(error)) throw error
    const { code } = error
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new UserError('not_found', `There is no ${path}.`, 'Check the path.')
    throw new UserError(
      'permission',
      `${path} cannot be read: ${code ?? messageOf(error)}.`,
      'Check its owner and mode.',
    )
  }
}

async function namesIn(folder: string, required: boolean): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => SESSION_FILE.test(name))
  } catch (error) {
    if (!required && isNodeError(error)) return []
    throw error
  }
}

/** A whole session under another name first: a crash leaves nothing that looks like a session. */
async function makeSession(
  session: ForeignSession,
  file: string,
  job: ImportJob,
): Promise<ImportReport['sessions'][number]> {
  const root = join(job.home, 'sessions')
  const id = randomUUID()
  const temp = join(root, `${unfinishedPrefix(job.token)}${id}`)
  await mkdir(root, { recursive: true, mode: 0o700 })
  await mkdir(temp, { mode: 0o700 })
  try {
    const spilled: { name: string; output: string }[] = []
    const spill = (callId: string, output: string) => {
      const name = `${callId.replace(OUTPUT_NAME, '_').slice(0, 80)}-${spilled.length + 1}.txt`
      spilled.push({ name, output })
      return { file: name, bytes: Buffer.byteLength(output) }
    }
    const cwd = await workingFolder(session.cwd, job.user_home)
    const { events, title, messages, notes } = toEvents(session, id, { file, cwd }, job, spill)
    if (spilled.length > 0) await mkdir(join(temp, 'outputs'), { mode: 0o700 })
    for (const { name, output } of spilled) await writeFile(join(temp, 'outputs', name), output, { mode: 0o600 })
    const handle = await open(join(temp, 'events.jsonl'), 'wx', 0o600)
    try {
      for (let at = 0; at < events.length; at += EVENTS_PER_WRITE) {
        const batch = events.slice(at, at + EVENTS_PER_WRITE)
        await handle.appendFile(batch.map((event) => `${serializeEvent(event)}\n`).join(''))
      }
      await handle.datasync()
    } finally {
      await handle.close()
    }
    await rename(temp, join(root, id))
    await syncFolder(root)
    return { id, title, file, messages, notes }
  } catch (error) {
    await rm(temp, { recursive: true, force: true })
    throw error
  }
}

/** The folder that the file names, when it is one here; otherwise the user's own. */
async function workingFolder(cwd: string, userHome: string): Promise<string> {
  if (!isAbsolute(cwd)) return userHome
  try {
    return (await stat(cwd)).isDirectory() ? cwd : userHome
  } catch (error) {
    if (isNodeError(error)) return userHome
    throw error
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory()
  } catch (error) {
    if (isNodeError(error)) return false
    throw error
  }
}

async function readRegistry(home: string): Promise<Registry> {
  try {
    const parsed = registrySchema.safeParse(JSON.parse(await readFile(join(home, REGISTRY), 'utf8')))
    return parsed.success ? parsed.data : {}
  } catch {
    // Missing or damaged: then a session may be imported twice, and nothing is lost.
    return {}
  }
}

/** False: it could not be written. */
async function saveRegistry(home: string, registry: Registry): Promise<boolean> {
  try {
    await writeFileAtomic(join(home, REGISTRY), `${JSON.stringify(registry, null, 2)}\n`, { mode: 0o600 })
    return true
  } catch (error) {
    if (isNodeError(error)) return false
    throw error
  }
}
