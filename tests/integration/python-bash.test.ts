import { mkdir, realpath, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Engine } from '../../src/main/engine-types'
import { TEST_KEY, temporaryFolder, testEngine } from '../support/engine'
import { type FakeAnthropic, startFakeAnthropic } from '../support/fake-anthropic'

let folder: string
let remove: () => Promise<void>
let server: FakeAnthropic
let engine: Engine

beforeEach(async () => {
  const made = await temporaryFolder()
  folder = await realpath(made.path)
  remove = made.remove
})
afterEach(async () => {
  await engine.close()
  await server.close()
  await remove()
})

const bash = (command: string) => ({ blocks: [{ type: 'tool_use' as const, name: 'bash', input: { command } }] })

it('an install makes the project’s own environment, and later commands use it without being told', async () => {
  const work = join(folder, 'work')
  await mkdir(join(work, 'pkg'), { recursive: true })
  server = await startFakeAnthropic(
    [
      bash('python3 -c "import sys; print(sys.prefix)"'),
      // There is no package index here: that it fails is the user's matter, where it would go is ours.
      bash('pip install --no-index no-such-package'),
      bash('python -c "import sys; print(sys.prefix)"; pip --version'),
      { blocks: [{ type: 'text' as const, text: 'Done.' }] },
    ],
    { apiKey: TEST_KEY },
  )
  engine = await testEngine(folder, { base_url: server.url })
  await writeFile(join(work, 'a.py'), '')
  const session = await engine.createSession({ cwd: 'work' })
  await session.submit({ op: 'user_input', text: 'go' })
  await session.idle()
  const [before = '', , after = ''] = session.state.items.flatMap((i) => (i.kind === 'tool' ? [i.output] : []))
  expect(before).not.toContain(work)
  expect(after).toContain(join(work, '.venv'))
  expect(after).toMatch(/pip \d.*work\/\.venv/s)
  expect((await stat(join(work, '.venv', 'pyvenv.cfg'))).isFile()).toBe(true)
})
