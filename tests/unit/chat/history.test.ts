import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { History, MAX_ENTRIES } from '../../../src/main/hosts/chat/history'
import { temporaryFolder } from '../../support/engine'

let file: string
let folder: string
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made.path
  remove = made.remove
  file = join(folder, 'chat-history.jsonl')
})
afterEach(() => remove())

it('keeps what was typed for the next time, for this user alone, without secrets and repetitions', async () => {
  const first = new History(file, () => ['hunter2hunter2'])
  await first.load()
  for (const text of ['two\nlines', 'two\nlines', '  ', 'login hunter2hunter2', `HF_TOKEN=hf_${'a'.repeat(34)}`])
    first.add(text)
  await first.settled()
  const stored = await readFile(file, 'utf8')
  expect(stored).not.toMatch(/hunter2|hf_aaa/)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const second = new History(file, () => [])
  await second.load()
  expect(second.entries).toEqual(first.entries)
  expect(second.entries.slice(0, 2)).toEqual(['two\nlines', 'login [REDACTED]'])
})

it('is bounded in memory and on disk, and reads on after a torn line', async () => {
  const lines = Array.from({ length: 2_000 }, (_, i) => JSON.stringify(`entry ${i}`))
  await writeFile(file, `${lines.join('\n')}\n"torn`)
  const history = new History(file, () => [])
  await history.load()
  expect(history.entries).toHaveLength(MAX_ENTRIES)
  expect(history.entries.at(-1)).toBe('entry 1999')
  expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(MAX_ENTRIES)
})

it('goes on without a file that cannot be used, and says why', async () => {
  const history = new History(folder, () => [])
  await history.load()
  history.add('typed')
  await history.settled()
  expect(history.entries).toEqual(['typed'])
  expect(history.fault).toContain('EISDIR')
})
