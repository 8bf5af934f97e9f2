import { join } from 'node:path'
import type { UserError } from '../../src/main/errors'
import { EventLog, readLog } from '../../src/main/session/log'
import { userMessage } from './log-events'

/** Fills a session log until its disk is full, and prints as one JSON object what happened and what can be read then. */
const file = join(process.argv[2] ?? '', 'events.jsonl')
const failures: UserError[] = []
const log = await EventLog.open(file, { onFailure: (error) => failures.push(error) })
let acknowledged = 0
let rejected = ''
for (let seq = 1; !rejected && seq < 10_000; seq++) {
  log.append(userMessage(seq, `message ${seq} `.repeat(40)))
  try {
    await log.durable()
    acknowledged = seq
  } catch (error) {
    rejected = error instanceof Error ? error.name : String(error)
  }
}
log.append(userMessage(20_000))
await log.close()

const read = async () => {
  const reader = readLog(file)
  let last = 0
  let count = 0
  for await (const event of reader) {
    last = event.seq
    count++
  }
  return { last, count, skipped: reader.skipped }
}
const after = await read()
const again = await EventLog.open(file)
await again.close()
const [failure] = failures
process.stdout.write(
  `${JSON.stringify({
    acknowledged,
    rejected,
    failures: failures.length,
    code: failure?.code,
    message: failure?.message,
    remedy: failure?.remedy,
    after,
    torn_bytes: again.torn_bytes,
    file,
  })}\n`,
)
