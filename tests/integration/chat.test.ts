import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../support/cli'
import { TEST_KEY, temporaryFolder } from '../support/engine'
import { createGate, type FakeAnthropic, type Script, startFakeAnthropic } from '../support/fake-anthropic'
import { KEYS, openTerminal, type Terminal } from '../support/pty'

let folder: string
let remove: () => Promise<void>
const servers: FakeAnthropic[] = []
const terminals: Terminal[] = []
let lastEnv: Record<string, string> = {}

beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made.path
  remove = made.remove
})
afterEach(async () => {
  await Promise.all(terminals.splice(0).map((terminal) => terminal.close()))
  const closed = await Promise.allSettled(servers.splice(0).map((server) => server.close()))
  await remove()
  for (const result of closed) if (result.status === 'rejected') throw result.reason
})

async function chat(script: Script, args: string[] = [], more: Record<string, string> = {}) {
  // One request for each turn of the script, and none for a title.
  await mkdir(join(folder, 'home'), { recursive: true })
  await writeFile(join(folder, 'home/config.json'), JSON.stringify({ auto_titles: false }))
  const server = await startFakeAnthropic(script, { apiKey: TEST_KEY })
  servers.push(server)
  const env = { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: server.url, ...more }
  lastEnv = env
  const terminal = openTerminal(['chat', ...args], { cwd: folder, env })
  terminals.push(terminal)
  await terminal.see(IDLE)
  return { server, terminal }
}
const text = (value: string, chunks: number | string[] = 1) => ({
  blocks: [{ type: 'text' as const, text: value, chunks }],
})
const bash = (command: string) => ({ blocks: [{ type: 'tool_use' as const, name: 'bash', input: { command } }] })
/** The line under the input says this while no turn runs; a message sent earlier would steer the turn. */
const IDLE = '/help'
const results = (server: FakeAnthropic, index: number): string =>
  JSON.stringify(server.requests[index]?.body.messages.at(-1))

describe('ml-intern chat under a real terminal', () => {
  it('streams an answer, runs a command after y, gives the model the reason of a refusal with its capitals, and leaves', async () => {
    const { server, terminal } = await chat(
      [
        text('Streamed in pieces.\nAnd a second line.', 6),
        bash('touch made-by-approval'),
        text('It was made.'),
        bash('rm -r everything'),
        text('Then not.'),
      ],
      ['--mode', 'ask'],
    )
    terminal.type(`hello there${KEYS.enter}`)
    await terminal.see('› hello there')
    await terminal.see('And a second line.')
    await terminal.see(IDLE)

    terminal.type(`make it${KEYS.enter}`)
    await terminal.see('touch made-by-approval')
    await terminal.see('[y]es')
    terminal.type('y')
    await terminal.see('It was made.')
    await terminal.see(IDLE)
    expect((await stat(join(folder, 'made-by-approval'))).isFile()).toBe(true)

    terminal.type(`delete it${KEYS.enter}`)
    await terminal.see('[y]es')
    terminal.type('r')
    await terminal.see('Why not?')
    terminal.type(`Keep README.md, Please${KEYS.enter}`)
    await terminal.see('Then not.')
    expect(results(server, 4)).toContain('Keep README.md, Please')

    terminal.type(`/status${KEYS.enter}`)
    await terminal.see('model calls')
    terminal.type(`/quit${KEYS.enter}`)
    expect(await terminal.done, terminal.text()).toBe(0)
    expect(terminal.raw().endsWith('\u001b[?2004l')).toBe(true)
    const history = join(folder, 'home/chat-history.jsonl')
    expect((await readFile(history, 'utf8')).split('\n')[0]).toBe('"hello there"')
    expect((await stat(history)).mode & 0o777).toBe(0o600)
  })

  it('stops the turn at the first Ctrl+C, keeps what had come, goes on, and leaves with 130 at the second of two', async () => {
    const gate = createGate()
    const held = {
      ...text('Half of it is here and more.', ['Half of it', ' is here', ' and more.']),
      gate,
      afterChunks: 1,
    }
    const { server, terminal } = await chat([held, text('Again.'), { hang: true }])
    terminal.type(`begin${KEYS.enter}`)
    await terminal.see('Half of it')
    terminal.type(KEYS.ctrl_c)
    await terminal.see('Stopped')
    await terminal.see(IDLE)
    gate.open()
    expect(await server.requests[0]?.closed).toBe(true)
    terminal.type(`once more${KEYS.enter}`)
    await terminal.see('Again.')
    await terminal.see(IDLE)
    terminal.type(`and now${KEYS.enter}`)
    await server.request(2)
    terminal.type(KEYS.ctrl_c + KEYS.ctrl_c)
    expect(await terminal.done, terminal.text()).toBe(130)
  })

  it('sends what is typed while a turn runs to the model before its next call', async () => {
    const gate = createGate()
    const { server, terminal } = await chat([{ ...bash('echo first'), gate }, text('Understood.')], ['--mode', 'auto'])
    terminal.type(`begin${KEYS.enter}`)
    await gate.reached
    terminal.type(`use the GPU${KEYS.enter}`)
    await terminal.see('› use the GPU')
    gate.open()
    await terminal.see('Understood.')
    expect(JSON.stringify(server.requests[1]?.body.messages)).toContain('use the GPU')
    terminal.type(KEYS.ctrl_d)
    expect(await terminal.done).toBe(0)
  })

  it('takes a paste and new lines as one message, completes commands and paths, and recalls what was typed', async () => {
    await mkdir(join(folder, 'src'))
    await writeFile(join(folder, 'src/train_model.py'), '')
    const { server, terminal } = await chat([text('One.'), text('Two.')])
    terminal.paste('first line\nsecond line')
    terminal.type(`${KEYS.alt_enter}look at @src/tr`)
    await terminal.see('@src/tr')
    terminal.type(KEYS.tab)
    await terminal.see('@src/train_model.py')
    terminal.type(KEYS.enter)
    await terminal.see('One.')
    await terminal.see(IDLE)
    expect(server.requests[0]?.body.messages[0]?.content[0]?.text).toBe(
      'first line\nsecond line\nlook at @src/train_model.py',
    )
    terminal.type(`/stat${KEYS.tab}`)
    await terminal.see('/status')
    terminal.type(`\u0015${KEYS.up}`)
    await terminal.see('second line')
    terminal.resize(20, 40)
    terminal.type(KEYS.enter)
    await terminal.see('Two.')
    terminal.type(`/nosuch${KEYS.enter}`)
    await terminal.see('There is no command /nosuch')
    terminal.type(`exit${KEYS.enter}`)
    expect(await terminal.done).toBe(0)
  })

  it('edits the arguments in the user’s editor, asks again, and runs what was edited', async () => {
    const editor = join(folder, 'editor.sh')
    await writeFile(
      editor,
      `#!/bin/sh\nstat -c %a "$1" > "${join(folder, 'mode')}"\nprintf 'echo edited > out\\n' > "$1"\n`,
    )
    const { terminal } = await chat([bash('echo original > out'), text('Done so.')], ['--mode', 'ask'], {
      EDITOR: `sh ${editor}`,
    })
    terminal.type(`go${KEYS.enter}`)
    await terminal.see('[e]dit')
    terminal.type('e')
    await terminal.see('echo edited > out')
    await terminal.see('Run it as edited?')
    terminal.type('y')
    await terminal.see('Done so.')
    expect(await readFile(join(folder, 'out'), 'utf8')).toBe('edited\n')
    expect((await readFile(join(folder, 'mode'), 'utf8')).trim()).toBe('600')
    terminal.type(KEYS.ctrl_d)
    expect(await terminal.done).toBe(0)
  })

  it('asks again about a call that waited when the session was left, and goes on after the answer', async () => {
    const { terminal } = await chat([bash('touch later'), text('Now it is there.')], ['--mode', 'ask'])
    terminal.type(`go${KEYS.enter}`)
    await terminal.see('[y]es')
    // As when the terminal window is closed.
    await terminal.close()
    const again = openTerminal(['chat', '--continue'], { cwd: folder, env: lastEnv })
    terminals.push(again)
    await again.see('touch later')
    await again.see('[y]es')
    again.type('y')
    await again.see('Now it is there.')
    expect((await stat(join(folder, 'later'))).isFile()).toBe(true)
    again.type(KEYS.ctrl_d)
    expect(await again.done).toBe(0)
  })

  it('does the commands: budget, mode with a question, queue, new, resume by number, regenerate, undo', async () => {
    const gate = createGate()
    const { server, terminal } = await chat(
      [text('Answer one.'), { ...text('Answer two.'), gate }, text('To the queued.'), text('Another answer.')],
      ['--mode', 'ask'],
    )
    const command = async (typed: string, shown: string): Promise<void> => {
      terminal.type(`${typed}${KEYS.enter}`)
      await terminal.see(shown)
    }
    await command('question one', 'Answer one.')
    await terminal.see(IDLE)
    await command('/budget 2.50', 'Now: cap $2.50')
    await command('/yolo', 'The cap is $2.50 for this')
    terminal.type('n')
    await command('/mode', '4.   full')
    await command('1', 'Now: mode plan')
    terminal.type(`question two${KEYS.enter}`)
    await gate.reached
    terminal.type(`and then this${KEYS.alt_q}`)
    await terminal.see('1 waiting')
    gate.open()
    await terminal.see('Answer two.')
    await terminal.see('To the queued.')
    await terminal.see(IDLE)
    await command('/regenerate', 'Another answer.')
    await terminal.see(IDLE)
    await command('/undo', 'was taken back')
    await command('/rename  Penguins', 'is called "Penguins"')
    await command('/status', 'plan')
    await command('/new', 'ML Intern  session')
    await command('/resume', '1. Penguins')
    await command('1', 'Answer two.')
    const said = server.requests[3]?.body.messages.map(({ content }) => content[0]?.text)
    expect(said).toEqual(['question one', 'Answer one.', 'question two', 'Answer two.', 'and then this'])
    await command('/quit', 'Go on with: ml-intern chat --session')
    expect(await terminal.done).toBe(0)
  })

  it('goes on in a fork, saves an export where it was started, and asks before it overwrites one', async () => {
    const { server, terminal } = await chat([text('In the first.'), text('In the copy.')])
    terminal.type(`question one${KEYS.enter}`)
    await terminal.see('In the first.')
    await terminal.see(IDLE)
    const first = /session ([0-9a-f-]{13})/.exec(terminal.text())?.[1]
    terminal.type(`/fork${KEYS.enter}`)
    await terminal.see('ML Intern  session')
    terminal.type(`question two${KEYS.enter}`)
    await terminal.see('In the copy.')
    await terminal.see(IDLE)
    const said = server.requests[1]?.body.messages.map(({ content }) => content[0]?.text)
    expect(said).toEqual(['question one', 'In the first.', 'question two'])
    terminal.type(`/export markdown notes.md${KEYS.enter}`)
    await terminal.see('Written to')
    const notes = await readFile(join(folder, 'notes.md'), 'utf8')
    expect(notes).toContain('In the copy.')
    terminal.type(`/export notes.md${KEYS.enter}`)
    await terminal.see('Overwrite it?')
    terminal.type('n')
    terminal.type(`/quit${KEYS.enter}`)
    await terminal.see('Go on with: ml-intern chat --session')
    expect(terminal.text().split('--session ').at(-1)).not.toContain(first)
    expect(await terminal.done).toBe(0)
  })

  it('strips what would move the cursor from the model’s text', async () => {
    const { terminal } = await chat([
      text('safe\u001b[2Jand\u001b]0;title\u0007 sound', ['safe\u001b', '[2Jand\u001b]0;title', '\u0007 sound']),
    ])
    terminal.type(`go${KEYS.enter}`)
    await terminal.see('safeand sound')
    expect(terminal.raw()).not.toContain('\u001b[2J')
    expect(terminal.raw()).not.toContain('0;title')
    terminal.type(KEYS.ctrl_d)
    expect(await terminal.done).toBe(0)
  })

  it('needs a terminal, and says what to use without one', async () => {
    const run = runCli(['chat'], { cwd: folder })
    expect(await run.done).toBe(2)
    expect(run.stderr()).toContain('ml-intern "prompt"')
  })
})
