import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { follow, TEST_KEY, temporaryFolder, testEngine } from '../support/engine'
import { startFakeAnthropic } from '../support/fake-anthropic'

const tool = (name: string, input: Record<string, unknown>) => ({ type: 'tool_use' as const, name, input })
const letters = 'Ab3dEf6hIj9kLmN0pQr2tUvWxYz5Ab3dEf6hIj9'

it('secrets by their form reach neither log, outputs nor model, and files get exactly what was written', async () => {
  const folder = await temporaryFolder()
  const token = `hf_${letters.slice(0, 34)}`
  const key = `sk-proj-${letters}${letters}`
  const dashes = '-'.repeat(5)
  const body = `${letters}${letters.slice(0, 25)}`
  const pem = `${dashes}BEGIN PRIVATE KEY${dashes}\n${`${body}\n`.repeat(20)}${dashes}END PRIVATE KEY${dashes}\n`
  const script = `KEY = "${key}"\npad_token = "[PAD]"\npassword = "hunter2xyz"\n`
  await writeFile(join(folder.path, 'key.pem'), pem)
  const server = await startFakeAnthropic(
    [
      {
        blocks: [
          tool('write', { path: 'app.py', content: script }),
          tool('bash', {
            command: 'cat key.pem app.py; for i in $(seq 3000); do cat key.pem; echo MAX_TOKEN=4096; done',
          }),
        ],
      },
      { blocks: [tool('read', { path: 'app.py' }), tool('read', { path: 'key.pem' })] },
      { blocks: [{ type: 'text' as const, text: 'Done.' }] },
    ],
    { apiKey: TEST_KEY },
  )
  const engine = await testEngine(folder.path, { base_url: server.url })
  try {
    const session = await engine.createSession({})
    const f = follow(session)
    await session.submit({ op: 'user_input', text: `log in with ${token}` })
    await session.idle()
    expect(f.events.at(-1)).toMatchObject({ type: 'turn_complete', data: { final_response: 'Done.' } })
    expect(await readFile(join(folder.path, 'app.py'), 'utf8')).toBe(script)

    const home = join(engine.home, 'sessions', session.id)
    const log = await readFile(join(home, 'events.jsonl'), 'utf8')
    const [file = ''] = await readdir(join(home, 'outputs'))
    const kept = await readFile(join(home, 'outputs', file), 'utf8')
    const sent = JSON.stringify(server.requests.map((request) => request.body.messages))
    const shown = JSON.stringify(f.events)
    for (const [where, text] of Object.entries({ log, kept, sent, shown })) {
      for (const secret of [token, key, body]) expect([where, text.includes(secret)]).toEqual([where, false])
    }
    expect(kept.match(/\[REDACTED_PRIVATE_KEY\]\nMAX_TOKEN=4096\n/g)).toHaveLength(3000)
    const read = session.state.items.flatMap((i) => (i.kind === 'tool' && i.tool === 'read' ? [i.output] : []))
    expect(read[0]).toContain('password = "hunter2xyz"')
    expect(read[0]).toContain('[REDACTED_PROVIDER_API_KEY]')
    expect(read[1]).toContain('[REDACTED_PRIVATE_KEY]')
  } finally {
    await engine.close()
    await server.close()
    await folder.remove()
  }
})
