import { describe, expect, it } from 'vitest'
import { compileGlob, compileInclude, splitBase } from '../../../../src/main/workspace/search/glob'

describe('glob patterns', () => {
  it.each([
    ['*.py', 'a.py', true],
    ['*.py', 'src/a.py', false],
    ['**/*.py', 'a.py', true],
    ['**/*.py', 'a/b/c.py', true],
    ['src/**/test_*.py', 'src/test_a.py', true],
    ['src/**/test_*.py', 'src/x/y/test_a.py', true],
    ['src/**/test_*.py', 'lib/test_a.py', false],
    ['src/**', 'src/a/b', true],
    ['src/', 'src/a/b', true],
    ['**', '.github/workflows/ci.yml', true],
    ['*.{ts,tsx}', 'a.tsx', true],
    ['{a,b{c,d}}.txt', 'bd.txt', true],
    ['{a,b{c,d}}.txt', 'b.txt', false],
    ['file?.txt', 'file1.txt', true],
    ['file?.txt', 'file.txt', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[!a-c]x', 'dx', true],
    ['\\*.py', '*.py', true],
    ['\\*.py', 'a.py', false],
    ['a{b', 'a{b', true],
    ['a[b', 'a[b', true],
    ['données/*.csv', 'données/é.csv', true],
    ['a/**/b/**/c', 'a/x/b/b/y/c', true],
    ['a/**/b/**/c', 'a/x/y/c', false],
  ])('%s and %s: %s', (pattern, path, fits) => {
    expect(compileGlob(pattern)(path)).toBe(fits)
  })

  it('takes an include without a slash at any depth', () => {
    expect(compileInclude('*.py')('a/b/c.py')).toBe(true)
    expect(compileInclude('src/*.py')('a/src/c.py')).toBe(false)
  })

  it('is quick where a regular expression would take for ever', () => {
    const start = performance.now()
    expect(compileGlob(`${'*a'.repeat(40)}b`)('a'.repeat(250))).toBe(false)
    expect(compileGlob(`${'**/a/'.repeat(40)}b`)('a/'.repeat(250))).toBe(false)
    expect(performance.now() - start).toBeLessThan(500)
    expect(() => compileGlob('{a,b}'.repeat(20))).toThrow('too many patterns')
    expect(() => compileGlob('x'.repeat(2000))).toThrow('characters')
  })

  it('knows the folder in which a pattern begins, and refuses ways out behind it', () => {
    expect(splitBase('src/a/*.ts')).toEqual({ base: 'src/a', rest: '*.ts' })
    expect(splitBase('../x/**')).toEqual({ base: '../x', rest: '**' })
    expect(splitBase('/etc/*.conf')).toEqual({ base: '/etc', rest: '*.conf' })
    expect(splitBase('/*')).toEqual({ base: '/', rest: '*' })
    expect(splitBase('README.md')).toEqual({ base: '', rest: 'README.md' })
    expect(() => splitBase('*/../../etc/passwd')).toThrow('at its beginning')
    expect(() => splitBase('{/etc,a}/*')).toThrow('other folders')
    expect(() => splitBase('{..,a}/*')).toThrow('other folders')
  })
})
