import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../../errors'

/** Arguments that are edited as the text they are, rather than inside JSON. */
const TEXTS: Readonly<Record<string, string>> = {
  command: '.sh',
  script: '.py',
  content: '.txt',
  code: '.py',
  query: '.txt',
}

export interface Editable {
  text: string
  /** Ending of the file, for the editor's colours. */
  extension: string
  /** Throws UserError when the text is not what it has to be. */
  parse(text: string): Record<string, unknown>
}

/** What of a call's arguments is edited: the one long text among them, else all of them as JSON. */
export function editable(args: Record<string, unknown>): Editable {
  const texts = Object.entries(args).filter(([name, value]) => Object.hasOwn(TEXTS, name) && typeof value === 'string')
  const [only, second] = texts
  if (only && !second && typeof only[1] === 'string') {
    const [name, text] = [only[0], only[1]]
    // Editors end a file with a line end; the text gets back what it had.
    const ends = text.endsWith('\n')
    return {
      text,
      extension: TEXTS[name] ?? '.txt',
      parse: (edited) => ({ ...args, [name]: ends ? edited : edited.replace(/\r?\n$/, '') }),
    }
  }
  return { text: `${JSON.stringify(args, null, 2)}\n`, extension: '.json', parse: parseObject }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UserError('usage', `This is not JSON: ${reason}.`, 'Edit it again, or answer as it is.', { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError('usage', 'The arguments must be one JSON object.', 'Edit them again, or answer as they are.')
  }
  return Object.fromEntries(Object.entries(value))
}

/** The user's editor as a shell command line; null: none is set. */
export function editorCommand(env: NodeJS.ProcessEnv): string | null {
  return env.VISUAL?.trim() || env.EDITOR?.trim() || null
}

/**
 * The text after the user's editor has had it, from a file that this user alone can read and that is removed
 * afterwards. The terminal must be free. Throws UserError when the editor fails.
 */
export async function editInProgram(
  command: string,
  { text, extension }: Pick<Editable, 'text' | 'extension'>,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ml-intern-edit-'))
  try {
    const file = join(folder, `arguments${extension}`)
    await writeFile(file, text, { mode: 0o600, flag: 'wx' })
    await run(command, file, env)
    return await readFile(file, 'utf8')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function run(command: string, file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const failed = (reason: string): UserError =>
    new UserError('usage', `The editor "${command}" failed: ${reason}.`, 'Set VISUAL or EDITOR to another one.')
  return new Promise((resolve, reject) => {
    // As other programs do it: the value is a command line of the shell, such as `code --wait`.
    const child =
      process.platform === 'win32'
        ? spawn(`${command} "${file}"`, { stdio: 'inherit', env, shell: true })
        : spawn('/bin/sh', ['-c', `${command} "$1"`, 'editor', file], { stdio: 'inherit', env })
    child.once('error', (error) => reject(failed(error.message)))
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(failed(signal ?? `exit code ${code}`))
    })
  })
}
