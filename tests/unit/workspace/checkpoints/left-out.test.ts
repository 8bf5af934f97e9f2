import { execFile } from 'node:child_process'
import { chmod, truncate, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Checkpoints, CheckpointsOptions } from '../../../../src/main/workspace/checkpoints'
import { CheckpointsBench } from '../../../support/checkpoints'
import { bundleHelper, LineProcess } from '../../../support/log-process'

let bench: CheckpointsBench
let base: string
let workspace: string

beforeEach(async () => {
  bench = await CheckpointsBench.make()
  base = bench.base
  workspace = bench.workspace
})
afterEach(() => bench.remove())

const open = (more?: Partial<CheckpointsOptions>): Checkpoints => bench.open(more)
const put = (path: string, content?: string | Buffer) => bench.put(path, content)
const get = (path: string) => bench.get(path)

const run = promisify(execFile)

describe('what is left out', () => {
  it('is said by reason, and is not touched by a rewind', async () => {
    await put('.gitignore', '/out/\n*.tmp\n!wanted.pt\n')
    await put('out/result.txt')
    await put('a.tmp')
    await put('.git/info/exclude', 'mine\n')
    await put('mine')
    await put('.venv/bin/python')
    await put('src/__pycache__/x.pyc')
    await put('wanted.pt')
    await put('checkpoints/step-1/state.json')
    await put('big.csv', '')
    await truncate(join(workspace, 'big.csv'), 21 * 1024 * 1024)
    await put('rows.parquet', '')
    await truncate(join(workspace, 'rows.parquet'), 6 * 1024 * 1024)
    await put('src/train.py')
    await run('mkfifo', [join(workspace, 'pipe')])
    const checkpoints = open()
    const result = await checkpoints.record('m1')
    expect(result?.left_out).toEqual([
      'Files over 20.0 MiB: big.csv (21.0 MiB).',
      'Data files over 5.0 MiB: rows.parquet (6.0 MiB).',
      'Model weights: wanted.pt.',
      'Environments and caches: .venv/, src/__pycache__/.',
      'Folders of training results: checkpoints/.',
      'Ignored by .gitignore: a.tmp, mine, out/.',
    ])
    await put('out/result.txt', 'agent')
    await put('src/train.py', 'agent')
    await checkpoints.rewind('m1')
    expect(await get('out/result.txt')).toBe('agent')
    expect(await get('src/train.py')).toBe('src/train.py')
  })

  it('is never removed, when a turn made it something that is recorded', async () => {
    await put('.gitignore', 'data/\n')
    await put('data/rows.csv', 'mine')
    await put('log.csv', '')
    await truncate(join(workspace, 'log.csv'), 21 * 1024 * 1024)
    const checkpoints = open()
    await checkpoints.record('m1')
    await put('.gitignore', '')
    await put('log.csv', 'short')
    await put('new.csv', 'new')
    const { problems } = await checkpoints.rewind('m1')
    expect(problems).toEqual([
      'data/rows.csv was left as it is: what it was before is not recorded.',
      'log.csv was left as it is: what it was before is not recorded.',
    ])
    expect([await get('.gitignore'), await get('data/rows.csv'), await get('log.csv')]).toEqual([
      'data/\n',
      'mine',
      'short',
    ])
    expect(await bench.isThere('new.csv')).toBe(false)
  })

  it('goes on without a file that may not be read', async () => {
    await put('open', 'o')
    await put('closed', 'c')
    await chmod(join(workspace, 'closed'), 0)
    await put('folder/x', 'x')
    await chmod(join(workspace, 'folder'), 0)
    expect((await open().record('m1'))?.left_out).toEqual(
      // Nothing is closed to root.
      process.getuid?.() === 0 ? [] : ['Could not be read: folder/, closed.'],
    )
    await chmod(join(workspace, 'folder'), 0o700)
  })

  it('keeps our own data out, where it lies in the workspace', async () => {
    bench.dir = join(workspace, '.data', 'checkpoints')
    await put('.data/sessions/s1/events.jsonl', '1')
    await put('a', '1')
    const checkpoints = open()
    expect((await checkpoints.record('m1'))?.left_out).toEqual(['The data of ML Intern: .data/.'])
    await put('.data/sessions/s1/events.jsonl', '2')
    await put('a', '2')
    await checkpoints.rewind('m1')
    expect([await get('a'), await get('.data/sessions/s1/events.jsonl')]).toEqual(['1', '2'])
  })
})

describe('when it cannot be recorded', () => {
  it('says once that git is missing', async () => {
    const checkpoints = open({ env: { PATH: join(base, 'empty') } })
    expect(await checkpoints.record('m1')).toBeNull()
    expect(await checkpoints.record('m2')).toBeNull()
    expect(bench.said).toEqual([expect.stringContaining('git was not found on PATH')])
    expect(await checkpoints.turns()).toEqual([])
  })

  it('refuses the root of the file system', async () => {
    expect(await open({ workspace: '/' }).record('m1')).toBeNull()
    expect(bench.said).toEqual([expect.stringContaining('the root of the file system')])
  })

  it('goes on when the disk is full, says so, and records the next turn once there is room', async () => {
    await put('noise', Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919 * (i % 251)) % 256)))
    const helper = await bundleHelper('checkpoints-record.ts', base)
    // A limit of file sizes: every write behind it fails, as on a full disk, and nobody has to be root.
    const script = `ulimit -f 32; exec "$0" "$@"`
    const child = new LineProcess('bash', ['-c', script, process.execPath, helper, bench.dir, 's1', workspace, 'm1'])
    const line = JSON.parse(await child.line(/^\{/))
    await child.closed
    expect(line).toMatchObject({ id: 'm1', result: null, said: [expect.stringContaining('the disk is full')] })
    expect(await open().record('m1')).toEqual({ left_out: [] })
  })

  it('is ended by the signal, and by its limit of time', async () => {
    await put('a')
    const aborted = AbortSignal.abort(new Error('stop'))
    await expect(open().record('m1', aborted)).rejects.toThrow('stop')
    await run('mkfifo', [join(workspace, '.gitignore')])
    // Git waits for a writer of the pipe for ever.
    expect(await open({ limit_ms: 300, slow_ms: 50 }).record('m1')).toBeNull()
    expect(bench.said[0]).toBe('Recording the workspace, so that it can be rewound, takes long…')
    expect(bench.said.at(-1)).toContain('it took longer than')
    await unlink(join(workspace, '.gitignore'))
    expect(await open().record('m1')).toEqual({ left_out: [] })
  })
})
