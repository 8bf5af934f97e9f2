import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { begin, expect, message, test, text, tool } from './support'

const content = (folder: string, name: string) => readFile(join(folder, name), 'utf8').catch(() => null)

test('changed files of a turn: listed with their diffs, rewound, brought back, rewound with the conversation', async ({
  page,
  start,
  folder,
}) => {
  await writeFile(join(folder, 'train.py'), 'lr = 0.1\n')
  await start(
    [
      { blocks: [tool('bash', { command: 'echo "lr = 0.01" > train.py; echo 1 > metrics.json' })] },
      text('The rate is lower now.'),
    ],
    // A workspace that is or holds the home folder is not recorded.
    { HOME: tmpdir() },
    { mode: 'auto' },
  )
  await begin(page, 'lower the rate')
  await expect(page.getByText('The rate is lower now.').first()).toBeVisible()
  await page.getByRole('button', { name: /Changes \(2 files\)/ }).click()
  const changes = page.getByRole('tabpanel', { name: /Changes/ })
  await expect(changes.getByText('metrics.json')).toBeVisible()
  await changes.getByText('train.py').click()
  await expect(changes.getByText('lr = 0.1', { exact: true })).toBeVisible()
  await expect(changes.getByText('lr = 0.01', { exact: true })).toBeVisible()

  await changes.getByRole('button', { name: 'Rewind files', exact: true }).click()
  await page.getByRole('alertdialog').or(page.getByRole('dialog')).getByRole('button', { name: 'Rewind files' }).click()
  await expect(page.getByText('Files rewound: 2 files.').first()).toBeVisible()
  expect([await content(folder, 'train.py'), await content(folder, 'metrics.json')]).toEqual(['lr = 0.1\n', null])

  await changes.getByRole('button', { name: 'Undo' }).click()
  await expect(page.getByText('The rewind was taken back: 2 files.').first()).toBeVisible()
  expect(await content(folder, 'train.py')).toBe('lr = 0.01\n')

  await changes.getByRole('button', { name: 'Rewind files and conversation' }).click()
  await page.getByRole('alertdialog').or(page.getByRole('dialog')).getByRole('button', { name: 'Rewind both' }).click()
  await expect(message(page)).toHaveValue('lower the rate')
  await expect(page.getByText('The rate is lower now.')).toHaveCount(0)
  expect(await content(folder, 'train.py')).toBe('lr = 0.1\n')
})

test('a shell of the user’s own stands beside the agent’s commands, takes what is typed and is there after a reload', async ({
  page,
  start,
}) => {
  await start(
    [{ blocks: [tool('bash', { command: 'echo from the agent' })] }, text('Done.')],
    { SHELL: '/bin/bash' },
    { mode: 'auto' },
  )
  await begin(page, 'go')
  await expect(page.getByText('Done.', { exact: true }).first()).toBeVisible()
  await page.getByRole('tab', { name: 'Terminal' }).click()
  await expect(page.getByText('from the agent').last()).toBeVisible()
  await page.getByRole('button', { name: 'New shell' }).click()
  const shell = page.getByRole('tab', { name: /bash/ })
  await expect(shell).toBeVisible()
  const screen = page.locator('.xterm-rows').last()
  // The prompt is there: what is typed is read.
  await expect(screen).toContainText(/[$#]/)
  await page.keyboard.type('echo $((40 + 2))-mine\n')
  await expect(screen).toContainText('42-mine')

  await page.reload()
  await page.getByRole('tab', { name: 'Terminal' }).click()
  await page.getByRole('tab', { name: /bash/ }).click()
  await expect(page.locator('.xterm-rows').last()).toContainText('42-mine')
  await page.getByRole('tab', { name: 'Commands' }).click()
  await expect(page.getByText('from the agent').last()).toBeVisible()
})
