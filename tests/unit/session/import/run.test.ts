import { mkdir, readdir, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { importSessions } from '../../../../src/main/session/import'
import { SessionStore } from '../../../../src/main/session/store'
import { temporaryFolder } from '../../../support/engine'
import { saved } from './support'

let folder: string
let home: string
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made.path
  home = join(folder, 'home')
  remove = made.remove
})
afterEach(() => remove())

const run = (path: string, more: Partial<Parameters<typeof importSessions>[1]> = {}) =>
  importSessions(path, { home, secrets: [], app_version: '0', user_home: folder, ...more })
const one = (id: string, text = 'hello') =>
  saved(
    [
      { role: 'user', content: text },
      { role: 'assistant', content: 'hi' },
    ],
    { session_id: id },
  )

describe('importSessions', () => {
  it('makes a session that the store lists and opens, working in the user’s own folder', async () => {
    const file = join(folder, 'session_1.json')
    await writeFile(file, one('old-1'))
    const { sessions, skipped } = await run(file)
    expect(skipped).toEqual([])
    expect(sessions).toMatchObject([{ title: 'hello', file: 'session_1.json', messages: 2, notes: [] }])
    const store = new SessionStore(home)
    expect(await store.list()).toMatchObject([
      {
        id: sessions[0]?.id,
        title: 'hello',
        cwd: folder,
        status: 'idle',
        last_outcome: 'finished',
        turns: 1,
        locked: false,
      },
    ])
    // The file is not touched.
    expect(await readFile(file, 'utf8')).toBe(one('old-1'))
  })

  it('skips what is here already, also in another file, until that session is removed', async () => {
    await writeFile(join(folder, 'a.json'), one('old-1'))
    await writeFile(join(folder, 'b.json'), one('old-1', 'a newer state of it'))
    await utimes(join(folder, 'a.json'), 1, 1)
    const first = await run(folder)
    expect(first.sessions).toMatchObject([{ file: 'b.json', title: 'a newer state of it' }])
    expect(first.skipped).toMatchObject([
      { file: 'a.json', reason: expect.stringMatching(/^It is here already, as session [0-9a-f]{8}\.$/) },
    ])
    expect((await run(folder)).sessions).toEqual([])
    await new SessionStore(home).remove(first.sessions[0]?.id ?? '')
    expect((await run(folder)).sessions).toHaveLength(1)
  })

  it('takes a folder with all that lies in it, and says why something was left out', async () => {
    const logs = join(folder, 'work', 'session_logs')
    await mkdir(logs, { recursive: true })
    await writeFile(join(logs, 'good.json'), one('g'))
    await writeFile(join(logs, 'row.jsonl'), '{"type":"user","message":{"content":"hi"},"sessionId":"t"}\n')
    await writeFile(join(logs, 'garbage.json'), '\u0000{{{')
    await writeFile(join(logs, 'notes.txt'), 'not looked at')
    await mkdir(join(logs, 'folder.json'))
    await symlink(join(logs, 'good.json'), join(logs, 'link.json'))
    await writeFile(join(logs, 'huge.json'), '')
    await truncate(join(logs, 'huge.json'), 257 * 1024 * 1024)
    const { sessions, skipped } = await run(join(folder, 'work'))
    expect(sessions.map(({ file }) => file).sort()).toEqual(['good.json', 'row.jsonl'])
    expect(Object.fromEntries(skipped.map(({ file, reason }) => [file, reason]))).toEqual({
      'garbage.json': 'It is not JSON.',
      'link.json': 'It is a link: give the file that it points to.',
      'huge.json': 'It is larger than 256 MB.',
    })
    expect(await readdir(join(home, 'sessions'))).toHaveLength(2)
  })

  it('says what is wrong with the path itself, and what a folder without sessions is', async () => {
    await expect(run(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'not_found' })
    await mkdir(join(folder, 'empty'))
    expect((await run(join(folder, 'empty'))).skipped).toEqual([
      { file: 'empty', reason: 'The folder holds no .json or .jsonl file.' },
    ])
  })

  it('says when it could not be noted that a session is here', async () => {
    await mkdir(join(home, 'imports.json'), { recursive: true })
    await writeFile(join(folder, 'a.json'), one('a'))
    const { skipped, sessions } = await run(join(folder, 'a.json'))
    expect(skipped).toEqual([])
    expect(sessions).toMatchObject([{ notes: [expect.stringContaining('could not be noted')] }])
  })

  it('leaves nothing where sessions cannot be made', async () => {
    await mkdir(home, { recursive: true })
    await writeFile(join(home, 'sessions'), 'a file')
    await writeFile(join(folder, 'a.json'), one('a'))
    const { skipped, sessions } = await run(join(folder, 'a.json'))
    expect(sessions).toEqual([])
    expect(skipped).toMatchObject([{ file: 'a.json' }])
    expect(await readdir(home)).toEqual(['sessions'])
  })

  it('ends at once when it is taken back, and leaves no half session', async () => {
    const big = saved(
      Array.from({ length: 60_000 }, (_, i) => ({
        role: i % 2 ? 'assistant' : 'user',
        content: `${'x'.repeat(500)} ${i}`,
      })),
    )
    await writeFile(join(folder, 'big.json'), big)
    const controller = new AbortController()
    const running = run(join(folder, 'big.json'), { signal: controller.signal })
    setImmediate(() => controller.abort(new Error('enough')))
    await expect(running).rejects.toThrow('enough')
    const names = await readdir(join(home, 'sessions')).catch(() => [])
    expect(names.filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('keeps the whole of a long output in the session’s own folder', async () => {
    const messages = [
      { role: 'user', content: 'go' },
      { role: 'assistant', tool_calls: [{ id: '../../evil', function: { name: 'bash', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: '../../evil', content: `${'é'.repeat(50_000)}end` },
    ]
    await writeFile(join(folder, 'a.json'), saved(messages))
    const { sessions } = await run(join(folder, 'a.json'))
    const store = new SessionStore(home)
    const [id = ''] = sessions.map((session) => session.id)
    const tool = (await store.fold(id)).items.find((item) => item.kind === 'tool')
    const spill = tool?.kind === 'tool' ? tool.spill : null
    expect(spill?.bytes).toBe(100_003)
    const { text, total_bytes } = await store.readOutput(id, spill?.file ?? '', 100_000, 10)
    expect([text, total_bytes]).toEqual(['end', 100_003])
    await rm(join(home, 'sessions', id), { recursive: true })
  })
})
