import { mkdir, mkdtemp, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDemoProject, DEMO_PROMPT } from '../../../src/main/demo/project'
import { createDemoClient } from '../../../src/main/demo/scripted-model'
import { conversation, reply, turn } from './drive'

const client = createDemoClient({ pace: 0 })
let parent: string
let cwd: string

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'demo-'))
  cwd = await createDemoProject(parent)
})
afterEach(() => rm(parent, { recursive: true, force: true }))

const STEPS = [
  'plan_tool',
  expect.stringMatching(/^bash python3 - <<'PY'/),
  'read penguins.csv',
  'plan_tool',
  'write train.py',
  'plan_tool',
  'bash python3 train.py',
  'plan_tool',
  'bash cat metrics.json',
  'plan_tool',
  'write MODEL_CARD.md',
  'plan_tool',
  'bash python3 train.py --predict 39.1 18.7 181 3750',
  'plan_tool',
]

/** Train without waiting for real training: enough output for the script to go on. */
const trained = (call: string) =>
  call === 'bash python3 train.py'
    ? {
        content: 'step=1 loss=1.1\nselected: m (macro-F1 0.9 +- 0.1)\nwrote model.json and metrics.json',
        is_error: false,
      }
    : null

describe('the whole demo with a real shell and real Python', () => {
  it('takes every step in order, and reports the numbers of metrics.json and no others', async () => {
    const talk = await turn(client, DEMO_PROMPT, { cwd })
    expect(talk.calls).toEqual(STEPS)
    expect(talk.plans[0]?.map(({ status }) => status)).toEqual(['in_progress', ...Array(5).fill('pending')])
    expect(talk.plans.at(-1)?.every(({ status }) => status === 'completed')).toBe(true)

    const written = await readFile(join(cwd, 'metrics.json'), 'utf8')
    const metrics = JSON.parse(written)
    expect(metrics.test.macro_f1).toBeGreaterThan(0.95)
    const card = await readFile(join(cwd, 'MODEL_CARD.md'), 'utf8')
    const { accuracy, macro_f1, correct, accuracy_ci95 } = metrics.test
    for (const value of [accuracy, macro_f1, ...accuracy_ci95, metrics.cv.macro_f1_mean, metrics.baseline.macro_f1]) {
      expect(talk.final).toContain(value.toFixed(4))
      expect(card).toContain(value.toFixed(4))
    }
    expect(talk.final).toContain(`${correct} of ${metrics.data.test} test penguins`)
    const measured = (written.match(/\d+\.\d+/g) ?? []).map((n) => Number(n).toFixed(4))
    for (const shown of talk.final.match(/\d\.\d{4}/g) ?? []) expect(measured).toContain(shown)
    expect(card).toMatch(/^---\nlanguage: en\nlicense: cc0-1\.0\n/)
    expect(card + talk.final).not.toMatch(/\{\{|undefined|NaN/)
    expect(talk.final).toContain('scripted demo model')

    const blocks = talk.messages.flatMap((message) => (message.role === 'assistant' ? message.content : []))
    const said = blocks.find((block) => block.type === 'text' && block.text.startsWith('What the data say'))
    const observed = said?.type === 'text' ? said.text : ''
    expect(observed).toContain('344 rows, 7 columns, no duplicate rows')
    expect(observed).toContain('Adelie 152, Gentoo 124, Chinstrap 68')
    expect(observed).toContain('Every Chinstrap comes from Dream, every Gentoo comes from Biscoe')

    const after = await turn(client, 'And now tune it, please', { cwd }, talk)
    expect(after.final).toContain('nothing else')
    expect(after.final).toContain('ANTHROPIC_API_KEY')
    expect(after.calls).toEqual(STEPS)
  })
})

describe('what goes wrong', () => {
  it('tells what is missing on a machine without Python, and tries again when asked', async () => {
    const bin = join(parent, 'bin')
    await mkdir(bin)
    await symlink('/bin/cat', join(bin, 'cat'))
    const env = { PATH: bin }
    const talk = await turn(client, DEMO_PROMPT, { cwd, env })
    expect(talk.calls.slice(3)).toEqual(['bash python --version', 'plan_tool'])
    expect(talk.final).toContain('no Python 3')
    expect(talk.final).toContain('apt install python3')
    expect(talk.final).toContain('No file was written')
    // A plan with open steps would have the loop push on.
    expect(talk.plans.at(-1)?.map(({ status }) => status)).toEqual(['completed'])

    const again = await turn(client, 'continue', { cwd, stop: ({ calls }) => calls.length > 6 }, talk)
    expect(again.calls.slice(5, 7)).toEqual(['plan_tool', STEPS[1]])
    expect(again.plans.at(-1)).toHaveLength(6)
  })

  it('uses the name `python` where `python3` does not exist', async () => {
    const answer = (call: string) => {
      if (call.includes('python3')) return { content: 'bash: line 1: python3: command not found', is_error: true }
      if (call === 'bash python --version') return { content: 'Python 3.12.1', is_error: false }
      return null
    }
    const talk = await turn(client, DEMO_PROMPT, { cwd, answer, stop: ({ calls }) => calls.length > 4 })
    expect(talk.calls[4]).toMatch(/^bash python - <<'PY'/)
  })

  it('quotes the error of a failed training and ends', async () => {
    const answer = (call: string) =>
      call === 'bash python3 train.py' ? { content: 'Traceback\nMemoryError', is_error: true } : null
    const talk = await turn(client, DEMO_PROMPT, { cwd, answer })
    expect(talk.calls.slice(5)).toEqual(['plan_tool', 'bash python3 train.py', 'plan_tool'])
    expect(talk.final).toContain('MemoryError')
    expect(talk.final).toContain('Written so far: `train.py`')
    expect(talk.final).not.toMatch(/\d\.\d{4}/)
  })

  it('invents nothing when the metrics cannot be read', async () => {
    const answer = (call: string) =>
      call === 'bash cat metrics.json' ? { content: '{"seed": 1', is_error: false } : trained(call)
    const talk = await turn(client, DEMO_PROMPT, { cwd, answer })
    expect(talk.final).toContain('no result to report')
    expect(talk.calls.at(-1)).toBe('plan_tool')
  })

  it('says so when the folder has no data', async () => {
    await unlink(join(cwd, 'penguins.csv'))
    const talk = await turn(client, DEMO_PROMPT, { cwd })
    expect(talk.final).toContain('there is no `penguins.csv`')
  })

  it('respects a denial, and asks again only when the user says so', async () => {
    const answer = (call: string) =>
      call === 'bash python3 train.py'
        ? { content: 'The user denied this call and says: not on battery', is_error: true }
        : null
    const talk = await turn(client, DEMO_PROMPT, { cwd, answer })
    expect(talk.final).toContain('You declined `python3 train.py`')
    expect(talk.final).toContain('not on battery')
    const again = await turn(client, 'ok, go on', { cwd, answer: trained, stop: (t) => t.calls.length > 9 }, talk)
    expect(again.calls.slice(8, 10)).toEqual(['plan_tool', 'bash python3 train.py'])
  })

  it('goes on at the right step after an interrupt, with the unfinished call', async () => {
    const talk = await turn(client, DEMO_PROMPT, { cwd, stop: ({ calls }) => calls.length === 5 })
    const blocks = await reply(client, talk.messages)
    talk.messages.push({ role: 'assistant', content: blocks })
    const results = blocks.flatMap((block) =>
      block.type === 'tool_use'
        ? [
            {
              type: 'tool_result' as const,
              tool_use_id: block.id,
              content: 'This call was not executed',
              is_error: true,
            },
          ]
        : [],
    )
    talk.messages.push({ role: 'user', content: [...results, { type: 'text', text: 'continue' }] })
    const next = await reply(client, talk.messages)
    expect(next.find((block) => block.type === 'text')?.text).toMatch(/^I pick up where the run stopped/)
    expect(next.flatMap((block) => (block.type === 'tool_use' ? [block.input.command ?? block.name] : []))).toEqual([
      'plan_tool',
      'python3 train.py',
    ])
  })

  it('reads a file that is in the way before it replaces it', async () => {
    await writeFile(join(cwd, 'train.py'), 'print(1)')
    let refused = false
    const answer = (call: string) => {
      if (call !== 'write train.py' || refused) return trained(call)
      refused = true
      return { content: 'train.py exists and was not read in this session: read it first.', is_error: true }
    }
    const talk = await turn(client, DEMO_PROMPT, { cwd, answer, stop: ({ calls }) => calls.length > 7 })
    expect(talk.calls.slice(4)).toEqual(['write train.py', 'read train.py', 'plan_tool', 'write train.py'])
  })

  it('does not start the demo for another request', async () => {
    const talk = await turn(client, 'Fine-tune a language model on my notes', { cwd }, conversation())
    expect(talk.calls).toEqual([])
    expect(talk.final).toContain('I am the scripted demo model')
  })

  it('does not take a note of the loop for the user', async () => {
    const talk = await turn(client, DEMO_PROMPT, { cwd, answer: trained, stop: ({ calls }) => calls.length === 3 })
    const note = '[Automatic note from ML Intern, not from the user]\nBe brief.'
    talk.messages.push({ role: 'user', content: [{ type: 'text', text: note }] })
    const text = (await reply(client, talk.messages)).find((block) => block.type === 'text')
    expect(text?.text).toMatch(/^What the data say/)
  })
})
