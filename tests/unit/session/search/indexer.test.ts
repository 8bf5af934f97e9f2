import { mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { applyEvent } from '@shared/reducer'
import { initialState } from '@shared/state'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLog } from '../../../../src/main/session/log'
import { Indexer } from '../../../../src/main/session/search/indexer'
import { temporaryFolder } from '../../../support/engine'
import { sampleLog } from '../../../support/sample-log'
import { LogWriter, logOf, sessionId } from '../../../support/search-home'

let home: string
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await temporaryFolder()
  home = made.path
  remove = made.remove
})
afterEach(() => remove())

const indexer = (limits = {}, fresh = false): Indexer =>
  new Indexer({ sessions_dir: join(home, 'sessions'), cache_dir: join(home, 'search'), fresh, limits })
async function find(index: Indexer, query: string, limit = 20) {
  await index.refresh()
  return index.search(query, limit).hits
}
const marked = ({ snippet, marks }: { snippet: string; marks: [number, number][] }) =>
  marks.map(([start, end]) => snippet.slice(start, end))

async function penguins(n = 1): Promise<LogWriter> {
  const log = new LogWriter(home, sessionId(n), n)
  log.created('/data/penguins')
  log.user('Train a classifier on penguins.csv', 'u1')
  log.tool('python3 train.py --learning_rate 3e-4', 'epoch 1 loss=0.31\nepoch 2 loss=0.29')
  log.assistant('The accuracy is 0.9731 with `loadDataset`, at a learning rate of 3e-4.')
  await log.write()
  return log
}

describe('what is found', () => {
  it('names kind, event number, folder, title and time of a hit, and marks what matched', async () => {
    await penguins()
    const [hit] = await find(indexer(), 'accuracy')
    expect(hit).toMatchObject({
      session: sessionId(1),
      title: 'Train a classifier on penguins.csv',
      cwd: '/data/penguins',
      seq: 5,
      kind: 'assistant',
    })
    expect(hit && marked(hit)).toEqual(['accuracy'])
    const state = await stateOf(1)
    expect(hit?.updated_at).toBe(state.updated_at)
  })

  it('a number of a hit is the number of an item that the window shows', async () => {
    const id = sessionId(7)
    await mkdir(join(home, 'sessions', id), { recursive: true })
    const events = sampleLog().map((event) => JSON.stringify({ ...event, session: id }))
    await writeFile(logOf(home, id), `${events.join('\n')}\n`)
    const state = await stateOf(7)
    const index = indexer()
    for (const query of ['head', 'csv', 'Accuracy', 'again', 'faster', 'line', 'go', 'plan_tool']) {
      for (const { seq, kind } of await find(index, query)) {
        if (seq === null) continue
        expect(
          state.items.map((item) => item.seq),
          `${query} ${kind}`,
        ).toContain(seq)
      }
    }
    expect((await find(index, 'penguins')).map(({ kind }) => kind)).toEqual(['title'])
    // Undone in the sample.
    expect(await find(index, '"Wrong one"')).toEqual([])
  })

  it.each([
    ['tra', 'the beginning of the last word'],
    ['loaddataset', 'a name in another case'],
    ['load_dataset', 'a name in another style'],
    ['learning rate', 'the words of a snake_case name'],
    ['train.py', 'a file name'],
    ['0.9731', 'a number'],
    ['accuracyy', 'a slip in the last word'],
    ['penguins zebra', 'one of two words where none has both'],
    ['"learning rate of"', 'a phrase'],
    ['“Learning   Rate”', 'a phrase in typographic quotes, whatever its case and spaces'],
    ['"loss=0.31"', 'a phrase with signs'],
    ['loss "epoch 2"', 'a phrase and a word'],
  ])('finds %s: %s', async (query) => {
    await penguins()
    expect((await find(indexer(), query)).length).toBeGreaterThan(0)
  })

  it.each(['"rate learning"', '"learning rat"', '"epoch 3"', '"=="', 'zebra', '"zebra" accuracy'])(
    'does not find %s',
    async (query) => {
      await penguins()
      expect(await find(indexer(), query)).toEqual([])
    },
  )

  it('an empty query gives the newest sessions, newest first, and a session without an event is none', async () => {
    for (const n of [2, 1, 3]) await penguins(n)
    await mkdir(join(home, 'sessions', sessionId(9)), { recursive: true })
    await writeFile(logOf(home, sessionId(9)), '{"seq":1,"ti')
    const hits = await find(indexer(), '  ', 2)
    expect(hits.map(({ session, seq, kind, marks }) => ({ session, seq, kind, marks }))).toEqual([
      { session: sessionId(3), seq: null, kind: 'title', marks: [] },
      { session: sessionId(2), seq: null, kind: 'title', marks: [] },
    ])
  })

  it('gives at most three hits of a session, together, and one of a message that is several documents long', async () => {
    const log = new LogWriter(home, sessionId(1), 1)
    log.created()
    for (let i = 0; i < 8; i++) log.user(`walrus number ${i}`)
    log.assistant('walrus '.repeat(2_000))
    await log.write()
    await penguins(2)
    const hits = await find(indexer(), 'walrus')
    expect(hits).toHaveLength(3)
    const seqs = hits.map(({ seq }) => seq)
    expect(new Set(seqs).size).toBe(3)
  })

  it('a title counts more than a mention', async () => {
    const mention = new LogWriter(home, sessionId(1), 5)
    mention.user('Something else')
    mention.assistant('A walrus was seen among many other things that have nothing to do with it.')
    await mention.write()
    const titled = new LogWriter(home, sessionId(2), 1)
    titled.user('hello')
    titled.add('session_update', { title: 'Walrus study' })
    await titled.write()
    expect((await find(indexer(), 'walrus'))[0]).toMatchObject({ session: sessionId(2), kind: 'title', seq: null })
  })

  it('takes the head of a huge output and no control sequences', async () => {
    const log = new LogWriter(home, sessionId(1), 1)
    log.user('run')
    const esc = String.fromCharCode(27)
    log.tool('make', `${esc}[31mgiraffe${esc}[0m ${'x'.repeat(3_000_000)} hippo`)
    await log.write()
    const index = indexer()
    const [hit] = await find(index, 'giraffe')
    expect(hit).toMatchObject({ kind: 'tool', seq: 2 })
    expect(hit?.snippet).not.toContain(esc)
    expect(await find(index, 'hippo')).toEqual([])
  })

  it('a snippet is one line around the first match, and no mark leaves it', async () => {
    const log = new LogWriter(home, sessionId(1), 1)
    log.user(`${'😀 filler words\n'.repeat(40)}the walrus\n\tis here ${'more 😀 '.repeat(60)}`)
    await log.write()
    const [hit] = await find(indexer(), 'walrus')
    expect(hit?.snippet).toMatch(/^….*walrus is here.*…$/)
    expect(hit?.snippet.length).toBeLessThan(220)
    expect(Buffer.from(hit?.snippet ?? '', 'utf8').toString()).toBe(hit?.snippet)
    expect(hit && marked(hit)).toEqual(['walrus'])
  })
})

describe('what changes', () => {
  it('reads only what was appended, and a call whose output comes later is one document', async () => {
    const log = new LogWriter(home, sessionId(1), 1)
    log.created()
    log.user('go')
    const seq = log.add('tool_call', { tool: 'bash', arguments: { command: 'sleep' }, tool_call_id: 'c' })
    await log.write()
    const index = indexer()
    expect(await find(index, 'sleep')).toHaveLength(1)
    log.add('tool_output', { tool: 'bash', tool_call_id: 'c', output: 'walrus', success: true, duration_ms: 1 })
    await log.write()
    // Were it read from the beginning again, the damage would hide what was there before.
    await damageStart(1)
    const hits = await find(index, 'walrus sleep')
    expect(hits).toMatchObject([{ seq, kind: 'tool' }])
    expect(await find(index, 'go')).not.toEqual([])
  })

  it('what was taken back leaves, and the message in its place comes', async () => {
    const log = await penguins()
    log.user('look for walrus', 'u2')
    log.assistant('walrus found')
    await log.write()
    const index = indexer()
    expect(await find(index, 'walrus')).toHaveLength(2)
    log.add('undo_complete', { user_message_id: 'u2' })
    log.user('look for hippo', 'u3')
    await log.write()
    expect(await find(index, 'walrus')).toEqual([])
    expect(await find(index, 'hippo')).toHaveLength(1)
    expect(await find(index, 'accuracy')).toHaveLength(1)
  })

  it('a removed session leaves, a new title replaces the old one', async () => {
    const log = await penguins()
    await penguins(2)
    const index = indexer()
    expect(await find(index, 'penguins')).toHaveLength(4)
    await rm(join(home, 'sessions', sessionId(2)), { recursive: true })
    log.add('session_update', { title: 'Zebra' })
    await log.write()
    expect((await find(index, 'penguins')).map(({ session, kind }) => [session, kind])).toEqual([
      [sessionId(1), 'user'],
    ])
    expect(await find(index, 'zebra')).toMatchObject([{ kind: 'title', snippet: 'Zebra' }])
  })

  it('a torn last line is read when it is whole; a damaged one is left out', async () => {
    const log = new LogWriter(home, sessionId(1), 1)
    log.user('one walrus')
    await log.write('{"seq":2,"time":"2026-11-20T00:00:00.000Z","session":"x","type":"user_message","data":{"id":"u9",')
    const index = indexer()
    expect(await find(index, 'walrus')).toHaveLength(2)
    await log.write('"content":"a hippo","source":"user"}}\nnot json at all\n')
    expect(await find(index, 'hippo')).toMatchObject([{ seq: 2 }])
  })

  it('a log that was replaced is read from its beginning', async () => {
    const log = new LogWriter(home, sessionId(1), 1)
    log.user('one walrus')
    await log.write()
    const index = indexer()
    await find(index, 'walrus')
    const other = new LogWriter(home, sessionId(1), 1)
    other.user('a hippo that is much longer than the other one')
    await other.replace()
    expect(await find(index, 'walrus')).toEqual([])
    expect(await find(index, 'hippo')).not.toEqual([])
    await truncate(logOf(home, sessionId(1)), 0)
    expect(await find(index, 'hippo')).toEqual([])
  })
})

describe('the stored index', () => {
  it('is used when the logs are as they were, with what came later added', async () => {
    const log = await penguins()
    const first = indexer()
    await first.refresh()
    first.save()
    await damageStart(1)
    log.assistant('walrus')
    await log.write()
    const second = indexer()
    expect(await find(second, 'accuracy')).toMatchObject([{ seq: 5 }])
    expect(await find(second, 'walrus')).toMatchObject([{ seq: 6 }])
    // The numbers of the documents go on where they were.
    log.add('undo_complete', { user_message_id: 'u1' })
    await log.write()
    expect(await find(second, 'walrus')).toEqual([])
    second.save()
    expect(await find(indexer(), 'accuracy')).toEqual([])
    expect((await readdir(join(home, 'search'))).sort()).toEqual(['index.json'])
    if (process.platform !== 'win32') expect((await stat(join(home, 'search/index.json'))).mode & 0o777).toBe(0o600)
  })

  it('is one JSON object', async () => {
    await penguins()
    const index = indexer()
    await index.refresh()
    index.save()
    expect(JSON.parse(await readFile(join(home, 'search/index.json'), 'utf8'))).toMatchObject({ version: 1 })
  })

  it.each([
    ['cut off', (text: string) => text.slice(0, text.length / 2)],
    ['of another version', (text: string) => text.replace('"version":1', '"version":0')],
    ['empty', () => ''],
    ['of two that do not belong together', (text: string) => text.replace(/"documentCount":\d+/, '"documentCount":99')],
    ['with a hole', (text: string) => text.replace('"seq":5', '"seq":"five"')],
  ])('%s is made anew from the logs', async (_name, damage) => {
    await penguins()
    const index = indexer()
    await index.refresh()
    index.save()
    const file = join(home, 'search/index.json')
    await writeFile(file, damage(await readFile(file, 'utf8')))
    expect(await find(indexer(), 'accuracy')).toMatchObject([{ seq: 5 }])
  })

  it('two of them do no harm: the last one stays', async () => {
    await penguins()
    const [a, b] = [indexer(), indexer()]
    await Promise.all([a.refresh(), b.refresh()])
    a.save()
    await penguins(2)
    await b.refresh()
    b.save()
    a.save()
    expect(await find(indexer(), 'accuracy')).toHaveLength(2)
  })

  it('a folder that cannot be written costs nothing but the time to make it', async () => {
    await penguins()
    await writeFile(join(home, 'search'), 'a file')
    const index = indexer()
    await index.refresh()
    index.save()
    expect(await find(index, 'accuracy')).toHaveLength(1)
  })
})

describe('bounds', () => {
  it('keeps the newest sessions and the titles of all, and says how many it left out', async () => {
    for (let n = 1; n <= 6; n++) {
      await penguins(n)
      const time = new Date(Date.UTC(2026, 10, 20) + n * 60_000)
      await utimes(logOf(home, sessionId(n)), time, time)
    }
    // Three documents and a title each.
    const index = indexer({ docs: 15 })
    expect(new Set((await find(index, 'accuracy')).map(({ session }) => session))).toEqual(
      new Set([sessionId(6), sessionId(5), sessionId(4)]),
    )
    expect(index.search('accuracy', 10)).toMatchObject({ pending: 0, left_out: 3 })
    expect(await find(index, 'classifier', 100)).toHaveLength(9)
    // One that goes on comes back.
    const log = new LogWriter(home, sessionId(1), 99)
    for (let i = 0; i < 5; i++) log.add('processing', { message: '' })
    log.user('walrus')
    await log.write()
    expect(await find(index, 'walrus')).toMatchObject([{ session: sessionId(1) }])
    expect((await find(index, 'accuracy')).map(({ session }) => session)).toContain(sessionId(1))
  })

  it('keeps the newest documents of a session without an end', async () => {
    const log = new LogWriter(home, sessionId(1), 1)
    for (let i = 0; i < 100; i++) log.assistant(`walrus${i}`)
    await log.write()
    const index = indexer({ session_docs: 10 })
    expect(await find(index, 'walrus99')).toHaveLength(1)
    expect(await find(index, '"walrus89"')).toEqual([])
  })
})

async function stateOf(n: number) {
  let state = initialState(sessionId(n))
  for await (const event of readLog(logOf(home, sessionId(n)))) state = applyEvent(state, event)
  return state
}

/** Makes the first line unreadable without changing its length, and keeps the times of the file. */
async function damageStart(n: number): Promise<void> {
  const file = logOf(home, sessionId(n))
  const { atime, mtime } = await stat(file)
  const bytes = await readFile(file)
  bytes.fill('x', 0, bytes.indexOf('\n'))
  await writeFile(file, bytes)
  await utimes(file, atime, mtime)
}
