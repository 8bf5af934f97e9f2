import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadFile, resolveTarget, withFileLock, writeAtomic } from '../../../src/main/workspace/files'
import { resolvePath, similarNames } from '../../../src/main/workspace/paths'

const never = new AbortController().signal

describe('files', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ml-intern-files-'))
  })
  afterEach(async () => {
    await rm(dir, { recursive: true, force: true })
  })

  it('writeAtomic keeps mode and special bits, whatever the umask, and leaves no temporary file', async () => {
    const path = join(dir, 'run.sh')
    await writeFile(path, 'old')
    await chmod(path, 0o2775)
    const version = await writeAtomic(path, Buffer.from('new'), await stat(path))
    expect((await stat(path)).mode & 0o7777).toBe(0o2775)
    expect(await readdir(dir)).toEqual(['run.sh'])
    expect(version).toMatchObject({ size: 3, mtime_ms: (await stat(path)).mtimeMs })
    expect((await loadFile(path, 100, never))?.version).toEqual(version)
  })

  it('writeAtomic leaves the old file and nothing else when it fails', async () => {
    const path = join(dir, 'folder')
    await writeFile(join(dir, 'keep'), 'x')
    await mkdir(join(path, 'full'), { recursive: true })
    await expect(writeAtomic(path, Buffer.from('new'), null)).rejects.toThrow()
    expect(await readdir(dir)).toEqual(['folder', 'keep'])
  })

  it('resolveTarget follows links to files that exist, and to those that do not yet', async () => {
    await writeFile(join(dir, 'real'), 'x')
    await symlink('real', join(dir, 'link'))
    await symlink('later/file', join(dir, 'dangling'))
    await symlink('loop', join(dir, 'loop'))
    const root = await resolveTarget(dir)
    expect(await resolveTarget(join(dir, 'link'))).toBe(join(root, 'real'))
    expect(await resolveTarget(join(dir, 'dangling'))).toBe(join(root, 'later/file'))
    expect(await resolveTarget(join(dir, 'a/b/c'))).toBe(join(root, 'a/b/c'))
    await expect(resolveTarget(join(dir, 'loop'))).rejects.toMatchObject({ code: 'invalid_request' })
  })

  it('loadFile keeps the first piece only of a file above the limit, and hashes all of it', async () => {
    const path = join(dir, 'big')
    await writeFile(path, Buffer.alloc(600_000, 'a'))
    const loaded = await loadFile(path, 1000, never)
    expect(loaded).toMatchObject({ whole: false, version: { size: 600_000 } })
    expect(loaded?.version.hash).toBe((await loadFile(path, 1_000_000, never))?.version.hash)
  })

  it('withFileLock runs changes of one file one after the other, also after one has failed', async () => {
    const order: string[] = []
    const change = (name: string, fails = false) =>
      withFileLock('/x', async () => {
        order.push(`${name} begins`)
        await readFile(import.meta.filename)
        order.push(`${name} ends`)
        if (fails) throw new Error('failed')
      })
    await Promise.allSettled([change('a', true), change('b'), change('c')])
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  it('suggests names that resemble a missing one', async () => {
    for (const name of ['train.py', 'train_v2.py', 'Trian.py', 'README.md', 'unrelated.csv']) {
      await writeFile(join(dir, name), '')
    }
    expect(await similarNames(join(dir, 'train.ipynb'))).toEqual(['train.py', 'train_v2.py'])
    expect(await similarNames(join(dir, 'trian.py'))).toContain('Trian.py')
    expect(await similarNames(join(dir, 'zzz'))).toEqual([])
  })

  it('resolvePath knows ~, relative and absolute paths, and refuses NUL', () => {
    expect(resolvePath('a/../b', '/w')).toBe('/w/b')
    expect(resolvePath('/abs', '/w')).toBe('/abs')
    expect(resolvePath('~/x', '/w')).not.toContain('~')
    expect(resolvePath('~name', '/w')).toBe('/w/~name')
    expect(() => resolvePath('a\0b', '/w')).toThrow('NUL')
  })
})
