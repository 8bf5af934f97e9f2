import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ignoresCase,
  isInside,
  LeftOut,
  literalPattern,
  reasonOf,
  unsuitable,
} from '../../../../src/main/workspace/checkpoints/rules'

let folder: string
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'ml-intern-rules-')))
})
afterEach(() => rm(folder, { recursive: true }))

describe('unsuitable', () => {
  it('names the root, the home folder and what holds it; a project is fine', async () => {
    const home = await realpath(homedir())
    expect(await unsuitable('/')).toContain('root of the file system')
    expect(await unsuitable(home)).toContain('is your home folder')
    if (dirname(home) !== '/') expect(await unsuitable(dirname(home))).toContain('holds your home folder')
    expect(await unsuitable(folder)).toBeNull()
  })
})

describe('LeftOut', () => {
  it('names five, counts the rest, and keeps control characters out of the sentence', () => {
    const left = new LeftOut()
    for (let i = 0; i < 1007; i += 1) left.add('ignored', `f${i}`)
    left.add('weights', 'a\n\u001b[31mb.pt')
    left.add('large', Buffer.from('größe.csv').toString('latin1'), 30 * 1024 * 1024)
    expect(left.sentences()).toEqual([
      'Files over 20.0 MiB: größe.csv (30.0 MiB).',
      'Model weights: a��[31mb.pt.',
      'Ignored by .gitignore: f0, f1, f2, f3, f4 and 1,002 more.',
    ])
  })
})

it('reasonOf: by folder first, then by name, else the project’s own rules', () => {
  expect(reasonOf('a/node_modules/')).toBe('tools')
  expect(reasonOf('.venv/lib/x.pt')).toBe('tools')
  expect(reasonOf('out/model.pt')).toBe('weights')
  expect(reasonOf('checkpoints/')).toBe('results')
  expect(reasonOf('a.pt/')).toBe('ignored')
  expect(reasonOf('node_modules')).toBe('ignored')
})

it('isInside: not the folder itself, not a sibling with the same beginning', () => {
  expect([isInside('/a', '/a/b'), isInside('/a', '/a'), isInside('/a', '/ab'), isInside('/a', '/a/..b')]).toEqual([
    true,
    false,
    false,
    true,
  ])
})

it('literalPattern: what a pattern would read as a wildcard is taken as it stands', () => {
  expect(literalPattern('a*[b]/#c')).toBe('/a\\*\\[b\\]/\\#c/')
})

it('ignoresCase: told from the folder itself', async () => {
  expect(await ignoresCase(folder)).toBe(process.platform === 'darwin' || process.platform === 'win32')
})
