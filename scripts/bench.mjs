#!/usr/bin/env node
// Builds when needed, bundles the benchmark with its loopback model server and runs it. Arguments are passed on.
import './lib/require-node.mjs'

import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { argv, env, execPath, exit } from 'node:process'
import { ensureBuilt } from './lib/build.mjs'

const root = resolve(import.meta.dirname, '..')
await ensureBuilt()
// Only now: an older Node could not even load it, and the check above would not be heard.
const { rolldown } = await import('rolldown')
const folder = await mkdtemp(join(tmpdir(), 'ml-intern-bench-'))
let exitCode = 1
try {
  const file = join(folder, 'bench.mjs')
  const bundle = await rolldown({
    input: join(root, 'tests/bench/bench.ts'),
    platform: 'node',
    resolve: { alias: { '@shared': join(root, 'src/shared') } },
    logLevel: 'warn',
  })
  await bundle.write({ file, format: 'esm' })
  const run = spawnSync(execPath, [file, ...argv.slice(2)], { stdio: 'inherit', env: { ...env, BENCH_ROOT: root } })
  exitCode = run.status ?? 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
exit(exitCode)
