import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serializeEvent } from '@shared/events'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { forkSession } from '../../src/main/session/fork'
import { acquireWriterLock } from '../../src/main/session/lock'
import { EventLog } from '../../src/main/session/log'
import { SessionStore } from '../../src/main/session/store'
import { temporaryFolder } from '../support/engine'
import { userMessage } from '../support/log-events'
import { bundleHelper, LineProcess } from '../support/log-process'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder.remove())

it('a full disk is told, and leaves nothing of the fork behind', async () => {
  const home = join(folder.path, 'home')
  const store = new SessionStore(home)
  const id = await store.create()
  const lines = Array.from({ length: 200 }, (_, i) =>
    serializeEvent({ ...userMessage(i + 1, 'x'.repeat(800)), session: id }),
  )
  await writeFile(store.logFile(id), `${lines.join('\n')}\n`)
  const helper = await bundleHelper('fork-full.ts', folder.path)
  const mount = join(folder.path, 'tiny')
  await mkdir(mount)
  // 200 KB once fit on this disk, and twice do not. It is mounted where only this command sees it.
  const onTmpfs =
    'mount -t tmpfs -o size=300k tmpfs "$1" || exit 99; cp -r "$4/." "$1" || exit 98; exec "$0" "$2" "$1" "$3"'
  let child = new LineProcess('unshare', ['-rm', 'sh', '-c', onTmpfs, process.execPath, mount, helper, id, home])
  const refused = await child.closed.then(
    () => child.lines.length === 0,
    () => true,
  )
  // Where that is not allowed: a limit of 64 KB for every file, which fails in the same place.
  if (refused)
    child = new LineProcess('sh', ['-c', 'ulimit -f 128; exec "$0" "$@"', process.execPath, helper, home, id])
  const result = JSON.parse(await child.line(/^\{/))
  await child.closed
  expect(result).toMatchObject({ code: 'log_write', names: [id], unchanged: true })
  if (!refused) expect(result.message).toContain('the disk is full')
})

it('a session that is being written can be forked: the fork has whole events, and the writer is not disturbed', async () => {
  const store = new SessionStore(folder.path)
  const id = await store.create()
  const lock = await acquireWriterLock(store.dir(id))
  const log = await EventLog.open(store.logFile(id))
  let seq = 0
  const more = (): Promise<void> => {
    for (let i = 0; i < 50; i++) log.append({ ...userMessage(++seq, 'text '.repeat(500)), session: id })
    return log.durable()
  }
  await more()
  const forking = [forkSession(store, id, { now: new Date() })]
  for (let i = 0; i < 10; i++) {
    forking.push(forkSession(store, id, { now: new Date() }))
    await more()
  }
  const forks = await Promise.all(forking)
  for (const fork of forks) {
    const { items, turns } = await store.fold(fork)
    expect(turns).toBeGreaterThanOrEqual(50)
    expect(items.filter(({ kind }) => kind === 'user').map((item) => item.seq)).toEqual(
      Array.from({ length: turns }, (_, i) => i + 1),
    )
  }
  await log.close()
  await lock.release()
  expect(log.failure).toBeNull()
  expect((await store.fold(id)).turns).toBe(550)
  expect((await store.list()).length).toBe(12)
})
