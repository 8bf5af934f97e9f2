import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const SCRIPT = resolve(import.meta.dirname, '../../../scripts/check-layers.mjs')
let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ml-intern-layers-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

/** Runs the check over a tree of these files; what it complained about, one line each. */
async function check(files: Record<string, string>): Promise<string[]> {
  await mkdir(join(root, 'src'), { recursive: true })
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), text)
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, root], { encoding: 'utf8' })
  const lines = stderr.trim() === '' ? [] : stderr.trim().split('\n')
  expect(stdout).toBe('')
  expect(status).toBe(lines.length === 0 ? 0 : 1)
  if (lines.length > 0) expect(lines.pop()).toContain('layer violation')
  return lines
}

/** Complaints about one file, the rest of the tree being in order. */
const checkOne = (file: string, text: string) => check({ [file]: text })

describe('what is in order', () => {
  it('a tree whose arrows point one way', async () => {
    const problems = await check({
      'src/shared/state.ts': "import { z } from 'zod'\nexport const s = z.string()\n",
      'src/main/errors.ts': "import { redact } from './redact'\nexport { redact }\n",
      'src/main/workspace/run.ts': "import { spawn } from 'node:child_process'\nimport { s } from '@shared/state'\n",
      'src/main/models/a.ts': "import type { Tool } from '../tools/types'\nimport { run } from '../workspace/run'\n",
      'src/main/session/s.ts': "export * from '../agent/loop'\nexport type { T } from './types'\n",
      'src/main/engine.ts':
        "import { version } from '../../package.json'\nexport const e = () => import('./session/s')\n",
      'src/main/hosts/desktop/host.ts': "import { app } from 'electron'\n",
      'src/main/index.ts': "import { run } from './hosts/desktop/host'\n",
      'src/main/cli.ts': "import type { Options } from './hosts/desktop/host'\n",
      'src/preload/index.ts': "import { ipcRenderer } from 'electron'\nimport type { B } from '@shared/bridge'\n",
      'src/renderer/src/App.tsx': "import { useState } from 'react'\nexport const App = () => <p>{useState(0)}</p>\n",
      'src/renderer/src/styles/a.css': '@import url("electron");\n',
    })
    expect(problems).toEqual([])
  })

  it('words that only look like an import', async () => {
    const text = [
      "// import { app } from 'electron'",
      "/* export * from '../hosts/desktop/host' */",
      'export const a = "import x from \'electron\'"',
      "export const b = `\nimport x from 'electron'\n`",
    ].join('\n')
    expect(await checkOne('src/main/tools/a.ts', text)).toEqual([])
  })

  it('the checkout itself', () => {
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  })
})

describe('every way to write an import is seen', () => {
  it.each([
    "import { app } from 'electron'",
    "import type { App } from 'electron'",
    "import { type App } from 'electron'",
    "import 'electron'",
    "import * as e from 'electron/main'",
    "import {\n  app,\n  // it's a comment\n  dialog,\n} from 'electron'",
    "import{app}from'electron'",
    "import a from './a'; import e from 'electron'",
    "export { app } from 'electron'",
    "export * from 'electron'",
    "export type * as E from 'electron'",
    "const e = await import('electron')",
    'const e = await import(`electron`)',
    "const e = await import(/* @vite-ignore */ 'electron')",
    "const e = await import('electron' as string)",
    "const e = await import('electron', { with: {} })",
    "import e = require('electron')",
    "const e = require('electron')",
    "const e = createRequire(import.meta.url)('electron')",
    "type A = import('electron').App",
    "let e: typeof import('electron')",
  ])('%s', async (text) => {
    expect(await checkOne('src/main/tools/a.ts', `${text}\n`)).toEqual([
      expect.stringMatching(/^src\/main\/tools\/a\.ts:\d+: imports electron.*: only the desktop host/),
    ])
  })

  it('also in a file of another extension, and what nobody can know beforehand', async () => {
    for (const extension of ['mts', 'cts', 'js', 'mjs', 'tsx']) {
      const [problem] = await checkOne(`src/main/tools/b.${extension}`, "import 'electron'\n")
      expect(problem).toContain(`b.${extension}:1`)
      await rm(join(root, 'src'), { recursive: true })
    }
    expect(await checkOne('src/main/tools/a.ts', 'export const a = (name: string) => import(name)\n')).toEqual([
      expect.stringContaining('known only at run time'),
    ])
  })
})

describe('arrows', () => {
  it.each([
    ['src/main/tools/a.ts', "import { x } from '../agent/loop'", 'tools is below agent'],
    ['src/main/tools/a.ts', "import type { X } from '../agent/loop'", 'tools is below agent'],
    ['src/main/tools/deep/a.ts', "export * from '../../session/log'", 'tools is below session'],
    ['src/main/models/a.ts', "import { x } from '../tools/registry'", 'models is below tools'],
    ['src/main/session/a.ts', "const e = () => import('../engine')", 'session is below engine'],
    ['src/main/engine.ts', "import { x } from './hosts/browser/serve'", 'engine is below hosts'],
    ['src/main/bridge/a.ts', "import { x } from '../cli'", 'bridge is below cli'],
    ['src/main/cli.ts', "import { x } from './hosts/desktop/host'", 'plain Node'],
    ['src/main/hosts/browser/a.ts', "const d = () => import('../desktop/host')", 'plain Node'],
    ['src/main/attic/a.ts', "import { x } from '../errors'", 'attic has no layer'],
    ['src/main/hosts/a.ts', "import { x } from '../attic/a'", 'attic has no layer'],
    ['src/main/tools/a.ts', "import { x } from '../../renderer/src/App'", 'main may not import renderer'],
    ['src/main/tools/a.ts', "import { x } from '@renderer/App'", 'main may not import renderer'],
    ['src/renderer/src/a.tsx', "import type { E } from '../../main/engine'", 'renderer may not import main'],
    ['src/renderer/src/a.tsx', "import { readFile } from 'node:fs'", 'the window has no Node'],
    ['src/renderer/src/a.tsx', "import { readFile } from 'fs/promises'", 'the window has no Node'],
    ['src/preload/index.ts', "import { join } from 'path'", 'sandboxed preload'],
    ['src/preload/index.ts', "import { z } from 'zod'", 'sandboxed preload'],
    ['src/shared/a.ts', "import { join } from 'node:path'", 'zod and nothing else'],
    ['src/shared/a.ts', "import { version } from '../../package.json'", 'zod and nothing else'],
    ['src/shared/a.ts', "import type { E } from '../main/engine-types'", 'shared may not import main'],
  ])('%s: %s', async (file, text, reason) => {
    expect(await checkOne(file, `${text}\n`)).toEqual([expect.stringContaining(reason)])
  })

  it('says where a file is that is too long, or no code', async () => {
    const problems = await check({
      'src/main/tools/long.ts': '\n'.repeat(401),
      'src/renderer/src/long.css': '\n'.repeat(401),
      'src/main/tools/fits.ts': '\n'.repeat(400),
      'src/main/tools/broken.ts': 'import {\n',
    })
    expect(problems).toEqual([
      expect.stringMatching(/^src\/main\/tools\/broken\.ts: cannot be read/),
      expect.stringMatching(/^src\/main\/tools\/long\.ts: 401 lines/),
      expect.stringMatching(/^src\/renderer\/src\/long\.css: 401 lines/),
    ])
  })
})
