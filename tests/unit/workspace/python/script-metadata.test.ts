import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { findBlocks, parseScriptMetadata } from '../../../../src/main/workspace/python/script-metadata'
import { satisfies } from '../../../../src/main/workspace/python/versions'

const block = (...lines: string[]) => ['# /// script', ...lines, '# ///', 'print(1)', ''].join('\n')

/** The expression of the specification, run by Python. */
const REFERENCE = String.raw`
import json, re, sys
REGEX = r'(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$'
out = []
for text in json.load(sys.stdin):
    blocks = [m for m in re.finditer(REGEX, text) if m.group('type') == 'script']
    out.append([''.join(l[2:] if l.startswith('# ') else l[1:] for l in m.group('content').splitlines(keepends=True)) for m in blocks])
print(json.dumps(out))
`

const SAMPLES = [
  block('# dependencies = ["rich"]'),
  block('# requires-python = ">=3.11"', '# dependencies = [', '#   "requests<3",', '#   "rich",', '# ]'),
  block('#', '# a = 1'),
  // Not metadata: nothing closes it, a line without the blank, another type, indented, empty.
  '# /// script\n# a = 1\nprint()\n',
  block('#a = 1'),
  '# /// pyproject\n# a = 1\n# ///\n',
  '  # /// script\n  # a = 1\n  # ///\n',
  '# /// script\n# ///\n',
  '# /// script \n# a = 1\n# ///\n',
  // A closing line inside: the block ends with the last one of the comment.
  '# /// script\n# a = 1\n# ///\n# b = 2\n# ///\n',
  '# /// script\n# a = 1\n# ///\n#\n# not closed\n',
  `${block('# a = 1')}${block('# b = 2')}`,
  '#!/usr/bin/env python\n"""doc"""\n# /// script\n# a = 1\n# ///',
  '# /// other\n# /// script\n# a = 1\n# ///\n',
  '# /// script\n# /// script\n# a = 1\n# ///\n',
  '',
  '# ///',
]

describe('findBlocks', () => {
  it('finds what the expression of the specification finds', () => {
    const answer = execFileSync('python3', ['-c', REFERENCE], { input: JSON.stringify(SAMPLES), encoding: 'utf8' })
    const wanted = (JSON.parse(answer) as string[][]).map((blocks) => blocks.map((text) => text.replace(/\n$/, '')))
    expect(SAMPLES.map(findBlocks)).toEqual(wanted)
  })

  it('takes time in proportion to the text: nothing to hang it with', () => {
    const started = performance.now()
    expect(findBlocks(`# /// script\n${'# ///x\n#\n'.repeat(200_000)}`)).toEqual([])
    expect(findBlocks('# /// script\n'.repeat(50_000))).toEqual([])
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('parseScriptMetadata', () => {
  it('is null for an ordinary script', () => {
    expect(parseScriptMetadata('print(1)\n')).toBeNull()
  })

  it('reads both keys, with Windows line ends and a byte order mark too', () => {
    const text = block('# requires-python = ">=3.11"', '# dependencies = ["torch>=2", \'rich\',]')
    const wanted = { dependencies: ['torch>=2', 'rich'], requires_python: '>=3.11' }
    expect(parseScriptMetadata(text)).toEqual(wanted)
    expect(parseScriptMetadata(`\uFEFF${text.replaceAll('\n', '\r\n')}`)).toEqual(wanted)
  })

  it('has no dependencies when none are named', () => {
    expect(parseScriptMetadata(block('# [tool.uv]', '# dependencies = ["no"]'))).toEqual({
      dependencies: [],
      requires_python: null,
    })
  })

  it('reads odd but valid TOML as tomllib does', () => {
    const documents = [
      '"dependencies" = ["a#b", "c]d"] # comment ]',
      'dependencies = [ # one\n  "a", # two\n\n  \'b\'\n  , ]',
      'dependencies = [\'\'\'a\'\'\', """b"""]',
      'x = """\ndependencies = ["no"]\n"""\ndependencies = ["yes"]',
      "x = '''dependencies = [\"no\"]'''\ndependencies = []",
      'a.dependencies = ["no"]\nrequires-python = "\\u003e=3.10"',
      'd = 1979-05-27 07:32:00\nn = 1_000\nf = -1.5e3\nb = true\ndependencies = ["a\\tb"]',
      'tool = {uv = {index = ["x"]}, y = 1}\nrequires-python = \'>=3.9\'\n[other]\nrequires-python = "no"',
      'dependencies = [\n  "a \\"quoted\\"",\n]\n[[t]]\n',
      'dependencies=["x"]\n\n\n',
      'x = """a \\\n   b ""quote"" """\nrequires-python = ">=3"',
    ]
    const code = `import json, sys, tomllib\nprint(json.dumps([[d.get('dependencies', []), d.get('requires-python')] for d in map(tomllib.loads, json.load(sys.stdin))]))`
    const answer = execFileSync('python3', ['-c', code], { input: JSON.stringify(documents), encoding: 'utf8' })
    const ours = documents.map((document) => {
      const lines = document.split('\n').map((line) => (line === '' ? '#' : `# ${line}`))
      const read = parseScriptMetadata(block(...lines))
      return [read?.dependencies, read?.requires_python]
    })
    expect(ours).toEqual(JSON.parse(answer))
  })

  it.each([
    ['several blocks', `${block('# a = 1')}${block('# b = 2')}`, 'more than one block'],
    ['not TOML', block('# dependencies = ['), 'not valid TOML'],
    ['a string that is not closed', block('# dependencies = ["a]'), 'a string is not closed in line 1'],
    ['no key', block('# hello'), '"=" expected in line 1'],
    ['the same key twice', block('# dependencies = []', '# dependencies = []'), 'stands there twice'],
    ['a list of other things', block('# dependencies = [1]'), 'not a list of strings'],
    ['a version that is a number', block('# requires-python = 3.11'), 'not a string'],
    ['two pairs in a line', block('# a = "1" b = "2"'), 'line end expected'],
    ['very deep', block(`# a = ${'['.repeat(5000)}`), 'nested too deep'],
    ['an unknown escape', block('# a = "\\q"'), 'unknown escape'],
  ])('refuses %s and says why', (_, text, why) => {
    expect(() => parseScriptMetadata(text)).toThrow(why)
  })
})

describe('satisfies', () => {
  it.each([
    ['3.11.2', '>=3.11', true],
    ['3.10.14', '>=3.11', false],
    ['3.9.1', '>=3.10,<4', false],
    ['3.12.0', '==3.12.*', true],
    ['3.12.5', '==3.12', false],
    ['3.11.0', '==3.11', true],
    ['3.11.9', '~=3.11.2', true],
    ['3.12.0', '~=3.11.2', false],
    ['3.12.0', '~=3.11', true],
    ['3.11.4', '!=3.11.*', false],
    ['3.11.4', ' > 3.9 , < 3.12 ', true],
    ['3.11.4', '', true],
    ['3.11.4', '>=3.11rc1', null],
    ['3.11.4', 'python3', null],
  ])('%s in "%s" is %s', (version, specifier, wanted) => {
    expect(satisfies(version, specifier)).toBe(wanted)
  })
})
