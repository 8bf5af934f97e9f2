import { startFakeOpenAi } from '../support/fake-openai'
import { begin, conversation, expect, message, send, test, text } from './support'

const LOCAL = 'local-model-7b'
const local = () =>
  startFakeOpenAi(
    [
      {
        json: {
          choices: [{ index: 0, message: { role: 'assistant', content: 'From this machine.' }, finish_reason: 'stop' }],
        },
      },
    ],
    {
      answers: { '/v1/models': { object: 'list', data: [{ id: LOCAL, object: 'model', max_model_len: 32_768 }] } },
    },
  )

test('another model is found by a part of its name and takes over in mid-session, of another provider too', async ({
  page,
  start,
}) => {
  const other = await local()
  try {
    const { server } = await start([text('From the first.'), text('From the small one.')], {
      VLLM_BASE_URL: other.url.replace(/\/v1$/, ''),
    })
    await begin(page, 'Who are you?')
    await expect(conversation(page)).toContainText('From the first.')
    await page.getByRole('button', { name: /^Model:/ }).click()
    await expect(page.getByRole('combobox', { name: 'Search models' })).toBeFocused()
    await page.keyboard.type('haiku')
    await expect(page.getByRole('option').first()).toContainText('claude-haiku-5-5')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('button', { name: /^Model: .*Haiku/ })).toBeVisible()
    await send(page, 'And now?')
    await expect(conversation(page)).toContainText('From the small one.')
    expect(server.requests.map(({ body }) => body.model)).toEqual(['claude-opus-5-5', 'claude-haiku-5-5'])

    await page.getByRole('button', { name: /^Model:/ }).click()
    await page.keyboard.type('local 7b')
    await expect(page.getByRole('option')).toHaveCount(1)
    await expect(page.getByRole('option')).toContainText('32.8k')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('button', { name: /^Model: .*local-model-7b/ })).toBeVisible()
    await send(page, 'And here?')
    await expect(conversation(page)).toContainText('From this machine.')
    expect(JSON.stringify(other.requests[0]?.body.messages)).toContain('From the small one.')
  } finally {
    await other.close()
  }
})

test('the effort is set at the top and by its command, and sent with the next call', async ({ page, start }) => {
  const { server } = await start([text('Quick.'), text('Thought about.'), text('As usual.')])
  await begin(page, 'Hello')
  await expect(conversation(page)).toContainText('Quick.')
  await page.getByRole('button', { name: /^Effort:/ }).click()
  await page.getByRole('menuitemradio', { name: /^High/ }).click()
  await expect(page.getByRole('button', { name: 'Effort: High' })).toBeVisible()
  await send(page, 'Think')
  await expect(conversation(page)).toContainText('Thought about.')

  // Without a level the command opens the same menu; the keyboard goes on there.
  await send(page, '/effort')
  await expect(page.getByRole('menuitemradio', { name: /^High/ })).toBeVisible()
  await page.keyboard.press('Home')
  await expect(page.getByRole('menuitemradio', { name: /^Model default/ })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Effort: Default effort' })).toBeVisible()
  await message(page).focus()
  await send(page, 'Again')
  await expect(conversation(page)).toContainText('As usual.')
  expect(server.requests.map(({ body }) => body.output_config?.effort)).toEqual([undefined, 'high', undefined])
})

test('a refusal says what was declined, and the same message goes to another model', async ({ page, start }) => {
  const other = await local()
  try {
    await start(
      [
        {
          blocks: [],
          stopReason: 'refusal',
          stopDetails: { category: 'frontier_llm', explanation: 'Work on large models was declined.' },
        },
      ],
      { VLLM_BASE_URL: other.url.replace(/\/v1$/, '') },
    )
    await begin(page, 'Pretrain a model')
    await expect(conversation(page)).toContainText(
      'declined this request (frontier_llm): Work on large models was declined.',
    )
    await page.getByRole('button', { name: `Ask ${LOCAL}` }).click()
    await expect(conversation(page)).toContainText('From this machine.')
    await expect(conversation(page)).not.toContainText('declined')
    expect(JSON.stringify(other.requests[0]?.body.messages)).toContain('Pretrain a model')
  } finally {
    await other.close()
  }
})

test('a narrow window with a long title and a long model name cuts no control off', async ({ page, start }) => {
  const id = 'a-checkpoint-with-a-very-long-name-that-says-how-it-was-made-v2-awq-int4'
  await start([text('Hello.')])
  await begin(page, 'A question that makes a title of more words than any bar at the top has room for')
  await expect(conversation(page)).toContainText('Hello.')
  await send(page, `/model vllm/${id}`)
  await expect(page.getByRole('button', { name: `Model: ${id}` })).toBeVisible()
  for (const width of [900, 1366]) {
    await page.setViewportSize({ width, height: 700 })
    const bar = page.getByRole('main').locator('header')
    const wide = () => bar.evaluate((header) => header.scrollWidth - header.clientWidth)
    await expect.poll(wide).toBeLessThanOrEqual(0)
    for (const control of [/^Model:/, /^Mode:/, /plan and terminal$/]) {
      await expect(bar.getByRole('button', { name: control })).toBeInViewport({ ratio: 1 })
    }
    await expect(bar.getByRole('heading')).toBeInViewport()
  }
})
