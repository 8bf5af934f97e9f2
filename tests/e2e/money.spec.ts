import { begin, conversation, expect, send, test, text } from './support'

/** 250,000 tokens of a model for $4 a million. */
const dollar = { usage: { input_tokens: 250_000, output_tokens: 10 } }

test('a cap ends the turn with its reason; raised, the work goes on', async ({ page, start }) => {
  const { server } = await start([{ ...text('The first dollar.'), ...dollar }, text('And on it goes.')])
  await begin(page, 'Spend')
  await expect(conversation(page)).toContainText('The first dollar.')
  await page.getByRole('button', { name: /^Cost \$1\.00/ }).click()
  const panel = page.getByRole('dialog', { name: 'Cost' })
  await expect(panel.getByRole('row', { name: /Conversation ×1/ })).toContainText('$1.00')
  await expect(panel).toContainText('There is no cap')
  await panel.getByRole('textbox', { name: 'Cap of this session, in all' }).fill('half')
  await expect(panel.getByRole('alert')).toContainText('A sum in US dollars')
  await panel.getByRole('textbox', { name: 'Cap of this session, in all' }).fill('1.05')
  await page.keyboard.press('Enter')
  await expect(panel).toContainText('$1.00 of $1.05')
  await expect(panel).toContainText('over 80 %')
  await page.keyboard.press('Escape')
  await expect(panel).toBeHidden()

  await send(page, 'More')
  await expect(conversation(page)).toContainText(/cap/i)
  expect(server.requests).toHaveLength(1)
  // What the terminal says to do is of no use here; the panel does it.
  await expect(conversation(page)).not.toContainText('--max-cost')
  await conversation(page).getByRole('button', { name: 'Cost and caps' }).click()
  await panel.getByRole('button', { name: /^Raise to \$5 and go on/ }).click()
  await expect(conversation(page)).toContainText('And on it goes.')
  await expect(page.getByRole('button', { name: /^Spent \$1\.0\d of \$5/ })).toBeVisible()
})

test('the context shows what it is made of, and is summarised when asked', async ({ page, start }) => {
  const long = 'A long answer about data sets. '.repeat(800)
  const { server } = await start([
    { ...text(long), usage: { input_tokens: 8_000, output_tokens: 6_000 } },
    text('Another answer.'),
    text('<summary>The user asked about data sets, and it was answered.</summary>'),
    text('From the summary.'),
  ])
  await begin(page, 'Explain data sets')
  await expect(conversation(page)).toContainText('about data sets.')
  await send(page, 'Go on')
  await expect(conversation(page)).toContainText('Another answer.')
  await page.getByRole('button', { name: /^Context/ }).click()
  const panel = page.getByRole('dialog', { name: 'Context' })
  await expect(panel).toContainText('Messages')
  await expect(panel).toContainText('At 85 % the conversation is summarised by itself. Not summarised so far.')
  await panel.getByRole('button', { name: 'Summarise now' }).click()
  await expect(panel).toBeHidden()
  const marker = conversation(page).getByRole('button', { name: /The conversation was summarised/ })
  await marker.click()
  await expect(conversation(page)).toContainText('The user asked about data sets, and it was answered.')
  await send(page, 'And?')
  await expect(conversation(page)).toContainText('From the summary.')
  const sent = JSON.stringify(server.requests[3]?.body.messages)
  expect(sent).toContain('it was answered')
  expect(sent.length).toBeLessThan(long.length)
})
