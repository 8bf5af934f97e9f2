import { chmod, lstat, readdir, readFile, readlink, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { editTool } from '../../../src/main/tools/edit'
import { readTool } from '../../../src/main/tools/read'
import { SessionFileTracker } from '../../../src/main/tools/registry'
import { writeTool } from '../../../src/main/tools/write'
import { call, removeContext, type TestContext, testContext } from './context'

describe('write', () => {
  let context: TestContext
  beforeEach(async () => {
    context = await testContext()
  })
  afterEach(() => removeContext(context))

  const at = (name: string) => join(context.cwd, name)
  const write = (path: string, content: string) => call(writeTool, { path, content }, context)
  const read = (path: string) => call(readTool, { path }, context)

  it('creates a file with its folders, and counts bytes and lines truly', async () => {
    const result = await write('a/b/c.txt', 'é\n😀')
    expect(await readFile(at('a/b/c.txt'), 'utf8')).toBe('é\n😀')
    expect(result.output).toBe('Created a/b/c.txt (7 bytes, 2 lines).')
    expect(result.details).toEqual({
      kind: 'diff',
      path: at('a/b/c.txt'),
      patch: '--- /dev/null\n+++ b/a/b/c.txt\n@@ -0,0 +1,2 @@\n+é\n+😀\n\\ No newline at end of file\n',
      added: 2,
      removed: 0,
      created: true,
      truncated: false,
    })
    expect(await readdir(at('a/b'))).toEqual(['c.txt'])
  })

  it('refuses text in which a secret has become a mark: writing it back would destroy the secret', async () => {
    await writeFile(at('.env'), 'HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz0123456789\nSEED=20\n')
    await read('.env')
    const result = await write('.env', 'HF_TOKEN=[REDACTED_HF_TOKEN]\nSEED=21\n')
    expect(result.ok).toBe(false)
    expect(result.output).toContain('stands for a secret')
    expect(await readFile(at('.env'), 'utf8')).toContain('hf_abcdef')
    const edited = await call(
      editTool,
      { path: '.env', old_str: 'SEED=20', new_str: 'SEED=21\nKEY=[REDACTED]' },
      context,
    )
    expect(edited.ok).toBe(false)
    expect((await call(editTool, { path: '.env', old_str: 'SEED=20', new_str: 'SEED=21' }, context)).ok).toBe(true)
    // A file that is about such marks may hold them.
    await writeFile(at('doc.md'), 'It prints [REDACTED].\n')
    await read('doc.md')
    expect((await write('doc.md', 'It always prints [REDACTED].\n')).ok).toBe(true)
  })

  it('refuses to replace a file that was not read', async () => {
    await writeFile(at('a.txt'), 'mine')
    const result = await write('a.txt', 'new')
    expect(result).toMatchObject({ ok: false })
    expect(result.output).toContain('has not been read in this session')
    expect(await readFile(at('a.txt'), 'utf8')).toBe('mine')
  })

  it('replaces a file that was read, and one it wrote itself', async () => {
    await writeFile(at('a.txt'), 'old\n')
    await read('a.txt')
    expect(await write('a.txt', 'new\n')).toMatchObject({
      ok: true,
      output: 'Replaced a.txt (4 bytes, 1 line).',
      details: { created: false, added: 1, removed: 1 },
    })
    expect(await write('a.txt', 'newer\n')).toMatchObject({ ok: true })
    expect(await readFile(at('a.txt'), 'utf8')).toBe('newer\n')
  })

  it('refuses when the file was changed since, even with the same size and time', async () => {
    await writeFile(at('a.txt'), 'old')
    await read('a.txt')
    const { atime, mtime } = await stat(at('a.txt'))
    await writeFile(at('a.txt'), 'xyz')
    await utimes(at('a.txt'), atime, mtime)
    const result = await write('a.txt', 'new')
    expect(result.output).toContain('Read it again')
    expect(await readFile(at('a.txt'), 'utf8')).toBe('xyz')
  })

  it('what one session has read does not count for another', async () => {
    await writeFile(at('a.txt'), 'old')
    await read('a.txt')
    const other = { ...context, files: new SessionFileTracker() }
    expect(await call(writeTool, { path: 'a.txt', content: 'new' }, other)).toMatchObject({ ok: false })
  })

  it('fills an empty file without reading it first', async () => {
    await writeFile(at('a.txt'), '')
    expect(await write('a.txt', 'x')).toMatchObject({ ok: true })
  })

  it('keeps mode, line endings and byte order mark', async () => {
    await writeFile(at('run.sh'), '\ufeffa\r\nb\r\n')
    await chmod(at('run.sh'), 0o755)
    await read('run.sh')
    await write('run.sh', 'a\nc\n')
    expect(await readFile(at('run.sh'), 'utf8')).toBe('\ufeffa\r\nc\r\n')
    expect((await stat(at('run.sh'))).mode & 0o777).toBe(0o755)
  })

  it('writes through a symbolic link, a dangling one too, and leaves the link', async () => {
    await writeFile(at('real.txt'), 'old')
    await symlink('real.txt', at('link.txt'))
    await symlink('new/real.txt', at('dangling.txt'))
    await read('link.txt')
    await write('link.txt', 'new')
    await write('dangling.txt', 'made')
    expect((await lstat(at('link.txt'))).isSymbolicLink()).toBe(true)
    expect(await readFile(at('real.txt'), 'utf8')).toBe('new')
    expect(await readlink(at('dangling.txt'))).toBe('new/real.txt')
    expect(await readFile(at('new/real.txt'), 'utf8')).toBe('made')
  })

  it('warns of a Python file with a syntax error and writes it nevertheless', async () => {
    const result = await write('bad.py', 'x = (1\n')
    expect(result.ok).toBe(true)
    expect(result.output).toMatch(/^Created bad\.py \(7 bytes, 1 line\)\.\nPython syntax error at line 1: /)
    expect((await write('good.py', 'x = 1\n')).output).toBe('Created good.py (6 bytes, 1 line).')
  })

  it('explains what it cannot write', async () => {
    await writeFile(at('file'), 'x')
    expect((await write('file/x', 'y')).output).toContain('is a file, not a folder')
    expect((await write('.', 'y')).output).toContain('is a folder, not a file')
    expect((await write('/proc/nothing', 'y')).ok).toBe(false)
    // Node 20 never ends a recursive mkdir there.
    expect((await write('/proc/nothing/deep/er', 'y')).ok).toBe(false)
  })

  it('concurrent writes: the file is one of them as a whole, and nothing is left over', async () => {
    const contents = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(200_000))
    const results = await Promise.all(contents.map((content) => write('a.txt', content)))
    expect(results.every(({ ok }) => ok)).toBe(true)
    expect(contents).toContain(await readFile(at('a.txt'), 'utf8'))
    expect(await readdir(context.cwd)).toEqual(['a.txt'])
  })

  it('concurrent writes of two sessions: the second does not overwrite what it has not seen', async () => {
    const other = { ...context, files: new SessionFileTracker() }
    const results = await Promise.all([
      write('a.txt', 'first'),
      call(writeTool, { path: 'a.txt', content: 'second' }, other),
    ])
    expect(results.filter(({ ok }) => ok)).toHaveLength(1)
  })

  it('does not change the file when it is interrupted', async () => {
    await writeFile(at('a.txt'), 'old')
    await read('a.txt')
    const aborted = { ...context, signal: AbortSignal.abort() }
    await expect(call(writeTool, { path: 'a.txt', content: 'new' }, aborted)).rejects.toThrow('aborted')
    expect(await readFile(at('a.txt'), 'utf8')).toBe('old')
  })

  it('intent says how much', () => {
    expect(writeTool.intent({ path: 'train.py', content: 'a\nb\n' })).toBe('Write train.py (2 lines)')
  })
})
