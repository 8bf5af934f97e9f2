#!/usr/bin/env node
// `npm run dev`: hot reload. With Electron the app itself, page and main process; without it the page is built again
// on every change and served to the browser, where a reload shows it. Flags go to the app.
import './lib/require-node.mjs'

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureBuilt } from './lib/build.mjs'
import { desktopObstacle, findElectron } from './lib/electron.mjs'
import { passOnAndOpen } from './lib/open-url.mjs'
import { CLI, ROOT } from './lib/paths.mjs'
import { runForeground } from './lib/run.mjs'

const flags = process.argv.slice(2)

try {
  process.exitCode = await develop()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

async function develop() {
  const electron = await findElectron()
  const obstacle = desktopObstacle() ?? (electron === null ? 'Electron is not downloaded (npx install-electron)' : null)
  if (obstacle === null) {
    const tool = join(ROOT, 'node_modules/electron-vite/bin/electron-vite.js')
    return runForeground(process.execPath, [tool, 'dev', '--watch', '--', ...flags], {
      cwd: ROOT,
      env: { ...process.env, ELECTRON_EXEC_PATH: electron },
    })
  }

  console.error(`No desktop window because ${obstacle}; developing in the browser. Reload the page after a change;`)
  console.error('for a change in src/main stop and start again.')
  await ensureBuilt()
  const watcher = await watchRenderer()
  try {
    return await runForeground(process.execPath, [CLI, 'serve', ...flags], { onStdout: passOnAndOpen(true) })
  } finally {
    await watcher.close()
    // This page is a development build: without it `npm start` makes a proper one.
    await rm(join(ROOT, 'out/renderer/index.html'), { force: true })
  }
}

/** Builds the page once, then after every change, with the settings of electron.vite.config.ts. */
async function watchRenderer() {
  const [{ resolveConfig }, { build }] = await Promise.all([import('electron-vite'), import('vite')])
  const resolved = await resolveConfig({ root: ROOT }, 'build', 'development')
  const renderer = resolved.config?.renderer
  if (!renderer) throw new Error('electron.vite.config.ts has no renderer part.')
  const watcher = await build({
    ...renderer,
    configFile: false,
    mode: 'development',
    logLevel: 'warn',
    build: { ...renderer.build, minify: false, sourcemap: true, watch: {} },
  })
  await new Promise((resolve, reject) => {
    watcher.on('event', (event) => {
      if (event.code === 'END') resolve()
      // The first build has to work; a later failure is shown and the next change tries again.
      if (event.code === 'ERROR') {
        console.error(event.error.message)
        reject(event.error)
      }
      if (event.code === 'BUNDLE_END') console.error(`Page built in ${event.duration} ms`)
    })
  })
  return watcher
}
