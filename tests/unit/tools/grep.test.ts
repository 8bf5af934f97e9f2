import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { grepTool } from '../../../src/main/tools/grep'
import { ownGrep } from '../../../src/main/workspace/search/own-grep'
import { call, removeContext, type TestContext, testContext } from './context'
import { changedAt, largeTree, tree } from './tree'

const run = promisify(execFile)

describe.each(['with ripgrep', 'without ripgrep'] as const)('grep %s', (how) => {
  let context: TestContext
  beforeEach(async () => {
    context = await testContext()
    if (how === 'without ripgrep') context.env = { ...context.env, PATH: '/nonexistent' }
  })
  afterEach(() => removeContext(context))

  const grep = async (pattern: string, change: Record<string, unknown> = {}) => {
    const result = await call(grepTool, { pattern, ...change }, context)
    return { ...result, lines: result.output.split('\n\n[')[0]?.split('\n') ?? [] }
  }

  it('gives path, number and text, sorted, in every mode', async () => {
    await tree(context.cwd, { 'b.py': 'x = 1\ny = 2\nx = 3\n', 'a/c.py': 'no\nx = 4', 'd.txt': 'nothing\n' })
    await changedAt(context.cwd, 'b.py', 1000)
    await changedAt(context.cwd, 'a/c.py', 2000)
    expect((await grep('^x = \\d')).output).toBe('a/c.py:2:x = 4\nb.py:1:x = 1\nb.py:3:x = 3')
    expect((await grep('^x', { mode: 'files' })).lines).toEqual(['a/c.py', 'b.py'])
    expect((await grep('^x', { mode: 'count' })).output).toBe('a/c.py:1\nb.py:2\n\n[3 matching lines in 2 files.]')
    expect((await grep('absent')).output).toMatch(/^No match for absent\./)
  })

  it('shows lines around matches and parts groups', async () => {
    await tree(context.cwd, { 'a.txt': Array.from({ length: 12 }, (_, i) => `l${i + 1}\n`).join('') })
    const { lines } = await grep('^l(3|10)$', { before: 1, after: 1 })
    expect(lines).toEqual([
      'a.txt-2-l2',
      'a.txt:3:l3',
      'a.txt-4-l4',
      '--',
      'a.txt-9-l9',
      'a.txt:10:l10',
      'a.txt-11-l11',
    ])
  })

  it('respects ignore files at every level, skips folders by rule, and looks into them when told to', async () => {
    await mkdir(join(context.cwd, '.git/info'), { recursive: true })
    await tree(context.cwd, {
      '.git/info/exclude': 'excluded.txt\n',
      '.git/x': 'hit',
      '.gitignore': '*.log\n!keep.log\n/out/\n',
      '.ignore': 'quiet.txt\n',
      '.config/git/ignore': 'globally.txt\n',
      'a.log': 'hit',
      'keep.log': 'hit',
      'quiet.txt': 'hit',
      'excluded.txt': 'hit',
      'globally.txt': 'hit',
      'out/x.txt': 'hit',
      'sub/.gitignore': 'private\n!b.log\n',
      'sub/b.log': 'hit',
      'sub/private/x.txt': 'hit',
      'sub/out/x.txt': 'hit',
      '.hidden/x.txt': 'hit',
      'node_modules/m/x.js': 'hit',
      '.venv/lib/x.py': 'hit',
    })
    const expected = ['.hidden/x.txt', 'keep.log', 'sub/b.log', 'sub/out/x.txt']
    expect((await grep('hit', { mode: 'count' })).lines).toEqual(expected.map((path) => `${path}:1`))
    const all = await grep('hit', { mode: 'count', ignored: true })
    expect(all.lines.map((line) => line.slice(0, -2))).toEqual(
      [
        ...expected,
        '.venv/lib/x.py',
        'a.log',
        'excluded.txt',
        'globally.txt',
        'node_modules/m/x.js',
        'out/x.txt',
        'quiet.txt',
        'sub/private/x.txt',
      ].sort(),
    )
    // Who names an ignored folder wants to see into it.
    expect((await grep('hit', { path: 'node_modules' })).output).toBe('node_modules/m/x.js:1:hit')
    expect((await grep('hit', { path: 'out' })).output).toBe('out/x.txt:1:hit')
  })

  it('does not let include bring back what is ignored', async () => {
    await tree(context.cwd, {
      '.gitignore': 'gen.py\n',
      'gen.py': 'hit',
      'a.py': 'hit',
      'a.ts': 'hit',
      'src/b.py': 'hit',
    })
    expect((await grep('hit', { include: ['*.py'], mode: 'count' })).lines).toEqual(['a.py:1', 'src/b.py:1'])
    expect((await grep('hit', { include: ['src/**/*.py', '*.ts'], mode: 'count' })).lines).toEqual([
      'a.ts:1',
      'src/b.py:1',
    ])
  })

  it('leaves out binary files, secrets and what lies behind links; cuts long lines; survives bad UTF-8', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'ml-intern-outside-'))
    await tree(outside, { 'x.txt': 'hit outside' })
    await tree(context.cwd, {
      'bin.dat': Buffer.from('hit\0\x01hit'),
      '.env': 'KEY=hit',
      'long.txt': `hit${'é'.repeat(3000)}\n`,
      'latin.txt': Buffer.from('caf\xe9 hit\n', 'latin1'),
      'crlf.txt': 'hit\r\nmiss\r\n',
    })
    await symlink(outside, join(context.cwd, 'link'))
    await symlink(join(outside, 'x.txt'), join(context.cwd, 'file-link'))
    await run('mkfifo', [join(context.cwd, 'pipe')])
    const { lines, output } = await grep('hit')
    expect(lines).toEqual(['crlf.txt:1:hit', 'latin.txt:1:caf\ufffd hit', `long.txt:1:hit${'é'.repeat(497)}…`])
    expect(output).toContain('secrets: .env.')
    expect((await grep('hit', { path: '.env' })).output).toBe('.env:1:KEY=hit')
    expect((await grep('hit', { path: 'link' })).output).toContain('leads out of the workspace')
    expect((await grep('hit', { path: 'bin.dat' })).output).toContain('binary file')
    expect((await grep('hit', { path: 'pipe' })).output).toContain('not an ordinary file')
    await rm(outside, { recursive: true })
  })

  it('knows case, plain text, several lines, look-around, and says what is no expression', async () => {
    await tree(context.cwd, { 'a.txt': 'Foo(bar)\nbaz.qux\nbazxqux\n' })
    expect((await grep('foo', { ignore_case: true })).lines).toHaveLength(1)
    expect((await grep('(?i)foo')).lines).toEqual(['a.txt:1:Foo(bar)'])
    expect((await grep('o(bar)', { literal: true })).lines).toEqual(['a.txt:1:Foo(bar)'])
    expect((await grep('baz.qux', { literal: true })).lines).toEqual(['a.txt:2:baz.qux'])
    expect((await grep('bar\\).baz', { multiline: true })).lines).toEqual(['a.txt:1:Foo(bar)', 'a.txt:2:baz.qux'])
    expect((await grep('baz(?!\\.)')).lines).toEqual(['a.txt:3:bazxqux'])
    expect(await grep('a(')).toMatchObject({ ok: false })
    expect((await grep('--files')).output).toContain('No match')
  })

  it('an ignore file that never ends does not take all memory', async () => {
    await tree(context.cwd, { 'a.txt': 'hit\n' })
    await symlink('/dev/zero', join(context.cwd, '.gitignore'))
    expect((await grep('hit')).output).toBe('a.txt:1:hit')
  })

  it('says when there is more', async () => {
    await tree(context.cwd, { 'a.txt': 'hit\n'.repeat(20_000) })
    const { lines, output } = await grep('hit', { limit: 3 })
    expect(lines).toEqual(['a.txt:1:hit', 'a.txt:2:hit', 'a.txt:3:hit'])
    expect(output).toContain('[The first 3 of at least 5000 lines. Narrow')
  })

  it('ends with the signal, and is not reading', async () => {
    await tree(context.cwd, { 'a.txt': 'hit\n' })
    await grep('hit')
    expect(context.files.get(join(context.cwd, 'a.txt'))).toBeNull()
    const signal = AbortSignal.abort()
    await expect(call(grepTool, { pattern: 'hit' }, { ...context, signal })).rejects.toThrow('aborted')
  })

  it('searches 20,000 files without holding up anything else', { timeout: 60_000 }, async () => {
    await largeTree(context.cwd, 200, 100)
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const start = performance.now()
    delay.enable()
    const { output } = await grep('needle_5$', { mode: 'files' })
    delay.disable()
    const took = performance.now() - start
    expect(output).toContain('[21 files]')
    expect(took).toBeLessThan(15_000)
    console.info(`grep ${how}: ${Math.round(took)} ms, loop p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`)
    // The machine may be busy: a median is the loop's own.
    expect(delay.percentile(50) / 1e6).toBeLessThan(30)
  })
})

describe('a pattern that never ends', () => {
  it('is ended, keeps what was found, and goes with the signal', async () => {
    const root = await mkdtemp(join(tmpdir(), 'ml-intern-stuck-'))
    await tree(root, { 'a.txt': 'aab\n', 'b.txt': `${'a'.repeat(60)}!\n` })
    const request = {
      pattern: '^(a+)+b?$|aab',
      literal: false,
      ignore_case: false,
      multiline: false,
      mode: 'content' as const,
      before: 0,
      after: 0,
      include: [],
      ignored: false,
      root,
      file: null,
    }
    const found = await ownGrep(request, {}, new AbortController().signal, 1000)
    expect(found.files.map(({ path }) => path)).toEqual(['a.txt'])
    expect(found.remarks.join()).toContain('took more than 1 s on one file')
    const stop = new AbortController()
    const running = ownGrep(request, {}, stop.signal, 60_000)
    stop.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    await rm(root, { recursive: true })
  })
})
