import type { Page } from '@playwright/test'
import { createGate } from '../support/fake-anthropic'
import { begin, conversation, expect, message, send, test, text } from './support'

/** The message of the user that holds this text. */
const mine = (page: Page, said: string) => page.getByRole('article', { name: 'Your message' }).filter({ hasText: said })

/** What the user said so far, as a request has it. */
const asked = (request: { body: { messages: { role: string; content: Record<string, unknown>[] }[] } } | undefined) =>
  request?.body.messages.filter(({ role }) => role === 'user').map(({ content }) => content[0]?.text)

test('a message is edited and sent again: what followed is gone, for the user and for the model', async ({
  page,
  start,
}) => {
  const { server } = await start([text('About cats.'), text('More cats.'), text('About dogs.')])
  await begin(page, 'Tell me about cats')
  await expect(conversation(page)).toContainText('About cats.')
  await send(page, 'And more')
  await expect(conversation(page)).toContainText('More cats.')
  await mine(page, 'Tell me about cats').hover()
  await mine(page, 'Tell me about cats').getByRole('button', { name: 'Edit and send again' }).click()
  await expect(page.getByText(/Takes back 1 message and 2 replies/)).toBeVisible()
  await page.getByRole('textbox', { name: 'Edited message' }).fill('Tell me about dogs')
  await page.keyboard.press('Enter')
  await expect(conversation(page)).toContainText('About dogs.')
  await expect(conversation(page)).not.toContainText('cats')
  expect(asked(server.requests[2])).toEqual(['Tell me about dogs'])
})

test('asked again, the last answer is replaced; taken back, the text returns to the field', async ({ page, start }) => {
  const { server } = await start([text('First answer.'), text('Second answer.'), text('Third answer.')])
  await begin(page, 'A question')
  await conversation(page).getByText('First answer.').hover()
  await page.getByRole('button', { name: 'Ask again', exact: true }).last().click()
  await expect(conversation(page)).toContainText('Second answer.')
  await expect(conversation(page)).not.toContainText('First answer.')
  expect(asked(server.requests[1])).toEqual(['A question'])

  await mine(page, 'A question').hover()
  await mine(page, 'A question').getByRole('button', { name: 'Take back' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Take back' }).click()
  await expect(conversation(page)).not.toContainText('Second answer.')
  await expect(message(page)).toHaveValue('A question')
  await message(page).press('End')
  await message(page).pressSequentially(', put better')
  await message(page).press('Enter')
  await expect(conversation(page)).toContainText('Third answer.')
  expect(asked(server.requests[2])).toEqual(['A question, put better'])
})

test('a fork from a reply has what was before it; one from a message has its text as a draft', async ({
  page,
  start,
}) => {
  const { server } = await start([text('Answer one.'), text('Answer two.'), text('Answer in the fork.')])
  await begin(page, 'Question one')
  await expect(conversation(page)).toContainText('Answer one.')
  await send(page, 'Question two')
  await expect(conversation(page)).toContainText('Answer two.')
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeVisible()

  await conversation(page).getByText('Answer one.').hover()
  await page.getByRole('button', { name: 'Fork after this reply' }).first().click()
  await expect(conversation(page)).not.toContainText('Question two')
  await expect(conversation(page)).toContainText('Answer one.')
  await expect(message(page)).toHaveValue('')
  await send(page, 'Question of the fork')
  await expect(conversation(page)).toContainText('Answer in the fork.')
  expect(asked(server.requests[2])).toEqual(['Question one', 'Question of the fork'])

  await page.goBack()
  await expect(conversation(page)).toContainText('Question two')
  await mine(page, 'Question two').hover()
  await mine(page, 'Question two').getByRole('button', { name: 'Fork before this message' }).click()
  await expect(conversation(page)).not.toContainText('Question two')
  await expect(conversation(page)).toContainText('Answer one.')
  await expect(message(page)).toHaveValue('Question two')
})

test('messages wait for the end of the turn: one is changed, one removed, the rest is sent', async ({
  page,
  start,
}) => {
  const gate = createGate()
  const { server } = await start([{ ...text('Working.'), gate }, text('The queue was read.')])
  await begin(page, 'Begin')
  await gate.reached
  for (const waiting of ['first of all', 'second to go']) {
    await message(page).fill(waiting)
    await page.keyboard.press('Alt+Enter')
    await expect(page.getByRole('listitem').filter({ hasText: waiting })).toBeVisible()
    await expect(message(page)).toHaveValue('')
  }
  const queue = page.getByRole('region', { name: '2 messages in the queue' })
  await queue.getByRole('listitem').filter({ hasText: 'first' }).getByRole('button', { name: 'Edit' }).click()
  await expect(message(page)).toHaveValue('first of all')
  await message(page).fill('first of all, changed')
  await page.keyboard.press('Alt+Enter')
  await expect(queue).toContainText('first of all, changed')
  await queue.getByRole('listitem').filter({ hasText: 'second' }).getByRole('button', { name: 'Remove' }).click()
  await expect(page.getByRole('region', { name: '1 message in the queue' })).toBeVisible()
  gate.open()
  await expect(conversation(page)).toContainText('The queue was read.')
  await expect(page.getByRole('region', { name: /in the queue/ })).toBeHidden()
  expect(asked(server.requests[1])).toEqual(['Begin', 'first of all, changed'])
})
