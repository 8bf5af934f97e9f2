import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { applyEvent } from '@shared/reducer'
import { initialState } from '@shared/state'
import { acquireWriterLock } from '../../src/main/session/lock'
import { EventLog, readLog } from '../../src/main/session/log'
import { makeEvent, Random, userMessage } from './log-events'

/**
 * A session that writes as fast as it can until it is killed: takes the lock, folds what is there, opens the log and
 * appends. Prints `locked`, `open <torn bytes>`, and `ack <seq>` for every message that is durable.
 */
const [dir = '', seed = '1'] = process.argv.slice(2)
const random = new Random(Number(seed))

/** Straight into the pipe: a line that the parent reads was printed before the kill, whatever was buffered. */
function print(line: string): void {
  writeSync(1, `${line}\n`)
}

const file = join(dir, 'events.jsonl')
await acquireWriterLock(dir)
print('locked')
const log = await EventLog.open(file, { partialIntervalMs: 2 })
let state = initialState('')
for await (const event of readLog(file)) state = applyEvent(state, event)
print(`open ${log.torn_bytes}`)

for (let seq = state.last_seq + 1; ; ) {
  const id = `reply-${seq}`
  for (let chunks = random.below(6); chunks > 0; chunks--) {
    log.append(makeEvent(seq++, 'assistant_chunk', { id, content: 'streamed ' }))
  }
  const messages: number[] = []
  for (let count = 1 + random.below(3); count > 0; count--) {
    // Long lines now and then: a kill in the middle of their write is what tears a line.
    const text = random.below(32) === 0 ? 'long '.repeat(random.below(200_000)) : `message ${seq}`
    log.append(userMessage(seq, text))
    messages.push(seq++)
  }
  await log.durable()
  for (const message of messages) print(`ack ${message}`)
}
