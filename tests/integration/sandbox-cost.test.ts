import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DEFAULT_HOSTS } from '../../src/main/workspace/sandbox'
import { inside, PLAIN_ENV, realSandbox, run } from '../support/sandbox'

const RUNS = 40
/** What bubblewrap costs in any case: on a busy machine the numbers are only worth something beside it. */
const BARE = [
  '--ro-bind',
  '/',
  '/',
  '--dev',
  '/dev',
  '--proc',
  '/proc',
  '--unshare-pid',
  '--unshare-net',
  'bash',
  '-c',
  'true',
]

test('a sandboxed command costs little more than bubblewrap does', { timeout: 60_000 }, async () => {
  const root = await mkdtemp(join(tmpdir(), 'sandbox-cost-'))
  const workspace = join(root, 'ws')
  await mkdir(join(workspace, '.git', 'hooks'), { recursive: true })
  const sandbox = await realSandbox(workspace, join(root, 'home'), process.env)
  const command = { env: PLAIN_ENV, cwd: workspace, profile: 'workspace-write' as const, network: 'off' as const }
  const ways: Record<string, () => Promise<{ exit_code: number }>> = {
    plain: () => run('bash', ['-c', 'true'], { env: PLAIN_ENV }),
    bare: () => run('bwrap', BARE, { env: PLAIN_ENV }),
    wrap: async () => {
      await (await sandbox.wrap({ ...command, run: { shell: 'true' } })).cleanup()
      return { exit_code: 0 }
    },
    offline: () => inside(sandbox, 'true', command),
    online: () => inside(sandbox, 'true', { ...command, network: { allow: DEFAULT_HOSTS } }),
  }
  const times: Record<string, number[]> = {}
  try {
    // In turns: whatever else the machine does meets all of them alike.
    for (let i = 0; i < RUNS; i += 1) {
      for (const [name, way] of Object.entries(ways)) {
        const start = performance.now()
        expect((await way()).exit_code).toBe(0)
        times[name] = [...(times[name] ?? []), performance.now() - start]
      }
    }
  } finally {
    await sandbox.close()
    await rm(root, { recursive: true })
  }
  const median = (name: string): number => (times[name] ?? []).sort((a, b) => a - b)[RUNS / 2] ?? Number.NaN
  console.log(
    Object.keys(ways)
      .map((name) => `${name} ${median(name).toFixed(1)} ms`)
      .join(', '),
  )
  expect(median('wrap')).toBeLessThan(median('bare') * 2 + 20)
  expect(median('online')).toBeLessThan(median('bare') * 5 + 50)
})
