import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Checkpoints, CheckpointsOptions } from '../../../../src/main/workspace/checkpoints'
import { CheckpointsBench } from '../../../support/checkpoints'

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
const isThere = (path: string) => bench.isThere(path)

const run = promisify(execFile)

const env = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b',
}
const git = (...args: string[]) => run('git', args, { cwd: workspace, env }).then(({ stdout }) => stdout)
const gitMayFail = (...args: string[]) => git(...args).catch((error: { stdout?: string }) => error.stdout ?? '')

/** Every file below a folder with its times, mode and bytes. */
async function fingerprint(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const { mtimeNs, mode, ino, size } = await stat(path, { bigint: true })
    const hash = entry.isFile()
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : ''
    found[path] = [mtimeNs, mode, ino, entry.isFile() ? size : '', hash].join(' ')
  }
  return found
}

describe('the user’s own repository', () => {
  async function dirty(): Promise<void> {
    await git('init', '-q', '-b', 'main')
    await put('.gitignore', 'ignored\n')
    for (const name of ['staged', 'unstaged', 'both', 'conflict']) await put(name, `${name}\n`)
    await git('add', '.')
    await git('commit', '-qm', 'one')
    await put('stashed', 's')
    await git('add', 'stashed')
    await git('stash', '-q')
    await git('checkout', '-qb', 'side')
    await put('conflict', 'side\n')
    await git('commit', '-qam', 'side')
    await git('checkout', '-q', 'main')
    await put('conflict', 'main\n')
    await git('commit', '-qam', 'main')
    await put('.git/hooks/post-index-change', `#!/bin/sh\ntouch ${base}/ran\n`)
    await put('.git/hooks/reference-transaction', `#!/bin/sh\ntouch ${base}/ran\n`)
    for (const hook of ['post-index-change', 'reference-transaction']) {
      await chmod(join(workspace, '.git/hooks', hook), 0o755)
    }
  }
  async function change(): Promise<void> {
    await put('staged', 'staged 2\n')
    await put('both', 'both 2\n')
    await git('add', 'staged', 'both')
    await put('both', 'both 3\n')
    await put('unstaged', 'unstaged 2\n')
    await put('untracked', 'u')
    await put('ignored', 'i')
  }

  it.each(['no operation', 'merge', 'rebase'])(
    'is the same bit for bit after record, rewind and undo: %s',
    async (at) => {
      await dirty()
      if (at === 'merge') await gitMayFail('merge', 'side')
      if (at === 'rebase') await gitMayFail('rebase', 'side')
      if (at === 'no operation') await change()
      await rm(join(base, 'ran'), { force: true })
      const before = await fingerprint(join(workspace, '.git'))
      const checkpoints = open()
      await checkpoints.record('m1')
      await put('unstaged', 'by the agent\n')
      await put('new', 'n')
      await checkpoints.finish('m1')
      await checkpoints.changes('m1')
      await checkpoints.gc()
      const { undo_id } = await checkpoints.rewind('m1')
      await checkpoints.undo(undo_id ?? '')
      await checkpoints.rewind('m1')
      expect(await fingerprint(join(workspace, '.git'))).toEqual(before)
      await expect(stat(join(base, 'ran'))).rejects.toThrow('ENOENT')
      const status = await git('status', '--porcelain')
      if (at === 'no operation') expect(status).toBe('MM both\nM  staged\n M unstaged\n?? untracked\n')
      else expect(status).toContain('UU conflict')
      expect(bench.said).toEqual([])
    },
  )

  it('runs nothing that a malicious workspace names, and keeps every byte', async () => {
    const mark = `touch ${base}/ran`
    await git('init', '-q')
    for (const [name, value] of [
      ['filter.evil.clean', mark],
      ['filter.evil.smudge', mark],
      ['filter.evil.process', mark],
      ['diff.evil.textconv', mark],
      ['diff.evil.command', mark],
      ['core.fsmonitor', mark],
      ['core.hooksPath', workspace],
      ['core.sshCommand', mark],
    ]) {
      await git('config', name ?? '', value ?? '')
    }
    await put('.gitattributes', '* filter=evil diff=evil text eol=crlf ident working-tree-encoding=UTF-16\n')
    await put('git', `#!/bin/sh\n${mark}\n`)
    await chmod(join(workspace, 'git'), 0o755)
    const bytes = Buffer.from('$Id$ a\r\nb\nc\0\xff\xfe', 'latin1')
    await put('x.bytes', bytes)
    const path = `:.:${workspace}/none:${process.env.PATH}`
    const hostile = { GIT_DIR: join(workspace, '.git'), GIT_CONFIG_PARAMETERS: "'core.fsmonitor'='false'" }
    const checkpoints = open({ env: { ...process.env, ...hostile, PATH: path } })
    await checkpoints.record('m1')
    await put('x.bytes', 'changed')
    await put('y', 'y')
    expect(await checkpoints.diff('m1', 'y')).toContain('+y')
    expect((await checkpoints.rewind('m1')).problems).toEqual([])
    expect(await readFile(join(workspace, 'x.bytes'))).toEqual(bytes)
    await expect(stat(join(base, 'ran'))).rejects.toThrow('ENOENT')
  })

  it('records the files of nested repositories and leaves their .git alone', async () => {
    await put('a', 'a')
    for (const nested of ['lib', 'lib/inner', 'empty']) {
      await put(`${nested}/file.py`, 'old\n')
      await put(`${nested}/model.safetensors`, 'weights')
      await git('init', '-q', nested)
    }
    const before = await fingerprint(join(workspace, 'lib/.git'))
    const checkpoints = open()
    await checkpoints.record('m1')
    await put('lib/file.py', 'new\n')
    await put('lib/second.py', 'new\n')
    await put('lib/inner/file.py', 'new\n')
    const changes = await checkpoints.changes('m1')
    expect(changes?.files.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'changed lib/file.py',
      'changed lib/inner/file.py',
      'added lib/second.py',
    ])
    expect((await checkpoints.rewind('m1')).problems).toEqual([])
    expect(await get('lib/inner/file.py')).toBe('old\n')
    expect(await isThere('lib/second.py')).toBe(false)
    expect(await fingerprint(join(workspace, 'lib/.git'))).toEqual(before)
  })
})
