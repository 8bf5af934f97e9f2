import type { Page } from '@playwright/test'
import {
  begin,
  card,
  conversation,
  expect,
  KEY,
  send,
  serve,
  settingsOf,
  task,
  terminal,
  test,
  text,
  tool,
} from './support'

const bash = (command: string) => ({ blocks: [tool('bash', { command, description: 'a step' })] })

async function approveFor(page: Page, scope: string, rule: string): Promise<void> {
  await page.getByRole('button', { name: 'Approve for longer' }).click()
  await page.getByRole('menuitem', { name: scope }).click()
  await page.getByRole('textbox', { name: 'Rule 1' }).fill(rule)
  await page.keyboard.press('Enter')
}

test('a rule that is kept for the session or for always: the next such call does not ask', async ({ page, start }) => {
  const { app, server } = await start([
    bash('echo one'),
    bash('echo two'),
    text('Both ran.'),
    bash('touch kept-1'),
    bash('touch kept-2'),
    text('Both are there.'),
    bash('touch kept-3'),
    bash('echo asked-again'),
  ])
  await begin(page, 'Two steps')
  await expect(card(page)).toContainText('echo one')
  await approveFor(page, 'For this session…', 'bash run: echo *')
  await expect(conversation(page)).toContainText('Both ran.')
  // A rule of the session alone is nobody's setting.
  expect((await settingsOf(app)).approval_rules).toBeUndefined()

  await send(page, 'Two more')
  await expect(card(page)).toContainText('touch kept-1')
  await approveFor(page, 'Always…', 'bash run: touch *')
  await expect(conversation(page)).toContainText('Both are there.')
  const always = { effect: 'allow', tool: 'bash', operation: 'run', pattern: 'touch *' }
  expect((await settingsOf(app)).approval_rules).toEqual([always])

  // In another session the one holds, the other does not.
  await page.getByRole('button', { name: 'New session' }).click()
  await begin(page, 'Elsewhere')
  await expect(card(page)).toContainText('echo asked-again')
  expect(JSON.stringify(server.requests[7]?.body.messages)).toContain('kept-3')
})

test('a command is edited before it is approved: that one runs, and the model is told', async ({ page, start }) => {
  const { server } = await start([bash('echo as-the-model-wrote-it'), text('Seen.')])
  await begin(page, 'Run it')
  await card(page).getByRole('button', { name: 'Edit', exact: true }).click()
  await page.getByRole('textbox', { name: 'Command' }).fill('echo as-the-user-wrote-it')
  await page.keyboard.press('Control+Enter')
  await expect(card(page)).toContainText('Edited by you')
  await card(page).getByRole('button', { name: 'Approve once' }).click()
  await expect(conversation(page)).toContainText('Seen.')
  await page.getByRole('tab', { name: 'Terminal' }).click()
  await expect(terminal(page)).toContainText('as-the-user-wrote-it')
  await expect(terminal(page)).not.toContainText('as-the-model-wrote-it')
  expect(JSON.stringify(server.requests[1]?.body.messages)).toContain('echo as-the-user-wrote-it')
})

test('explain asks the model about a step, which goes on waiting; denied with a reason, it does not run', async ({
  page,
  start,
}) => {
  const { server } = await start([
    bash('chmod -R 700 .'),
    text('It closes the folder to **everybody else**.'),
    text('I leave it.'),
  ])
  await begin(page, 'Close it')
  await card(page).getByRole('button', { name: 'Explain' }).click()
  const explanation = page.getByRole('region', { name: 'Explanation' })
  await expect(explanation).toContainText('It closes the folder to everybody else.')
  await expect(card(page).getByRole('button', { name: 'Explain' })).toBeHidden()
  await card(page).getByRole('button', { name: 'Deny with a reason' }).click()
  await page.getByRole('textbox', { name: /Why not/ }).fill('others read here')
  await page.keyboard.press('Enter')
  await expect(conversation(page)).toContainText('I leave it.')
  const sent = JSON.stringify(server.requests[2]?.body.messages)
  expect(sent).toContain('others read here')
  // What was said to the user alone is no part of the conversation.
  expect(sent).not.toContain('everybody else')
})

test('a batch: one step approved, one denied, sent together', async ({ page, start }) => {
  const { server } = await start([
    {
      blocks: [
        tool('bash', { command: 'echo first-of-two' }),
        tool('write', { path: 'note.txt', content: 'never written\n' }),
      ],
    },
    text('One of two.'),
  ])
  await begin(page, 'Do both')
  const steps = page.getByRole('region', { name: '2 steps need your approval' })
  const send = steps.getByRole('button', { name: 'Send answers' })
  await expect(send).toBeDisabled()
  await steps.getByRole('region', { name: 'Run this command?' }).getByRole('button', { name: 'Approve once' }).click()
  await expect(steps).toContainText('1 of 2 decided')
  // A look at another session loses no answer.
  await page.getByRole('button', { name: 'New session' }).click()
  await expect(task(page)).toBeVisible()
  await page.getByRole('navigation', { name: 'Sessions' }).getByText('Do both').click()
  await expect(steps).toContainText('1 of 2 decided')
  await steps
    .getByRole('region', { name: 'Write this file?' })
    .getByRole('button', { name: 'Deny with a reason' })
    .click()
  await page.getByRole('textbox', { name: /Why not/ }).fill('no notes')
  await page.keyboard.press('Enter')
  await send.click()
  await expect(conversation(page)).toContainText('One of two.')
  const sent = JSON.stringify(server.requests[1]?.body.messages)
  expect(sent).toContain('"content":"first-of-two"')
  expect(sent).toContain('no notes')
})

test('a step that waited when the program ended waits after its restart, and can be approved', async ({
  page,
  start,
  folder,
}) => {
  const { app, server } = await start([bash('echo after-the-restart'), text('It ran after all.')])
  await begin(page, 'Wait for me')
  await expect(card(page)).toContainText('echo after-the-restart')
  await app.stop()
  const again = await serve(folder, { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: server.url })
  try {
    await page.goto(again.url)
    await page.getByRole('navigation', { name: 'Sessions' }).getByText('Wait for me').click()
    await expect(card(page)).toContainText('echo after-the-restart')
    await card(page).getByRole('button', { name: 'Approve once' }).click()
    await expect(conversation(page)).toContainText('It ran after all.')
    expect(JSON.stringify(server.requests[1]?.body.messages)).toContain('"content":"after-the-restart"')
  } finally {
    await again.stop()
  }
})

test('rules are added, changed, deleted and brought back in the settings, and hold', async ({ page, start }) => {
  const { app } = await start([bash('rm -rf build'), text('Denied by your rule.')])
  await expect(task(page)).toBeVisible()
  await page.keyboard.press('Control+,')
  const settings = page.getByRole('dialog', { name: 'Settings' })
  await settings.getByRole('tab', { name: 'Approvals' }).click()
  const every = settings.getByRole('region', { name: 'Every session' })
  await expect(every).toContainText('No rules.')
  await every.getByRole('button', { name: 'Add rule' }).click()
  const form = settings.getByRole('form', { name: 'New rule' })
  await form.getByRole('radio', { name: 'Allow' }).click()
  await form
    .getByRole('textbox', { name: 'Tool' })
    .or(form.getByRole('combobox', { name: 'Tool' }))
    .fill('bash')
  await form.getByRole('textbox', { name: 'Pattern' }).fill('rm *')
  await page.keyboard.press('Enter')
  await expect(every.getByRole('row', { name: /allow bash any rm \*/ })).toBeVisible()

  await every.getByRole('button', { name: 'Change allow bash: rm *' }).click()
  const change = settings.getByRole('form', { name: 'Change the rule' })
  await change.getByRole('radio', { name: 'Deny' }).click()
  await change.getByRole('button', { name: 'Save' }).click()
  const deny = { effect: 'deny', tool: 'bash', pattern: 'rm *' }
  await expect(every.getByRole('row', { name: /deny bash any rm \*/ })).toBeVisible()
  await expect.poll(async () => (await settingsOf(app)).approval_rules).toEqual([deny])

  await every.getByRole('button', { name: 'Delete deny bash: rm *' }).click()
  await expect(every).toContainText('No rules.')
  await expect.poll(async () => (await settingsOf(app)).approval_rules).toEqual([])
  await settings.getByRole('button', { name: 'Undo' }).click()
  await expect(every.getByRole('row', { name: /deny bash any rm \*/ })).toBeVisible()
  await expect.poll(async () => (await settingsOf(app)).approval_rules).toEqual([deny])
  await page.keyboard.press('Escape')
  await expect(settings).toBeHidden()

  await begin(page, 'Remove the build')
  await expect(conversation(page)).toContainText('Denied by your rule.')
  await expect(card(page)).toHaveCount(0)
})
