#!/usr/bin/env node
// `npm run -s ml-intern -- …`: the command line from a checkout. Builds first when the build is missing or older than
// its sources. Arguments, streams, signals and the exit code are those of out/main/cli.js.
import './lib/require-node.mjs'

import { ensureBuilt } from './lib/build.mjs'
import { CLI, ROOT } from './lib/paths.mjs'
import { runForeground } from './lib/run.mjs'

if (process.argv.length === 2) {
  // Without a command it is the app itself, which chooses between Electron and the browser.
  await import('./start.mjs')
} else {
  process.exitCode = await commandLine()
}

async function commandLine() {
  try {
    await ensureBuilt()
    // `npm run` changes into the checkout; the folder the user is in is where the work is.
    const cwd = (process.cwd() === ROOT && process.env.INIT_CWD) || process.cwd()
    return await runForeground(process.execPath, [CLI, ...process.argv.slice(2)], { cwd })
  } catch (error) {
    console.error(error.message)
    return 1
  }
}
