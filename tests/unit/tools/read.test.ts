import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, realpath, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readTool } from '../../../src/main/tools/read'
import { call, removeContext, type TestContext, testContext } from './context'

describe('read', () => {
  let context: TestContext
  beforeEach(async () => {
    context = await testContext()
  })
  afterEach(() => removeContext(context))

  const file = async (name: string, content: string | Buffer) => {
    await writeFile(join(context.cwd, name), content)
  }
  const read = (path: string, change: Record<string, unknown> = {}) => call(readTool, { path, ...change }, context)

  it('numbers the lines as the reference does', async () => {
    await file('a.txt', 'one\n\ttwo\nthree')
    const result = await read('a.txt')
    expect(result.output).toBe('     1\tone\n     2\t\ttwo\n     3\tthree')
    expect(result.details).toEqual({ kind: 'file', path: join(context.cwd, 'a.txt'), first_line: 1, last_line: 3 })
  })

  it('shows a window and says how to go on', async () => {
    await file('a.txt', Array.from({ length: 10 }, (_, i) => `l${i + 1}\n`).join(''))
    const result = await read('a.txt', { offset: 4, limit: 2 })
    expect(result.output).toBe('     4\tl4\n     5\tl5\n\n[Lines 4 to 5 of 10. To go on, read with offset=6.]')
    expect((await read('a.txt', { offset: 9 })).output).toBe('     9\tl9\n    10\tl10')
    expect(await read('a.txt', { offset: 11 })).toMatchObject({ ok: false })
    expect((await read('a.txt', { offset: 0, limit: 1 })).output).toMatch(/^ {5}1\tl1\n/)
  })

  it('shows 2000 lines unless asked otherwise', async () => {
    await file('a.txt', 'x\n'.repeat(2001))
    const { output, details } = await read('a.txt')
    expect(details).toMatchObject({ last_line: 2000 })
    expect(output).toContain('[Lines 1 to 2000 of 2001. To go on, read with offset=2001.]')
    await file('b.txt', 'x\n'.repeat(2000))
    expect((await read('b.txt')).output).not.toContain('[Lines')
  })

  it('cuts lines above 4000 characters, exactly', async () => {
    await file('a.txt', `${'x'.repeat(4000)}\n${'y'.repeat(4001)}\r\n${'z'.repeat(4000)}\r\n${'w'.repeat(2_000_000)}`)
    const lines = (await read('a.txt')).output.split('\n').map((line) => line.slice(7))
    expect(lines).toEqual(['x'.repeat(4000), `${'y'.repeat(4000)}...`, 'z'.repeat(4000), `${'w'.repeat(4000)}...`])
  })

  it('does not fill the context with long lines', async () => {
    await file('a.txt', `${'x'.repeat(3999)}\n`.repeat(100))
    const { output, details } = await read('a.txt')
    expect(output.length).toBeLessThan(201_000)
    expect(details).toMatchObject({ first_line: 1, last_line: 50 })
    expect(output).toContain('[Lines 1 to 50 of 100 (as much as one result can hold). To go on, read with offset=51.]')
  })

  it('reads CRLF, a byte order mark, and characters that lie across the pieces it reads', async () => {
    await file('a.txt', '\ufeffa\r\nb\r\n')
    expect((await read('a.txt')).output).toBe('     1\ta\n     2\tb')
    const text = `x${'😀é'.repeat(100_000)}`
    await file('b.txt', `${text.slice(0, 3001)}\n`.repeat(300))
    expect((await read('b.txt', { offset: 300 })).output.slice(7)).toBe(text.slice(0, 3001))
  })

  it('says that a file is empty', async () => {
    await file('a.txt', '')
    expect(await read('a.txt')).toMatchObject({ ok: true, output: '(a.txt is empty)' })
  })

  it('notes the version that was read, under the real path', async () => {
    await file('a.txt', 'content')
    await symlink('a.txt', join(context.cwd, 'link'))
    await read('link', { limit: 1 })
    const real = join(await realpath(context.cwd), 'a.txt')
    expect(context.files.get(real)).toMatchObject({
      size: 7,
      hash: createHash('sha256').update('content').digest('hex'),
    })
  })

  it('explains what it cannot read', async () => {
    await mkdir(join(context.cwd, 'folder'))
    await file('train.py', '')
    await file('bin', Buffer.from([1, 2, 0, 3]))
    await file('latin1', Buffer.from('caf\xe9 noir\n', 'latin1'))
    await file('cut', Buffer.from([0x61, 0xe2, 0x82]))
    await file('utf16', Buffer.from('\ufeffabc', 'utf16le'))
    await promisify(execFile)('mkfifo', [join(context.cwd, 'pipe')])
    const message = async (path: string) => {
      const result = await read(path)
      expect(result.ok).toBe(false)
      return result.output
    }
    expect(await message('folder')).toContain('is a folder')
    expect(await message('train.pyy')).toContain('Similar names there: train.py')
    expect(await message('train.py/x')).toContain('is a file, not a folder')
    expect(await message('nowhere/x')).toContain('does not exist')
    expect(await message('bin')).toContain('binary file')
    expect(await message('latin1')).toContain('not valid UTF-8')
    expect(await message('cut')).toContain('not valid UTF-8')
    expect(await message('utf16')).toContain('UTF-16')
    // Opening a pipe without a writer would wait for ever.
    expect(await message('pipe')).toContain('not an ordinary file')
    expect(await message('/dev/zero')).toContain('not an ordinary file')
    expect(await message('a\0b')).toContain('NUL')
  })

  it('reads the beginning of a file of any size without reading all of it', async () => {
    await file('huge', 'line\n'.repeat(100_000))
    await truncate(join(context.cwd, 'huge'), 20_000_000_000)
    const start = performance.now()
    const { output, ok } = await read('huge', { limit: 2 })
    expect(ok).toBe(true)
    expect(output).toContain('[Lines 1 to 2. To go on, read with offset=3. The file is too large to be counted')
    expect(performance.now() - start).toBeLessThan(1000)
    expect(context.files.get(join(await realpath(context.cwd), 'huge'))).toBeNull()
  })

  it('ends with the signal', async () => {
    await file('a.txt', 'x')
    const aborted = { ...context, signal: AbortSignal.abort() }
    await expect(call(readTool, { path: 'a.txt' }, aborted)).rejects.toThrow('aborted')
  })
})
