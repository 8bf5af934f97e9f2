import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DayLedger, dayOf } from '../../../src/main/budget/day'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ml-intern-day-'))
})
afterEach(() => rm(folder, { recursive: true }))

const NOON = new Date(2026, 10, 20, 12)
const cost = (usd: number) => ({ session: 's', model: 'fake/model', kind: 'main', usd })
const ledger = (now: () => Date = () => NOON) => new DayLedger(join(folder, 'home', 'spend'), now)

describe('DayLedger', () => {
  test('two processes see what the other has spent and holds, and cannot both take the last dollar', async () => {
    const one = ledger().today()
    const two = ledger().today()
    await one.settle(null, [cost(0.25)])
    expect(await two.total()).toBe(0.25)
    const answers = await Promise.all([one.reserve('a', 0.5, 1), two.reserve('b', 0.5, 1)])
    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(1)
    await Promise.all([one.settle('a', []), two.settle('b', [])])
    expect((await two.reserve('c', 0.75, 1)).allowed).toBe(true)
  })

  test('the real cost takes the place of what was held, once', async () => {
    const book = ledger().today()
    expect((await book.reserve('a', 0.9, 1)).allowed).toBe(true)
    expect((await book.reserve('b', 0.2, 1)).allowed).toBe(false)
    await book.settle('a', [cost(0.1), cost(0.2)])
    expect(await book.total()).toBeCloseTo(0.3, 9)
    expect(await ledger().today().total()).toBeCloseTo(0.3, 9)
    expect((await book.reserve('c', 0.7, 1)).allowed).toBe(true)
  })

  test('a day is a file of the local calendar; a call that began before midnight is settled there', async () => {
    expect(dayOf(new Date(2026, 0, 5, 23, 59))).toBe('2026-01-05')
    let now = new Date(2026, 10, 20, 23, 59)
    const days = ledger(() => now)
    const before = days.today()
    await before.reserve('a', 1, 1)
    now = new Date(2026, 10, 21, 0, 1)
    await before.settle('a', [cost(1)])
    expect(await before.total()).toBe(1)
    expect(await days.today().total()).toBe(0)
    expect((await days.today().reserve('b', 1, 1)).allowed).toBe(true)
    expect(await readdir(join(folder, 'home', 'spend'))).toEqual(['2026-11-20.jsonl', '2026-11-21.jsonl'])
    now = new Date(2026, 10, 20, 23, 58)
    expect(await days.today().total()).toBe(1)
  })

  test('torn, damaged and over-long lines are skipped, and the ones around them count', async () => {
    const book = ledger().today()
    await book.settle(null, [cost(1)])
    const file = join(folder, 'home', 'spend', '2026-11-20.jsonl')
    const at = NOON.toISOString()
    const bad = ['nonsense', '[]', 'null', '{"op":"cost","usd":-5,"at":"x"}', `{"op":"cost","usd":"9","at":"${at}"}`]
    await appendFile(file, `${bad.join('\n')}\n${'x'.repeat(600_000)}\n{"op":"cost","usd":7,"at":"${at}`)
    await book.settle(null, [cost(2)])
    expect(await book.total()).toBe(3)
    expect(await ledger().today().total()).toBe(3)
  })

  test('what a process held that died is free again after an hour, also when the clock was set back', async () => {
    let now = NOON
    await ledger(() => now)
      .today()
      .reserve('dead', 1, 1)
    expect(
      (
        await ledger(() => now)
          .today()
          .reserve('a', 0.5, 1)
      ).allowed,
    ).toBe(false)
    now = new Date(2026, 10, 20, 13, 1)
    expect(
      (
        await ledger(() => now)
          .today()
          .reserve('b', 0.5, 1)
      ).allowed,
    ).toBe(true)
    now = new Date(2026, 10, 20, 10)
    expect(
      (
        await ledger(() => now)
          .today()
          .reserve('c', 1, 1)
      ).allowed,
    ).toBe(true)
  })

  test('a file that was emptied is read from its beginning', async () => {
    const book = ledger().today()
    await book.settle(null, [cost(1), cost(1)])
    expect(await book.total()).toBe(2)
    await writeFile(join(folder, 'home', 'spend', '2026-11-20.jsonl'), '')
    expect(await book.total()).toBe(0)
  })

  test('no file can be kept: a cap fails closed with what to do, and a cost is written when it can be', async () => {
    await mkdir(join(folder, 'home'))
    await writeFile(join(folder, 'home', 'spend'), 'in the way')
    const book = ledger().today()
    await book.settle(null, [cost(1)])
    await expect(book.reserve('a', 1, 5)).rejects.toMatchObject({ code: 'budget_ledger', remedy: expect.any(String) })
    await rm(join(folder, 'home', 'spend'))
    await book.settle(null, [cost(2)])
    expect(await ledger().today().total()).toBe(3)
    expect(await readFile(join(folder, 'home', 'spend', '2026-11-20.jsonl'), 'utf8')).toContain('"usd":1')
  })
})
