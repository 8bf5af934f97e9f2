import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createGate } from '../support/fake-anthropic'
import { begin, conversation, expect, KEY, message, send, test, text, tool } from './support'

test('commands: completed from the list, mended where they are wrong, and never sent to the model', async ({
  page,
  start,
}) => {
  const { server } = await start([
    text('Hello.'),
    text('Long. '.repeat(2_000)),
    text('Short.'),
    text('<summary>A greeting.</summary>'),
  ])
  await begin(page, 'Hi')
  await expect(conversation(page)).toContainText('Hello.')

  // An unknown one, and a wrong argument: said, and the text stays to be mended.
  await send(page, '/modle')
  await expect(page.getByText('There is no command /modle. Did you mean /model?')).toBeVisible()
  await expect(message(page)).toHaveValue('/modle')
  await send(page, '/mode quick')
  await expect(page.getByText(/"quick" is no mode/)).toBeVisible()
  await expect(message(page)).toHaveValue('/mode quick')

  await send(page, '/mode plan')
  await expect(page.getByRole('button', { name: 'Mode: Plan' })).toBeVisible()
  await expect(message(page)).toHaveValue('')
  await message(page).pressSequentially('/mod')
  const list = page.getByRole('listbox', { name: 'Commands' })
  await expect(list.getByRole('option')).toHaveText([/^\/model/, /^\/mode/])
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Tab')
  await expect(message(page)).toHaveValue('/mode ')
  await page.keyboard.type('a')
  await expect(page.getByRole('listbox', { name: 'Values' }).getByRole('option').first()).toContainText('ask')
  await page.keyboard.type('uto')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Mode: Auto' })).toBeVisible()

  await send(page, '/mode')
  await expect(page.getByRole('menuitemradio', { name: /^Auto/ })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('menuitemradio', { name: /^Auto/ })).toBeHidden()
  await send(page, '/model')
  await expect(page.getByRole('combobox', { name: 'Search models' })).toBeFocused()
  await page.keyboard.press('Escape')
  await send(page, '/model anthropic/claude-haiku-5-5')
  await expect(page.getByRole('button', { name: /^Model: .*Haiku/ })).toBeVisible()

  await send(page, '/compact')
  await expect(page.getByText(/too little in this conversation/)).toBeVisible()
  await send(page, 'At length, please')
  await expect(conversation(page)).toContainText('Long.')
  await send(page, 'And shorter')
  await expect(conversation(page).getByText('Short.', { exact: true })).toBeVisible()
  await send(page, '/compact')
  await expect(conversation(page)).toContainText(/was summarised/)
  await send(page, '/undo')
  await expect(conversation(page)).not.toContainText('And shorter')
  expect(JSON.stringify(server.requests.map(({ body }) => body.messages))).not.toContain('/mod')
})

test('an export is downloaded as a file, and no secret is in it', async ({ page, start }) => {
  await start([
    { blocks: [tool('bash', { command: `echo token=${KEY}`, description: 'show it' })] },
    text('The *key* was shown.'),
  ])
  await begin(page, 'Show the key')
  await page.getByRole('button', { name: 'Approve once' }).click()
  await expect(conversation(page)).toContainText('The key was shown.')
  for (const [command, name, sign] of [
    ['/export', /\.md$/, 'The *key* was shown.'],
    ['/export html page.html', /^page\.html$/, '<em>key</em>'],
    ['/export trace', /\.jsonl$/, '"sessionId"'],
  ] as const) {
    const [download] = await Promise.all([page.waitForEvent('download'), send(page, command)])
    expect(download.suggestedFilename()).toMatch(name)
    const exported = await readFile(await download.path(), 'utf8')
    expect(exported).toContain(sign)
    expect(exported).not.toContain(KEY)
  }
  // From the menu too.
  await page.getByRole('button', { name: 'Actions of this session' }).click()
  await page.getByRole('menuitem', { name: 'Export' }).click()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: /^JSONL/ }).click(),
  ])
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ seq: expect.any(Number) })
  expect(lines.join('\n')).not.toContain(KEY)
})

test('files are completed after @, into folders, in quotes where the name has a space', async ({
  page,
  start,
  folder,
}) => {
  await mkdir(join(folder, 'data sets'))
  await writeFile(join(folder, 'data sets', 'my corpus.jsonl'), '')
  await writeFile(join(folder, 'train.py'), '')
  const { server } = await start([text('Ready.'), text('Read.')])
  await begin(page, 'Hi')
  await expect(conversation(page)).toContainText('Ready.')
  const files = page.getByRole('listbox', { name: 'Files' })
  await message(page).pressSequentially('compare @tr')
  await expect(files.getByRole('option', { name: 'train.py' })).toBeVisible()
  await page.keyboard.press('Tab')
  await expect(message(page)).toHaveValue('compare @train.py ')
  await message(page).pressSequentially('with @da')
  await expect(files.getByRole('option', { name: 'data sets/' })).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(message(page)).toHaveValue('compare @train.py with @"data sets/')
  await files.getByRole('option', { name: 'my corpus.jsonl' }).click()
  await expect(message(page)).toHaveValue('compare @train.py with @"data sets/my corpus.jsonl" ')
  await expect(files).toBeHidden()
  await page.keyboard.press('Enter')
  await expect(conversation(page)).toContainText('Read.')
  expect(JSON.stringify(server.requests[1]?.body.messages.at(-1))).toContain('data sets/my corpus.jsonl')
})

test('Escape closes what is nearest: the list, then the panel, and only then it stops the turn', async ({
  page,
  start,
}) => {
  const gate = createGate()
  await start([{ ...text('Half. Rest.', ['Half. ', 'Rest.']), gate, afterChunks: 1, unbatched: true }])
  await begin(page, 'Go')
  await expect(conversation(page)).toContainText('Half.')
  await message(page).pressSequentially('/bud')
  await expect(page.getByRole('listbox', { name: 'Commands' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('listbox', { name: 'Commands' })).toBeHidden()
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible()
  await page.keyboard.type('get')
  await page.keyboard.press('Enter')
  const panel = page.getByRole('dialog', { name: 'Cost' })
  await expect(panel).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(panel).toBeHidden()
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible()
  await send(page, '/mode')
  await expect(page.getByRole('menuitemradio', { name: /^Ask/ })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('menuitemradio', { name: /^Ask/ })).toBeHidden()
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible()
  await message(page).press('Escape')
  await expect(conversation(page)).toContainText('Stopped by you')
})
