import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { createGate } from '../support/fake-anthropic'
import {
  begin,
  conversation,
  expect,
  KEY,
  message,
  serve,
  task,
  terminal,
  test,
  text,
  tool,
  watchConsole,
} from './support'

async function choose(page: Page, mode: 'Auto' | 'Ask'): Promise<void> {
  await page.getByRole('button', { name: /^Mode:/ }).click()
  await page.getByRole('menuitemradio', { name: new RegExp(`^${mode}`) }).click()
}

test('the demo: one click to a trained model, with the numbers of the real run', async ({ page, folder }) => {
  const problems: string[] = []
  watchConsole(page, problems)
  const app = await serve(folder)
  try {
    await page.goto(app.url)
    await expect(page.getByText('No Anthropic key yet')).toBeVisible()
    await page.getByRole('main').getByRole('button', { name: 'Try the demo' }).click()
    await expect(page.getByRole('button', { name: /Scripted demo model — no AI/ })).toBeVisible()
    await page.getByRole('tab', { name: 'Terminal' }).click()
    await expect(terminal(page)).toContainText('python3 train.py')
    await expect(terminal(page)).toContainText('step=')
    await expect(conversation(page).getByText('Who did this')).toBeVisible({ timeout: 45_000 })
    const [project = ''] = await readdir(join(app.home, 'demo'))
    const metrics = JSON.parse(await readFile(join(app.home, 'demo', project, 'metrics.json'), 'utf8'))
    await expect(conversation(page)).toContainText(metrics.test.macro_f1.toFixed(4))
    await page.getByRole('tab', { name: /^Plan/ }).click()
    await expect(page.getByRole('region', { name: 'Plan' })).toContainText('6 of 6')
    await expect(page.getByText('$0.00')).toBeVisible()
    expect(problems).toEqual([])
  } finally {
    await app.stop()
  }
})

test('a conversation: streamed Markdown, reasoning, a command live in the terminal, a diff', async ({
  page,
  start,
}) => {
  await start([
    {
      blocks: [
        { type: 'thinking', thinking: 'The user wants a file.', chunks: 4 },
        { type: 'text', text: 'I will **write** it and run it.', chunks: 6 },
        tool('write', { path: 'hello.py', content: 'print("hello from python")\n' }),
        tool('bash', { command: 'python3 hello.py', description: 'run it' }),
      ],
    },
    text('It prints `hello from python`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n', 8),
  ])
  await begin(page, 'Write and run a hello script')
  // New sessions ask before changes: both calls wait on one card.
  await page.getByRole('button', { name: /Approve all/ }).click()
  await expect(conversation(page).locator('table')).toContainText('1')
  await expect(conversation(page).locator('strong', { hasText: 'write' })).toBeVisible()
  await page.getByRole('button', { name: /Write.*hello\.py/ }).click()
  await expect(conversation(page)).toContainText('print("hello from python")')
  await page.getByRole('tab', { name: 'Terminal' }).click()
  await expect(terminal(page)).toContainText('hello from python')
  await expect(terminal(page)).toContainText('exit 0')
  await page.getByRole('button', { name: /Thought/ }).click()
  await expect(conversation(page)).toContainText('The user wants a file.')
  await expect(page.getByText(/\$0\.\d+/).first()).toBeVisible()
})

test('approvals: deny with a reason, and the model reads it', async ({ page, start }) => {
  const { server } = await start([
    { blocks: [tool('bash', { command: 'rm -rf results', description: 'clean up' })] },
    text('Understood, I keep them.'),
  ])
  await begin(page, 'Clean up')
  await expect(page.getByText('rm -rf results').first()).toBeVisible()
  await expect(page.getByRole('button', { name: 'Stop' })).toBeEnabled()
  await page.getByRole('button', { name: 'Deny with a reason' }).click()
  await page.getByRole('textbox', { name: /Why not/ }).fill('I need those files')
  await page.keyboard.press('Enter')
  await expect(conversation(page)).toContainText('Understood, I keep them.')
  expect(JSON.stringify(server.requests[1]?.body.messages)).toContain('I need those files')
})

test('stop ends a reply at once, keeps what came, and the session goes on', async ({ page, start }) => {
  const gate = createGate()
  await start([
    { ...text('First half. Second half.', ['First half. ', 'Second half.']), gate, afterChunks: 1, unbatched: true },
    text('Going on.'),
  ])
  await begin(page, 'Tell me')
  await expect(conversation(page)).toContainText('First half.')
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(conversation(page)).toContainText('Stopped by you')
  await expect(conversation(page)).not.toContainText('Second half.')
  await message(page).fill('Go on')
  await page.keyboard.press('Enter')
  await expect(conversation(page)).toContainText('Going on.')
})

test('reload in mid-stream: nothing lost, nothing doubled', async ({ page, start }) => {
  const gate = createGate()
  const words = Array.from({ length: 40 }, (_, i) => `word${i} `)
  await start([{ ...text(words.join(''), words), gate, afterChunks: 20, unbatched: true }])
  await begin(page, 'Count')
  await expect(conversation(page)).toContainText('word19')
  await page.reload()
  await expect(conversation(page)).toContainText('word19')
  gate.open()
  await expect(conversation(page)).toContainText('word39')
  const shown = await conversation(page).innerText()
  for (const word of words) expect(shown.split(word.trim()).length - 1, word).toBe(occurrences(words, word))
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeVisible()
})

/** word1 is also the beginning of word10 … word19. */
function occurrences(words: string[], word: string): number {
  return words.filter((other) => other.startsWith(word.trim())).length
}

test('a lost connection is said, and what came meanwhile appears when it is back', async ({ page, start }) => {
  const gate = createGate()
  let cut = false
  let lose = () => {}
  await page.routeWebSocket(/\/bridge/, (socket) => {
    if (cut) return socket.close()
    socket.connectToServer()
    lose = () => void socket.close()
  })
  await start([{ ...text('Before. After.', ['Before. ', 'After.']), gate, afterChunks: 1, unbatched: true }])
  await begin(page, 'Go')
  await expect(conversation(page)).toContainText('Before.')
  cut = true
  lose()
  await expect(page.getByText('Connection lost')).toBeVisible()
  gate.open()
  cut = false
  await expect(conversation(page)).toContainText('After.')
  await expect(page.getByText('Connection lost')).toBeHidden()
  expect((await conversation(page).innerText()).split('Before.').length).toBe(2)
})

test('two windows on one session show the same, and either can steer it', async ({ page, start, context }) => {
  const gate = createGate()
  const { server } = await start([{ ...text('Working.', 1), gate, unbatched: true }, text('Both windows saw this.')])
  await begin(page, 'Start')
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible()
  const second = await context.newPage()
  await second.goto(page.url())
  await expect(conversation(second)).toContainText('Start')
  await message(second).fill('And this too')
  await second.keyboard.press('Enter')
  await expect(conversation(page)).toContainText('And this too')
  gate.open()
  for (const view of [page, second]) {
    await expect(conversation(view)).toContainText('Both windows saw this.')
    await expect(conversation(view)).toContainText('And this too')
  }
  expect(server.requests[1]?.body.messages.at(-1)?.content).toMatchObject([{ text: 'And this too' }])
})

test('errors say what to do, and retry is one click or key away', async ({ page, start }) => {
  await start([
    { error: { status: 401, type: 'authentication_error', message: 'invalid bearer token' } },
    text('Now it works.'),
  ])
  await begin(page, 'Go')
  await expect(conversation(page)).toContainText(/key/i)
  expect(await page.content()).not.toContain(KEY)
  await message(page).fill('Again')
  await page.keyboard.press('Enter')
  await expect(conversation(page)).toContainText('Now it works.')
})

test('sessions: found again after a restart of the program, renamed, searched and deleted', async ({
  page,
  start,
  folder,
}) => {
  const { app } = await start([text('Done.'), text('Also done.')])
  await begin(page, 'The first task')
  await expect(conversation(page)).toContainText('Done.')
  await app.stop()
  const again = await serve(folder)
  try {
    await page.goto(again.url)
    const list = page.getByRole('navigation', { name: 'Sessions' })
    await list.getByText('The first task').click()
    await expect(conversation(page)).toContainText('Done.')
    await list.getByRole('button', { name: 'Actions of The first task' }).click()
    await page.getByRole('menuitem', { name: /Rename/ }).click()
    await page.getByRole('textbox', { name: 'New title' }).fill('Renamed')
    await page.keyboard.press('Enter')
    await expect(list.getByText('Renamed')).toBeVisible()
    await page
      .getByRole('searchbox', { name: 'Search sessions' })
      .or(page.getByLabel('Search sessions'))
      .first()
      .fill('zzz')
    await expect(list.getByText('Renamed')).toBeHidden()
    await page.getByLabel('Search sessions').first().fill('')
    await list.getByText('Renamed').hover()
    await list.getByRole('button', { name: 'Actions of Renamed' }).click()
    await page.getByRole('menuitem', { name: /Delete/ }).click()
    await page.getByRole('button', { name: /^Delete/ }).click()
    await expect(list.getByText('Renamed')).toBeHidden()
    await expect(task(page)).toBeVisible()
  } finally {
    await again.stop()
  }
})

test('the keyboard reaches everything: a task from start to stop without a mouse', async ({ page, start }) => {
  const gate = createGate()
  await start([{ ...text('Half. Rest.', ['Half. ', 'Rest.']), gate, afterChunks: 1, unbatched: true }])
  await expect(task(page)).toBeFocused()
  await page.keyboard.type('Go')
  await expect(page.getByRole('button', { name: 'Start' })).toBeEnabled()
  await page.keyboard.press('Enter')
  await expect(conversation(page)).toContainText('Half.')
  await page.keyboard.press('Escape')
  await expect(conversation(page)).toContainText('Stopped by you')
  await page.keyboard.press('Control+k')
  await expect(page.getByLabel('Search sessions').first()).toBeFocused()
})

test('a folder that does not exist is refused with a reason, and the typed task is kept', async ({ page, start }) => {
  await start([])
  await task(page).fill('My task')
  await page.getByRole('button', { name: /^Working folder/ }).click()
  // The first answer puts its own path into the field.
  await expect(page.getByRole('list', { name: /^Folders in/ })).toBeVisible()
  await page.getByRole('textbox', { name: 'Path' }).fill('/no/such/folder')
  await page.keyboard.press('Enter')
  await expect(page.getByText(/no folder|There is no/)).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(task(page)).toHaveValue('My task')
})

test('auto mode runs without asking', async ({ page, start }) => {
  const gate = createGate()
  await start([
    { ...text('Ready.'), gate },
    { blocks: [tool('bash', { command: 'echo ran-by-itself' })] },
    text('Finished.'),
  ])
  await begin(page, 'First')
  await choose(page, 'Auto')
  gate.open()
  await expect(conversation(page)).toContainText('Ready.')
  await message(page).fill('Run it')
  await page.keyboard.press('Enter')
  await expect(conversation(page)).toContainText('Finished.')
  await expect(page.getByRole('button', { name: /Approve/ })).toHaveCount(0)
})
