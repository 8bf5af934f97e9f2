import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SpillWriter } from '../../../src/main/workspace/spill'

describe('SpillWriter', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ml-intern-spill-'))
  })
  afterEach(async () => {
    await rm(dir, { recursive: true, force: true })
  })

  it('touches no disk for a small output', async () => {
    const spill = new SpillWriter(join(dir, 'outputs'), 'bash-1')
    expect(spill.push(Buffer.from('small'))).toBeUndefined()
    expect(await spill.finish(false)).toBeNull()
    expect(await readdir(dir)).toEqual([])
  })

  it('writes every byte in order, and asks the producer to wait when the disk is behind', async () => {
    const spill = new SpillWriter(join(dir, 'outputs'), 'bash-1')
    const chunks = Array.from({ length: 64 }, (_, i) => Buffer.alloc(65_536, i))
    const waits = chunks.map((chunk) => spill.push(chunk)).filter((wait) => wait !== undefined)
    expect(waits.length).toBeGreaterThan(0)
    await Promise.all(waits)
    const result = await spill.finish(true)
    expect(result).toMatchObject({ file: 'bash-1.txt', bytes: 64 * 65_536, capped: false })
    expect((await readFile(join(dir, 'outputs', 'bash-1.txt'))).equals(Buffer.concat(chunks))).toBe(true)
  })

  it('is readable by its owner only, and removed when nobody needs it', async () => {
    const spill = new SpillWriter(dir, 'bash-1')
    await spill.push(Buffer.alloc(2_000_000))
    expect((await stat(join(dir, 'bash-1.txt'))).mode & 0o777).toBe(0o600)
    await spill.finish(false)
    expect(await readdir(dir)).toEqual([])
  })

  it('makes a safe name of any call id and never writes over an earlier output', async () => {
    await writeFile(join(dir, 'bash-________etc.txt'), 'earlier')
    const spill = new SpillWriter(dir, 'bash-../../.\0etc')
    spill.push(Buffer.from('x'))
    const result = await spill.finish(true)
    expect(result?.file).toBe('bash-________etc-2.txt')
    expect(await readFile(join(dir, 'bash-________etc.txt'), 'utf8')).toBe('earlier')
  })

  it('keeps the error when the folder cannot be made, and does not hold up the producer', async () => {
    await writeFile(join(dir, 'file'), '')
    const spill = new SpillWriter(join(dir, 'file', 'outputs'), 'bash-1')
    for (let i = 0; i < 40; i += 1) await spill.push(Buffer.alloc(65_536))
    expect(await spill.finish(true)).toBeNull()
    expect(spill.error).toMatchObject({ code: 'ENOTDIR' })
  })
})
