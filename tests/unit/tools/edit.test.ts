import { chmod, lstat, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { editTool } from '../../../src/main/tools/edit'
import { readTool } from '../../../src/main/tools/read'
import { writeTool } from '../../../src/main/tools/write'
import { call, removeContext, type TestContext, testContext } from './context'

describe('edit', () => {
  let context: TestContext
  beforeEach(async () => {
    context = await testContext()
  })
  afterEach(() => removeContext(context))

  const at = (name: string) => join(context.cwd, name)
  const content = (name: string) => readFile(at(name), 'utf8')
  const edit = (path: string, old_str: string, new_str: string, change: Record<string, unknown> = {}) =>
    call(editTool, { path, old_str, new_str, ...change }, context)
  const known = async (name: string, text: string) => {
    await writeFile(at(name), text)
    await call(readTool, { path: name }, context)
  }

  it('changes one place and shows the difference', async () => {
    await known('a.py', 'a = 1\nb = 2\nc = 3\n')
    const result = await edit('a.py', 'b = 2', 'b = 5')
    expect(await content('a.py')).toBe('a = 1\nb = 5\nc = 3\n')
    expect(result.output).toBe('Edited a.py: 1 place, line 2.')
    expect(result.details).toMatchObject({
      kind: 'diff',
      patch: '--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n a = 1\n-b = 2\n+b = 5\n c = 3\n',
      added: 1,
      removed: 1,
      created: false,
    })
  })

  it('works on a file that write has made, and again on its own result', async () => {
    await call(writeTool, { path: 'a.txt', content: 'one\n' }, context)
    await edit('a.txt', 'one', 'two')
    expect(await edit('a.txt', 'two', 'three')).toMatchObject({ ok: true })
    expect(await content('a.txt')).toBe('three\n')
  })

  it('refuses a file that was not read, and one that was changed since', async () => {
    await writeFile(at('a.txt'), 'one\n')
    expect((await edit('a.txt', 'one', 'two')).output).toContain('has not been read')
    await known('a.txt', 'one\n')
    await writeFile(at('a.txt'), 'one\nmore\n')
    expect((await edit('a.txt', 'one', 'two')).output).toContain('Read it again')
    expect(await content('a.txt')).toBe('one\nmore\n')
  })

  it('names count and lines of an ambiguous match', async () => {
    await known('a.txt', 'x\ny\nx\n')
    const result = await edit('a.txt', 'x', 'z')
    expect(result).toMatchObject({ ok: false })
    expect(result.output).toContain('occurs 2 times in a.txt (lines 1, 3)')
    expect((await edit('a.txt', 'x', 'z', { replace_all: true })).output).toBe('Edited a.txt: 2 places, line 1, 3.')
    expect(await content('a.txt')).toBe('z\ny\nz\n')
  })

  it('inserts, and says when there were more places', async () => {
    await known('a.txt', 'x\nx\n')
    const result = await edit('a.txt', 'x\n', 'y\n', { mode: 'append_after' })
    expect(result.output).toBe('Edited a.txt: 1 place, line 1 (the first of 2 matches).')
    expect(await content('a.txt')).toBe('x\ny\nx\n')
  })

  it('says how it matched when not exactly, and keeps the code behind a partial match', async () => {
    await known('a.txt', 'say “hi”\nsay “yo”; keep()\n')
    expect((await edit('a.txt', 'say "hi"', 'say bye')).output).toContain('(matched after unicode normalization)')
    const partial = await edit('a.txt', 'say "yo"', 'say bye')
    expect(partial.output).toContain('was not found')
    expect(partial.output).toContain('Similar: line 2: say “yo”; keep()')
    expect(await content('a.txt')).toBe('say bye\nsay “yo”; keep()\n')
  })

  it('keeps CRLF, mode and the symbolic link', async () => {
    await writeFile(at('real.sh'), 'a\r\nb\r\n')
    await chmod(at('real.sh'), 0o750)
    await symlink('real.sh', at('link.sh'))
    await call(readTool, { path: 'link.sh' }, context)
    expect(await edit('link.sh', 'a\nb', 'a\nnew\nb')).toMatchObject({ ok: true })
    expect(await content('real.sh')).toBe('a\r\nnew\r\nb\r\n')
    expect((await stat(at('real.sh'))).mode & 0o777).toBe(0o750)
    expect((await lstat(at('link.sh'))).isSymbolicLink()).toBe(true)
  })

  it('refuses what changes nothing, and an empty old_str', async () => {
    await known('a.txt', 'x\n')
    expect((await edit('a.txt', 'x', 'x')).output).toContain('the same')
    expect((await edit('a.txt', 'x', '', { mode: 'append_after' })).output).toContain('nothing to insert')
    expect(editTool.schema.safeParse({ path: 'a', old_str: '', new_str: 'x' }).success).toBe(false)
    expect(editTool.schema.safeParse({ path: 'a', old_str: 'x', new_str: 'y', mode: 'overwrite' }).success).toBe(false)
  })

  it('explains what it cannot edit', async () => {
    await writeFile(at('bin'), Buffer.from([0, 1]))
    await writeFile(at('big'), 'x'.repeat(1_000_001))
    expect((await edit('missing.txt', 'x', 'y')).output).toContain('does not exist')
    expect((await edit('bin', 'x', 'y')).output).toContain('binary')
    expect((await edit('big', 'x', 'y')).output).toContain('too large to edit')
    expect((await edit('.', 'x', 'y')).output).toContain('is a folder')
  })

  it('tells of a syntax error that it made', async () => {
    await known('a.py', 'x = (1)\n')
    expect((await edit('a.py', '(1)', '(1')).output).toMatch(/\.\nPython syntax error at line 1/)
  })

  it('two edits of one file at the same time both count', async () => {
    await known('a.txt', 'one\ntwo\n')
    const results = await Promise.all([edit('a.txt', 'one', '1'), edit('a.txt', 'two', '2')])
    expect(results.every(({ ok }) => ok)).toBe(true)
    expect(await content('a.txt')).toBe('1\n2\n')
  })
})
