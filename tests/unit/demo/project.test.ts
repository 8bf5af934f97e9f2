import { access, constants, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDemoProject, resourcesDir } from '../../../src/main/demo/project'

let parent: string
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'demo-'))
})
afterEach(async () => {
  vi.doUnmock('node:fs/promises')
  vi.resetModules()
  await rm(parent, { recursive: true, force: true })
})

describe('createDemoProject', () => {
  it('gives every demo a folder of its own, also within one second', async () => {
    const folders = await Promise.all([1, 2, 3].map(() => createDemoProject(join(parent, 'new', 'folder'))))
    expect(new Set(folders).size).toBe(3)
    for (const folder of folders) {
      expect(basename(folder)).toMatch(/^penguins-\d{8}-\d{6}(-\d+)?$/)
      await access(join(folder, 'penguins.csv'), constants.W_OK)
      await access(join(folder, 'README.md'))
    }
  })

  it('names a file that stands where a folder is wanted', async () => {
    const file = join(parent, 'file')
    await writeFile(file, '')
    await expect(createDemoProject(file)).rejects.toMatchObject({ code: 'not_a_directory' })
    await expect(createDemoProject(join(file, 'below'))).rejects.toMatchObject({ code: 'not_a_directory' })
  })

  it('says what to do when the installation lacks the demo', async () => {
    vi.resetModules()
    vi.doMock('node:fs/promises', async (original) => ({
      ...(await original<typeof import('node:fs/promises')>()),
      access: () => Promise.reject(new Error('ENOENT')),
    }))
    const fresh = await import('../../../src/main/demo/project')
    await expect(fresh.createDemoProject(parent)).rejects.toMatchObject({
      code: 'resource_missing',
      remedy: expect.stringContaining('resources/demo'),
    })
  })
})

describe('the bundled data', () => {
  it('are the 344 real birds with their faults', async () => {
    const csv = await readFile(join(await resourcesDir(), 'demo', 'penguins', 'penguins.csv'), 'utf8')
    const [header, ...rows] = csv.trimEnd().split('\n')
    expect(header).toBe('species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex')
    const cells = rows.map((row) => row.split(','))
    const count = (column: number, value: string) => cells.filter((row) => row[column] === value).length
    expect(cells.every((row) => row.length === 7)).toBe(true)
    expect([rows.length, count(0, 'Adelie'), count(0, 'Gentoo'), count(0, 'Chinstrap')]).toEqual([344, 152, 124, 68])
    expect([count(2, ''), count(5, ''), count(6, ''), count(6, '.')]).toEqual([2, 2, 10, 1])
  })

  it('name their source and licence', async () => {
    const readme = await readFile(join(await resourcesDir(), 'demo', 'penguins', 'README.md'), 'utf8')
    for (const fact of ['CC0 1.0', '10.1371/journal.pone.0090081', '10.5281/zenodo.3960218', 'Gorman', 'LTER']) {
      expect(readme).toContain(fact)
    }
  })
})
