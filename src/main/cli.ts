#!/usr/bin/env node
import { join } from 'node:path'
import { version } from '../../package.json'
import type { CliIo, Signal } from './hosts/headless/io'
import { runCli } from './hosts/headless/run-cli'

/** The entry of the command line: plain Node, no Electron. Everything a run does not need is imported when it is needed. */
const SIGNALS: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Where the program was started. */
function startFolder(): string {
  try {
    return process.cwd()
  } catch {
    // The folder was deleted under the shell. Its name is still known, and what needs the folder says that it is gone.
    return process.env.PWD || '/'
  }
}

const io: CliIo = {
  // Opened when it is first used: `--version` does not read.
  get stdin() {
    return process.stdin
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: startFolder(),
  version,
  renderer_dir: join(import.meta.dirname, '..', 'renderer'),
  onSignal(listener) {
    for (const signal of SIGNALS) process.on(signal, listener)
    return () => {
      for (const signal of SIGNALS) process.off(signal, listener)
    }
  },
  async createEngine(options) {
    const { createEngine } = await import('./engine')
    return createEngine(options)
  },
  async startBrowserHost(engine, options) {
    const { startBrowserHost } = await import('./hosts/browser/serve')
    return startBrowserHost(engine, options)
  },
  async openUrl(url) {
    const { openUrl } = await import('./hosts/headless/open-url')
    return openUrl(url, process.env, process.platform)
  },
}

// A reader that has gone is no reason for a stack trace.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

const code = await runCli(process.argv.slice(2), io)
// Not left to the event loop: an idle connection or a keychain that never answers must not keep the process.
process.exit(code)
