import { applyPatch } from 'diff'
import { describe, expect, it } from 'vitest'
import { diffTexts } from '../../../src/main/workspace/diff'

describe('diffTexts', () => {
  it('random texts: the patch turns the old text into the new one, and the counts are true', async () => {
    let seed = 3
    const random = (n: number) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31
      return seed % n
    }
    const text = () => {
      const lines = Array.from({ length: random(30) }, () => `line ${random(6)}`)
      return lines.join('\n') + (random(2) ? '\n' : '')
    }
    for (let round = 0; round < 500; round += 1) {
      const before = text()
      const after = random(4) === 0 ? text() : before.replace(`line ${random(6)}`, 'changed\nand more')
      const { patch, added, removed } = await diffTexts('file.py', before, after)
      expect(applyPatch(before, patch)).toBe(after)
      expect(patch.match(/^\+(?!\+\+ )/gm)?.length ?? 0).toBe(added)
      expect(patch.match(/^-(?!-- )/gm)?.length ?? 0).toBe(removed)
    }
  })

  it('names a new file as git does', async () => {
    const { patch, added, removed } = await diffTexts('a.py', null, 'x\ny\n')
    expect(patch).toBe('--- /dev/null\n+++ b/a.py\n@@ -0,0 +1,2 @@\n+x\n+y\n')
    expect({ added, removed }).toEqual({ added: 2, removed: 0 })
  })

  it('cuts a huge patch but keeps it well-formed', async () => {
    const before = Array.from({ length: 5000 }, (_, i) => `old line number ${i}`).join('\n')
    const after = Array.from({ length: 5000 }, (_, i) => `new line number ${i * 7}`).join('\n')
    const { patch, added, removed, truncated } = await diffTexts('a.txt', before, after)
    expect(truncated).toBe(true)
    expect(patch.length).toBeLessThanOrEqual(60_000)
    expect({ added, removed }).toEqual({ added: 5000, removed: 5000 })
    const [, oldLines, newLines] = /@@ -\d+,(\d+) \+\d+,(\d+) @@/.exec(patch) ?? []
    expect(patch.match(/^-(?!-- )/gm)?.length ?? 0).toBe(Number(oldLines))
    expect(patch.match(/^\+(?!\+\+ )/gm)?.length ?? 0).toBe(Number(newLines))
  })

  it('shows a small change that the search cannot finish in time as a block', async () => {
    const lines = Array.from({ length: 1900 }, (_, i) => `row ${(i * 7919) % 1900}\n`)
    const before = `first\n${lines.join('')}last\n`
    const after = `first\n${lines.toReversed().join('')}last\n`
    const { patch, truncated, added } = await diffTexts('a', before, after)
    expect(truncated).toBe(false)
    expect(added).toBeLessThanOrEqual(1900)
    expect(applyPatch(before, patch)).toBe(after)
  })

  it('leaves the diff of very large texts out', async () => {
    expect(await diffTexts('a', 'x'.repeat(1_000_001), '')).toMatchObject({ patch: '', truncated: true })
  })

  it('is bounded in time for texts that share nothing and shuffle everything', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `row ${(i * 7919) % 20_000}`)
    const before = lines.join('\n')
    const after = lines.toReversed().join('\n')
    await diffTexts('warm', 'a\nb\n', 'a\nc\n')
    const start = process.cpuUsage()
    await diffTexts('a', before, after)
    const { user, system } = process.cpuUsage(start)
    // Microseconds of CPU, so that a busy machine does not matter. Unbounded, this search takes minutes.
    expect(user + system).toBeLessThan(150_000)
  })
})
