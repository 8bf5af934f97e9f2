import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyCompletion, complete } from '../../../src/main/hosts/chat/completion'
import { Editor } from '../../../src/main/hosts/chat/editor'
import { completePath } from '../../../src/main/workspace/complete-path'
import { temporaryFolder } from '../../support/engine'

let folder: string
let cwd: string
let remove: () => Promise<void>

beforeAll(async () => {
  const made = await temporaryFolder()
  folder = made.path
  remove = made.remove
  cwd = join(folder, 'project')
  await mkdir(join(cwd, 'src/deep'), { recursive: true })
  for (const name of ['.git', 'node_modules', '.github', 'my data']) await mkdir(join(cwd, name))
  for (const name of ['train.py', 'Trainer.md', '.env', 'src/deep/loader.py', 'node_modules/loader.js']) {
    await writeFile(join(cwd, name), '')
  }
  await writeFile(join(folder, 'secret.txt'), '')
  await symlink(folder, join(cwd, 'out'))
  await symlink(cwd, join(cwd, 'src/loop'))
})
afterAll(() => remove())

describe('completePath', () => {
  it.each<[string, string[]]>([
    ['', ['my data/', 'out/', 'src/', 'train.py', 'Trainer.md']],
    ['tr', ['train.py', 'Trainer.md']],
    ['src/', ['src/deep/', 'src/loop/']],
    ['src/de', ['src/deep/']],
    ['.g', ['.git/', '.github/']],
    ['node', ['node_modules/']],
    ['node_modules/', ['node_modules/loader.js']],
    // No entry here begins so: the nearest that holds it, once, links not followed.
    ['load', ['src/deep/loader.py']],
    ['nothing-at-all', []],
  ])('%j', async (prefix, expected) => {
    expect(await completePath(cwd, prefix, 50)).toEqual(expected)
  })

  it.each(['../', '../sec', '/etc/', '~/', 'out/', 'out/sec', 'src/../../', 'missing/', 'a\0b'])(
    'gives nothing outside of the folder for %j',
    async (prefix) => {
      expect(await completePath(cwd, prefix, 50)).toEqual([])
    },
  )

  it('gives at most as many as asked for, and at most 50', async () => {
    const many = join(folder, 'many')
    await mkdir(many)
    await Promise.all(Array.from({ length: 60 }, (_, i) => writeFile(join(many, `f${i}`), '')))
    expect(await completePath(many, 'f', 3)).toHaveLength(3)
    expect(await completePath(many, 'f', 1000)).toHaveLength(50)
    expect(await completePath(join(folder, 'gone'), 'f', 3)).toEqual([])
  })
})

describe('Tab', () => {
  const sources = {
    paths: (prefix: string) => completePath(cwd, prefix, 50),
    models: async () => ['anthropic/claude-opus-5-5', 'ollama/qwen'],
    sessions: async () => ['1111-a', '1122-b'],
  }
  async function tab(text: string, cursor = text.length): Promise<[string, string[]]> {
    const editor = new Editor()
    editor.set(text, cursor)
    const completion = await complete(text, cursor, sources)
    const left = completion ? applyCompletion(editor, completion) : []
    return [`${editor.text.slice(0, editor.cursor)}|${editor.text.slice(editor.cursor)}`, left]
  }

  it.each<[string, string, string[]]>([
    ['/stat', '/status |', []],
    ['/mo', '/mode|', ['/model', '/mode']],
    ['/mode p', '/mode plan |', []],
    ['/effort m', '/effort m|', ['medium', 'max']],
    ['/model opus', '/model anthropic/claude-opus-5-5 |', []],
    ['/resume 11', '/resume 11|', ['1111-a', '1122-b']],
    ['/export htm', '/export html |', []],
    ['/rename tr', '/rename tr|', []],
    ['look at @src/de', 'look at @src/deep/|', []],
    ['@tr', '@train|', ['train.py', 'Trainer.md']],
    ['@my', '@"my data/|', []],
    ['me@example.org', 'me@example.org|', []],
    ['plain', 'plain|', []],
  ])('%j becomes %j', async (text, expected, choices) => {
    expect(await tab(text)).toEqual([expected, choices])
  })

  it('completes in the middle of a text', async () => {
    expect((await tab('see @src/de please', 11))[0]).toBe('see @src/deep/| please')
  })
})
