#!/usr/bin/env node
// `npm run -s ml-intern -- …`: the command line from a checkout. Builds first when the build is missing or older than
// its sources. Arguments, streams, signals and the exit code are those of out/main/cli.js.
import { ensureBuilt } from './lib/build.mjs'
import { CLI, ROOT } from './lib/paths.mjs'
import { runForeground } from './lib/run.mjs'

try {
  await ensureBuilt()
  // `npm run` changes into the checkout; the folder the user is in is where the work is.
  const cwd = (process.cwd() === ROOT && process.env.INIT_CWD) || process.cwd()
  process.exitCode = await runForeground(process.execPath, [CLI, ...process.argv.slice(2)], { cwd })
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
