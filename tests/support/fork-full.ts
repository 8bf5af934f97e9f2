import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../src/main/errors'
import { forkSession } from '../../src/main/session/fork'
import { SessionStore } from '../../src/main/session/store'

/** Forks a session on a disk that has no room for another, and prints as one JSON object what happened. */
const [home = '', id = ''] = process.argv.slice(2)
const store = new SessionStore(home)
const before = await readFile(store.logFile(id))
let failure: unknown = null
try {
  await forkSession(store, id, { now: new Date() })
} catch (error) {
  failure = error
}
const after = await readFile(store.logFile(id))
process.stdout.write(
  `${JSON.stringify({
    code: failure instanceof UserError ? failure.code : String(failure),
    message: failure instanceof Error ? failure.message : '',
    names: await readdir(join(home, 'sessions')),
    unchanged: before.equals(after),
  })}\n`,
)
