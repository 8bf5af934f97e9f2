import { messageOf, UserError } from '../../src/main/errors'
import { ensureEnvironment } from '../../src/main/workspace/python/ensure'

/** Makes the environment of a project in a process of its own; prints its progress and one JSON line with the end of it. */
const [cwd = '', home = ''] = process.argv.slice(2)
const signal = new AbortController().signal
const onProgress = (line: string) => process.stdout.write(`progress: ${line}\n`)
try {
  const info = await ensureEnvironment(cwd, { env: process.env, home, signal, onProgress })
  process.stdout.write(`${JSON.stringify({ info })}\n`)
} catch (error) {
  const code = error instanceof UserError ? error.code : 'other'
  process.stdout.write(`${JSON.stringify({ code, message: messageOf(error) })}\n`)
}
