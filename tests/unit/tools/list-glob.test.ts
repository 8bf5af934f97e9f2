import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { globTool } from '../../../src/main/tools/glob'
import { grepTool } from '../../../src/main/tools/grep'
import { listTool } from '../../../src/main/tools/list'
import { readTool } from '../../../src/main/tools/read'
import { toolSpecs } from '../../../src/main/tools/registry'
import { call, removeContext, type TestContext, testContext } from './context'
import { changedAt, largeTree, tree } from './tree'

let context: TestContext
beforeEach(async () => {
  context = await testContext()
})
afterEach(() => removeContext(context))

describe('list', () => {
  const list = (change: Record<string, unknown> = {}) => call(listTool, change, context)
  const names = (output: string) =>
    output
      .split('\n\n')[0]
      ?.split('\n')
      .slice(1)
      .map((line) => line.slice(33))

  it('shows kinds, sizes, times and marks; enters nothing that is ignored', async () => {
    await tree(context.cwd, {
      '.gitignore': 'out/\n*.log\n',
      'a.txt': 'x'.repeat(2048),
      'x.log': '',
      'out/deep.txt': '',
      'src/m.py': '',
      'src/deep/n.py': '',
      'node_modules/p/i.js': '',
    })
    await changedAt(context.cwd, 'a.txt', Date.UTC(2026, 0, 2, 3, 4) / 1000)
    await symlink('a.txt', join(context.cwd, 'link'))
    await symlink('/usr', join(context.cwd, 'out-link'))
    const { output } = await list()
    expect(output).toContain('f     2.0 KiB  2026-01-02 03:04  a.txt')
    expect(names(output)).toEqual([
      '.gitignore',
      'a.txt',
      'link -> a.txt',
      'node_modules/',
      'out/  [ignored]',
      'out-link -> /usr  [out of the workspace]',
      'src/',
      'x.log  [ignored]',
    ])
    const deep = await list({ depth: 2 })
    expect(names(deep.output)).toContain('src/m.py')
    expect(names(deep.output)).not.toContain('src/deep/n.py')
    expect(deep.output).not.toContain('deep.txt')
    expect(deep.output).toContain('[Not entered by rule: node_modules.]')
    expect((await list({ depth: 3, path: 'src' })).output).toContain('src/ (3 entries)')
    expect((await list({ path: 'out' })).output).toContain('deep.txt')
  })

  it('keeps to its limit and says what is wrong', async () => {
    await tree(context.cwd, { a: '', b: '', c: '' })
    expect((await list({ limit: 2 })).output).toContain('Not shown: 1 entry.')
    expect((await list({ path: 'nowhere' })).output).toContain('does not exist')
    expect((await list({ path: 'a' })).output).toContain('is a file, not a folder')
    expect((await list({ path: '/proc/self' })).output).toContain('view into the system')
  })
})

describe('glob', () => {
  const glob = (pattern: string, change: Record<string, unknown> = {}) =>
    call(globTool, { pattern, ...change }, context)

  it('finds by pattern, newest first, relative to the working folder', async () => {
    await tree(context.cwd, {
      'a.py': '',
      'src/b.py': '',
      'src/x/c.py': '',
      'src/d.ts': '',
      '.gitignore': 'gen\n',
      'gen/e.py': '',
    })
    await changedAt(context.cwd, 'a.py', 1000)
    await changedAt(context.cwd, 'src/b.py', 3000)
    await changedAt(context.cwd, 'src/x/c.py', 2000)
    expect((await glob('**/*.py')).output).toBe('src/b.py\nsrc/x/c.py\na.py\n\n[Left out by ignore files: 1 entry.]')
    expect((await glob('*.py', { path: 'src' })).output).toBe('src/b.py')
    expect((await glob('src/**/*.{py,ts}', { limit: 1 })).output).toContain('[The newest 1 of 3 matches.')
    expect((await glob('gen/*')).output).toBe('gen/e.py')
    expect((await glob('**/e.py', { ignored: true })).output).toBe('gen/e.py')
    expect((await glob('*.md')).output).toContain('try **/*.md')
    expect((await glob('*/../../x')).output).toContain('can only stand at its beginning')
  })

  it('does not follow links and says when one leads out', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'ml-intern-outside-'))
    await tree(outside, { 'x.py': '' })
    await symlink(outside, join(context.cwd, 'link'))
    expect((await glob('**/*.py')).output).toContain('No file matches')
    expect((await glob('link/*.py')).output).toContain('leads out of the workspace')
    expect((await glob(`${outside}/*.py`)).output).toBe(join(outside, 'x.py'))
    await rm(outside, { recursive: true })
  })

  it('finds among 20,000 files without holding up anything else', { timeout: 60_000 }, async () => {
    await largeTree(context.cwd, 200, 100)
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const start = performance.now()
    delay.enable()
    const { output } = await glob('**/*.py')
    delay.disable()
    const took = performance.now() - start
    expect(output).toContain('[The newest 200 of 2000 matches.]')
    expect(took).toBeLessThan(15_000)
    console.info(`glob: ${Math.round(took)} ms, loop p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`)
    // The machine may be busy: a median is the loop's own.
    expect(delay.percentile(50) / 1e6).toBeLessThan(30)
  })

  it('does not wait for a pipe, nor read a device, in the place of an ignore file', async () => {
    await tree(context.cwd, { 'a/x.py': '', 'b/y.py': '' })
    await promisify(execFile)('mkfifo', [join(context.cwd, 'a/.gitignore')])
    await symlink('/dev/zero', join(context.cwd, 'b/.gitignore'))
    expect((await glob('**/*.py')).output.split('\n').sort()).toEqual(['a/x.py', 'b/y.py'])
  })

  it('ends with the signal', async () => {
    const aborted = { ...context, signal: AbortSignal.abort() }
    await expect(call(globTool, { pattern: '**' }, aborted)).rejects.toThrow('aborted')
  })
})

it('every field of the new tools is described, and closed', () => {
  for (const { input_schema } of toolSpecs([listTool, globTool, grepTool])) {
    expect(input_schema.additionalProperties).toBe(false)
    for (const field of Object.values(input_schema.properties ?? {})) {
      expect(field).toMatchObject({ type: expect.any(String), description: expect.any(String) })
    }
  }
})

describe('what reading asks for', () => {
  it('asks outside of the workspace and of granted folders, by the absolute path', () => {
    const facts = (tool: typeof readTool, input: unknown) =>
      tool.approval?.(input, { cwd: '/work/p', granted: ['/data'] })
    expect(facts(readTool, { path: 'a.txt' })).toEqual({ subjects: [{ operation: 'read', text: 'a.txt' }] })
    expect(facts(readTool, { path: '/data/x' })).not.toHaveProperty('reason')
    expect(facts(listTool, { path: '../q' })).toMatchObject({
      subjects: [{ operation: 'read', text: '/work/q' }],
      reason: 'Reads outside of the workspace',
    })
    expect(facts(globTool, { pattern: '../q/*.py' })).toMatchObject({ subjects: [{ text: '/work/q' }] })
    expect(facts(globTool, { pattern: '/etc/**' })).toMatchObject({ subjects: [{ text: '/etc' }] })
    expect(facts(globTool, { pattern: 'src/*' })).not.toHaveProperty('reason')
    expect(facts(globTool, { pattern: '*/../../../etc/*' })).not.toHaveProperty('reason')
  })

  it('a pipe or a device is refused at once, in every tool', async () => {
    await promisify(execFile)('mkfifo', [join(context.cwd, 'pipe')])
    await mkdir(join(context.cwd, 'd'))
    for (const path of ['pipe', '/dev/zero', '/proc/self/environ', '/proc/self/mem']) {
      expect((await call(readTool, { path }, context)).output).toContain('not an ordinary file')
    }
    expect((await call(listTool, { path: 'pipe' }, context)).output).toContain('not an ordinary file')
  })
})
