import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { withLock } from '../../../../src/main/workspace/checkpoints/lock'

let dir: string
const never = new AbortController().signal
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ml-intern-lock-'))
})
afterEach(() => rm(dir, { recursive: true }))

const nonce = '00000000-0000-4000-8000-000000000000'
const hold = (record: object) =>
  writeFile(join(dir, 'lock'), JSON.stringify({ start_time: null, host: hostname(), nonce, ...record }))

it('one after the other, also after one that failed, and nothing stays behind', async () => {
  const order: string[] = []
  const work = (name: string, fail = false) =>
    withLock(dir, never, async () => {
      order.push(`${name} begins`)
      await new Promise((next) => setImmediate(next))
      order.push(`${name} ends`)
      if (fail) throw new Error(name)
    })
  const all = await Promise.allSettled([work('a'), work('b', true), work('c')])
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  expect(await readdir(dir)).toEqual([])
})

it('takes over from a process that is gone, from an unreadable record, and from a later process with its number', async () => {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  await hold({ pid: child.pid })
  expect(await withLock(dir, never, async () => 1)).toBe(1)
  await writeFile(join(dir, 'lock'), '')
  expect(await withLock(dir, never, async () => 2)).toBe(2)
  await hold({ pid: process.pid, start_time: '1' })
  if (process.platform === 'linux') expect(await withLock(dir, never, async () => 3)).toBe(3)
  // A claim whose maker died in the middle of a take-over.
  await hold({ pid: child.pid })
  const claim = { pid: child.pid, start_time: null, host: hostname(), nonce }
  await writeFile(join(dir, `lock.claim-${nonce}`), JSON.stringify(claim))
  expect(await withLock(dir, never, async () => 4)).toBe(4)
})

it('waits for a living process and for another computer until the signal fires', async () => {
  for (const record of [{ pid: process.pid }, { pid: 1, host: 'elsewhere' }]) {
    await hold(record)
    await expect(withLock(dir, AbortSignal.timeout(60), async () => 1)).rejects.toThrow('timeout')
    expect(await readdir(dir)).toEqual(['lock'])
  }
})
