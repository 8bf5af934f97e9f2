import type { Page } from '@playwright/test'
import { createGate } from '../support/fake-anthropic'
import { begin, conversation, expect, KEY, message, serve, task, test, text, tool } from './support'

/** Presses a key until something has the focus, as a user without a mouse does. */
async function reach(page: Page, name: string, key = 'Shift+Tab'): Promise<void> {
  const wanted = page.getByRole('button', { name, exact: true })
  await expect(wanted).toBeVisible()
  for (let press = 0; press < 20; press++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press(key)
  }
  await expect(wanted).toBeFocused()
}

test('approving and denying needs no mouse', async ({ page, start }) => {
  const { server } = await start([
    { blocks: [tool('bash', { command: 'echo first-ran', description: 'first' })] },
    { blocks: [tool('bash', { command: 'echo second-ran', description: 'second' })] },
    { blocks: [tool('bash', { command: 'echo third-ran', description: 'third' })] },
    text('Two ran, one did not.'),
  ])
  await expect(task(page)).toBeFocused()
  await begin(page, 'Run three commands')
  await expect(page.getByText('echo first-ran').first()).toBeVisible()
  await reach(page, 'Approve once')
  await page.keyboard.press('Enter')
  await expect(page.getByText('echo second-ran').first()).toBeVisible()
  // Nothing else has the focus any more, so the new card takes it: its own keys work, and Tab leads to its buttons.
  await expect(page.getByRole('region', { name: 'Approval needed' })).toBeFocused()
  await reach(page, 'Deny with a reason', 'Tab')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('textbox', { name: /Why not/ })).toBeFocused()
  await page.keyboard.type('not this one')
  await page.keyboard.press('Enter')
  await expect(page.getByText('echo third-ran').first()).toBeVisible()
  await expect(page.getByRole('region', { name: 'Approval needed' })).toBeFocused()
  await page.keyboard.press('y')
  await expect(conversation(page)).toContainText('Two ran, one did not.')
  const sent = JSON.stringify(server.requests[3]?.body.messages)
  expect(sent).toContain('"content":"first-ran"')
  expect(sent).toContain('"content":"third-ran"')
  expect(sent).toContain('not this one')
})

test('the theme chosen in the settings is there after a reload, from the first paint on', async ({ page, start }) => {
  await page.emulateMedia({ colorScheme: 'light' })
  await start([])
  const dark = () => page.evaluate(() => document.documentElement.classList.contains('dark'))
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  await expect(task(page)).toBeVisible()
  expect(await dark()).toBe(false)
  const light = await background()

  const settings = page.getByRole('dialog', { name: 'Settings' })
  const choose = async (theme: string) => {
    await page.keyboard.press('Control+,')
    await settings.getByRole('radio', { name: theme }).click()
    await expect(settings.getByRole('radio', { name: theme })).toBeChecked()
    await page.keyboard.press('Escape')
    await expect(settings).toBeHidden()
  }
  await choose('Dark')
  await expect.poll(dark).toBe(true)
  expect(await background()).not.toBe(light)
  // Before any script of the application has run, a reload must not flash the other theme.
  await page.reload({ waitUntil: 'commit' })
  await page.waitForFunction(() => document.body !== null)
  expect(await dark()).toBe(true)
  await expect(task(page)).toBeVisible()
  expect(await dark()).toBe(true)

  await choose('System')
  await expect.poll(dark).toBe(false)
  await page.emulateMedia({ colorScheme: 'dark' })
  await expect.poll(dark).toBe(true)
})

test('a session that another process works in is shown, says so, and cannot be written', async ({
  page,
  start,
  folder,
  context,
}) => {
  const gate = createGate()
  const { server } = await start([{ ...text('From the first.'), gate }])
  await begin(page, 'Work here')
  await server.request(0)
  const second = await serve(folder, { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: server.url })
  try {
    const other = await context.newPage()
    await other.goto(second.url)
    await other.getByRole('navigation', { name: 'Sessions' }).getByText('Work here').click()
    await expect(conversation(other)).toContainText('Work here')
    await expect(other.getByText('Another ML Intern works in this session')).toBeVisible()
    await expect(message(other)).toBeDisabled()
    gate.open()
    await expect(conversation(page)).toContainText('From the first.')
    await other.close()
  } finally {
    await second.stop()
  }
})

test('an address that was used, or is wrong, is refused with a page that says what to do', async ({
  page,
  start,
  browser,
}) => {
  const { app } = await start([])
  await expect(task(page)).toBeVisible()
  const stranger = await browser.newContext()
  try {
    const other = await stranger.newPage()
    const used = await other.goto(app.url)
    expect(used?.status()).toBe(401)
    await expect(other.getByRole('heading')).toHaveText('This address was used already')
    await expect(other.getByText('stop ML Intern in its terminal')).toBeVisible()
    const bare = await other.goto(new URL('/', app.url).href)
    expect(bare?.status()).toBe(401)
    await expect(other.getByRole('heading')).toHaveText('This window needs its address')
    expect(await stranger.cookies()).toEqual([])
  } finally {
    await stranger.close()
  }
  // The browser that is in stays in, with the old address too.
  await page.goto(app.url)
  await expect(task(page)).toBeVisible()
  expect(page.url()).not.toContain('token')
})

test('a window whose program was started again says that its address is no longer valid', async ({ page, start }) => {
  const { app } = await start([])
  await expect(task(page)).toBeVisible()
  await app.stop()
  await expect(page.getByText('Connection lost')).toBeVisible()
  const port = new URL(app.url).port
  const again = await serve(app.cwd, { ANTHROPIC_API_KEY: KEY }, port)
  try {
    await expect(page.getByText('This address is no longer valid')).toBeVisible()
    await page.goto(again.url)
    await expect(task(page)).toBeVisible()
  } finally {
    await again.stop()
  }
})
