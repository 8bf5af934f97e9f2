import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { begin, conversation, expect, send, task, test, text } from './support'

test('what was said in another session is found, and the hit leads to its message', async ({ page, start }) => {
  const filler = Array.from({ length: 60 }, (_, i) => `Paragraph ${i} of a long reply.`).join('\n\n')
  await start([text('We settled on a cosine schedule with xylophone warm-up.'), text(filler), text('Something else.')])
  await begin(page, 'Which schedule?')
  await expect(conversation(page)).toContainText('xylophone')
  await send(page, 'Now something long')
  await expect(conversation(page)).toContainText('Paragraph 59')
  await page.getByRole('button', { name: 'New session' }).click()
  await begin(page, 'Another matter')
  await expect(conversation(page)).toContainText('Something else.')

  await page.keyboard.press('Control+k')
  await page.keyboard.type('xyloph')
  const hit = page.getByRole('region', { name: 'Found in conversations' }).getByRole('button', { name: /xylophone/ })
  await expect(hit).toContainText('Reply:')
  await expect(hit.locator('mark')).toHaveText(/xyloph/)
  await hit.click()
  await expect(conversation(page).getByText('xylophone')).toBeInViewport()
  await expect(conversation(page).getByText('Paragraph 59')).not.toBeInViewport()
  // Nothing found is said, and one click takes the search away.
  await page.getByRole('searchbox', { name: 'Search sessions' }).fill('nowhere-to-be-found')
  await expect(page.getByText(/Nothing was found for/)).toBeVisible()
  await page.getByRole('button', { name: 'Clear the search' }).click()
  await expect(page.getByRole('searchbox', { name: 'Search sessions' })).toHaveValue('')
})

test('a session is named by a model after its first turn, and a name by hand stays', async ({ page, start }) => {
  const { server } = await start(
    [text('Here is a plan.'), text('Fine-tuning a small classifier'), text('Next.')],
    {},
    { auto_titles: true },
  )
  await begin(page, 'I have some text files and would like to sort them, can you help?')
  const heading = page.getByRole('heading', { level: 1 })
  await expect(heading).toHaveText('Fine-tuning a small classifier')
  await expect(page.getByRole('navigation', { name: 'Sessions' })).toContainText('Fine-tuning a small classifier')
  expect(server.requests[1]?.body.model).toBe('claude-haiku-5-5')
  await page.getByRole('textbox', { name: 'Message' }).fill('/rename My own name')
  await page.keyboard.press('Enter')
  await expect(heading).toHaveText('My own name')
  await send(page, 'Go on')
  await expect(conversation(page)).toContainText('Next.')
  await expect(heading).toHaveText('My own name')
})

test('sessions of the retired program are imported in the settings, and opened', async ({ page, start, folder }) => {
  const messages = [
    { role: 'system', content: 'You are an assistant.' },
    { role: 'user', content: 'Train on my corpus' },
    {
      role: 'assistant',
      content: 'I look at it first.',
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'bash', arguments: '{"command":"ls"}' } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'corpus.jsonl' },
    { role: 'assistant', content: 'It is one file.' },
  ]
  await mkdir(join(folder, 'logs'))
  await writeFile(
    join(folder, 'logs', 'session_1.json'),
    JSON.stringify({ session_id: 'old-1', model_name: 'anthropic/claude-opus-5-5', messages }),
  )
  await writeFile(join(folder, 'logs', 'settings.json'), JSON.stringify({ model_name: 'x', yolo_mode: true }))
  await start([])
  await expect(task(page)).toBeVisible()
  await page.keyboard.press('Control+,')
  const settings = page.getByRole('dialog', { name: 'Settings' })
  await settings.getByRole('tab', { name: 'Data' }).click()
  const path = settings.getByRole('textbox', { name: 'Import sessions' })
  await path.fill(join(folder, 'nothing-here'))
  await page.keyboard.press('Enter')
  await expect(settings.getByText(/nothing-here/).first()).toBeVisible()
  await path.fill(join(folder, 'logs'))
  await page.keyboard.press('Enter')
  await expect(settings.getByRole('status')).toContainText('1 session was imported, 1 file left out')
  await expect(settings.getByRole('status')).toContainText('It is a configuration, not a session')
  await settings.getByRole('button', { name: /Train on my corpus/ }).click()
  await expect(settings).toBeHidden()
  await expect(conversation(page)).toContainText('It is one file.')
  await expect(conversation(page)).not.toContainText('You are an assistant.')
})
