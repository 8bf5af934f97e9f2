import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SpillWriter } from '../../src/main/workspace/spill'

/** Writes more output than its disk holds, and prints as one JSON object what is left of it. */
const dir = join(process.argv[2] ?? '', 'outputs')
const spill = new SpillWriter(dir, 'bash-1')
for (let i = 0; i < 64; i += 1) await spill.push(Buffer.alloc(65_536, 'x'))
const kept = await spill.finish(true)
const { error } = spill
const code = error instanceof Error && 'code' in error ? error.code : null
process.stdout.write(`${JSON.stringify({ kept, code, files: await readdir(dir) })}\n`)
