import { appendFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { engineOn, expectOnDisk, replies, say, start, text, userKey, users } from '../support/conversation'
import { follow } from '../support/engine'
import { createGate } from '../support/fake-anthropic'

describe('the history of a conversation', () => {
  it('puts another text in the place of a message: the model never sees the old one or what followed', async () => {
    const { server, engine } = await start([text('One.'), text('Two.'), text('Three.')])
    const session = await engine.createSession({})
    await say(session, 'first')
    await say(session, 'second')
    await session.submit({ op: 'edit', user_message_id: userKey(session, 'first'), text: 'better first' })
    await session.idle()
    expect(users(session)).toEqual(['better first'])
    expect(replies(session)).toEqual(['Three.'])
    const sent = JSON.stringify(server.requests[2]?.body.messages)
    expect(sent).toContain('better first')
    expect(sent).not.toMatch(/second|One\.|Two\./)
    expect(session.state.turns).toBe(1)
    await expectOnDisk(engine, session)
    await expect(session.submit({ op: 'edit', user_message_id: 'gone', text: 'x' })).rejects.toMatchObject({
      code: 'invalid_operation',
    })
  })

  it('asks again for a reply, and keeps what stands before it', async () => {
    const { server, engine } = await start([text('One.'), text('Two.'), text('Two, better.')])
    const session = await engine.createSession({})
    await say(session, 'first')
    await say(session, 'second')
    await session.submit({ op: 'regenerate' })
    await session.idle()
    expect(replies(session)).toEqual(['One.', 'Two, better.'])
    expect(server.requests[2]?.body.messages).toEqual(server.requests[1]?.body.messages)
    await expectOnDisk(engine, session)
  })

  it('takes back a message in the middle, and refuses while a turn runs', async () => {
    const gate = createGate()
    const { engine } = await start([text('One.'), text('Two.'), { ...text('Three.'), gate }])
    const session = await engine.createSession({})
    await say(session, 'first')
    await say(session, 'second')
    await session.submit({ op: 'undo', user_message_id: userKey(session, 'first') })
    expect(session.state.items).toEqual([])
    await session.submit({ op: 'user_input', text: 'third' })
    for (const operation of [
      { op: 'undo' },
      { op: 'regenerate' },
      { op: 'edit', user_message_id: userKey(session, 'third'), text: 'x' },
    ] as const) {
      await expect(session.submit(operation)).rejects.toMatchObject({ code: 'session_running' })
    }
    gate.open()
    await session.idle()
  })

  it('holds messages back until the turn has ended, and sends them one by one', async () => {
    const gate = createGate()
    const { server, engine } = await start([{ ...text('One.'), gate }, text('Two.'), text('Three.')])
    const session = await engine.createSession({})
    await session.submit({ op: 'user_input', text: 'first' })
    await server.request(0)
    await session.submit({ op: 'enqueue', text: 'second' })
    await session.submit({ op: 'enqueue', text: 'not this' })
    await session.submit({ op: 'enqueue', text: 'third' })
    const dropped = session.state.queue[1]?.id ?? ''
    await session.submit({ op: 'dequeue', id: dropped })
    await expect(session.submit({ op: 'dequeue', id: dropped })).rejects.toMatchObject({ code: 'invalid_operation' })
    expect(session.state.queue.map(({ content }) => content)).toEqual(['second', 'third'])
    gate.open()
    await session.idle()
    expect(users(session)).toEqual(['first', 'second', 'third'])
    expect(replies(session)).toEqual(['One.', 'Two.', 'Three.'])
    expect(session.state.queue).toEqual([])
    await expectOnDisk(engine, session)
  })

  it('does not send a waiting message after a stop, until the user says so', async () => {
    const gate = createGate()
    const { server, engine } = await start([{ ...text('One.'), gate }, text('Two.')])
    const session = await engine.createSession({})
    await session.submit({ op: 'user_input', text: 'first' })
    await server.request(0)
    await session.submit({ op: 'enqueue', text: 'second' })
    await session.submit({ op: 'interrupt' })
    await session.idle()
    expect(session.state.last_outcome).toBe('interrupted')
    const [waiting] = session.state.queue
    expect(waiting?.content).toBe('second')
    await session.submit({ op: 'send_queued', id: waiting?.id ?? '' })
    await session.idle()
    expect(replies(session)).toEqual(['Two.'])
    gate.open()
  })

  it('sends a queued message at once when nothing runs', async () => {
    const { engine } = await start([text('One.')])
    const session = await engine.createSession({})
    await session.submit({ op: 'enqueue', text: 'first' })
    await session.idle()
    expect(replies(session)).toEqual(['One.'])
  })

  it('changes the effort for the calls that follow', async () => {
    const { server, engine } = await start([text('One.'), text('Two.')])
    const session = await engine.createSession({})
    await say(session, 'first')
    await session.submit({ op: 'set_effort', effort: 'max' })
    await say(session, 'second')
    expect(server.requests[0]?.body.output_config).not.toMatchObject({ effort: 'max' })
    expect(server.requests[1]?.body.output_config).toMatchObject({ effort: 'max' })
  })
})

describe('a title', () => {
  const names = { host: 'browser', settings: { mode: 'auto', auto_titles: true } } as const

  it('is made by a small model after the first turn, counted as its own kind, and never over the user’s name', async () => {
    const { server, engine } = await start(
      [text('Done.'), text('“Penguin Species Classifier.”'), text('Again.')],
      names,
    )
    const session = await engine.createSession({})
    const f = follow(session)
    const named = f.next('session_update', ({ title }) => title !== undefined)
    await session.submit({ op: 'user_input', text: 'train a classifier on penguins.csv' })
    expect(await named).toMatchObject({ title: 'Penguin Species Classifier', title_by: 'model' })
    expect(server.requests[1]?.body.model).toBe('claude-haiku-5-5')
    expect(session.state.usage.parts.map(({ kind }) => kind)).toEqual(['main', 'title'])
    await session.idle()
    await say(session, 'more')
    expect(server.requests).toHaveLength(3)
  })

  it('that fails leaves the first line of the first message, and the session usable', async () => {
    const { server, engine } = await start(
      [text('Done.'), { error: { status: 400, type: 'invalid_request_error', message: 'no such thing' } }],
      names,
    )
    const session = await engine.createSession({})
    await session.submit({ op: 'user_input', text: 'train' })
    await (await server.request(1)).closed
    await session.idle()
    expect(session.state.title).toBe('train')
    expect(session.state.last_outcome).toBe('finished')
    expect(session.state.items.filter((item) => item.kind === 'notice')).toEqual([])
  })
})

describe('the summary of a session', () => {
  it('is only a cache: one that cannot be written keeps no session from being opened or renamed', async () => {
    const { server, engine } = await start([text('One.'), text('Two.')])
    const session = await engine.createSession({})
    await say(session, 'first')
    await engine.close()
    const dir = join(engine.home, 'sessions', session.id)
    await rm(join(dir, 'summary.json'), { force: true })
    await mkdir(join(dir, 'summary.json', 'in the way'), { recursive: true })
    await appendFile(join(dir, 'events.jsonl'), '{"seq":')

    const second = await engineOn(server)
    const again = await second.openSession(session.id)
    expect(again.state.items.length).toBeGreaterThan(1)
    await say(again, 'second')
    expect(replies(again)).toEqual(['One.', 'Two.'])
  })
})
