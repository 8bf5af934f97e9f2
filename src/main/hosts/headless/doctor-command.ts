import { doctorDeps } from '../../bootstrap'
import { runDoctor } from '../../doctor'
import { EXIT } from '../../errors'
import type { Command } from './args'
import type { CliIo } from './io'
import { prepare } from './setup'
import { styleFor } from './style'
import { Writer } from './writer'

/** `ml-intern doctor`. Exit code 1 when a check failed without which nothing runs. */
export async function runDoctorCommand(io: CliIo, command: Extract<Command, { name: 'doctor' }>): Promise<number> {
  const checks = await runDoctor(doctorDeps(await prepare(io, command)))
  const out = new Writer(io.stdout)
  if (command.json) {
    out.write(`${JSON.stringify(checks, null, 2)}\n`)
  } else {
    const { green, yellow, red, bold, dim } = styleFor(io.stdout, io.env)
    const icons = { ok: green('✓'), warning: yellow('!'), failed: red('✗') }
    const width = Math.max(...checks.map(({ title }) => title.length))
    for (const { state, title, detail, remedy } of checks) {
      out.write(`${icons[state]} ${bold(title.padEnd(width))}  ${detail}\n`)
      if (remedy) out.write(`  ${' '.repeat(width)}  ${dim(remedy)}\n`)
    }
  }
  await out.finish()
  return checks.some(({ state }) => state === 'failed') ? EXIT.failed : EXIT.finished
}
