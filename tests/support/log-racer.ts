import { acquireWriterLock } from '../../src/main/session/lock'

/**
 * A process that competes for one writer lock: reads `go` from its input, tries once, prints `won` or `lost`, and
 * keeps what it has until it is ended.
 */
const dir = process.argv[2] ?? ''
process.stdin.once('data', () => {
  acquireWriterLock(dir).then(
    () => process.stdout.write('won\n'),
    (error: unknown) => process.stdout.write(`lost ${error instanceof Error ? error.message : String(error)}\n`),
  )
})
process.stdout.write('ready\n')
