import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Settings } from '@shared/settings'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { importConfig } from '../../../src/main/settings/import'
import { temporaryFolder } from '../../support/engine'

let folder: string
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made.path
  remove = made.remove
})
afterEach(() => remove())

/** As a file has it; written out, it looks like a mistake in a template. */
const variable = (name: string): string => ['$', '{', name, '}'].join('')

async function take(config: unknown, env: NodeJS.ProcessEnv = {}) {
  const file = join(folder, 'cli_agent_config.json')
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config))
  const saved: Partial<Settings>[] = []
  const save = (patch: Partial<Settings>) => Promise.resolve(saved.push(patch))
  const result = await importConfig(file, save, { env, model: (name) => (name.includes('/') ? `hf/${name}` : null) })
  expect(saved).toEqual(Object.keys(result.patch).length > 0 ? [result.patch] : [])
  return { patch: result.patch, notes: result.notes.map((note) => note.replace(`${file}: `, '')) }
}

describe('importConfig', () => {
  it('takes over the keys that mean something here, under our names', async () => {
    const { patch, notes } = await take({
      model_name: 'org/m',
      reasoning_effort: 'minimal',
      max_iterations: 50,
      yolo_mode: true,
      confirm_cpu_jobs: false,
      personal_trace_repo_template: '{hf_user}/mine',
    })
    expect(patch).toEqual({
      model: 'hf/org/m',
      effort: 'low',
      max_iterations: 50,
      mode: 'full',
      confirm_cpu_jobs: false,
      trace_repo: '{hf_user}/mine',
    })
    expect(notes).toEqual(['Mode “full” lets everything run without asking, as yolo_mode did.'])
  })

  it('says of every other key why it was left out, and takes the rest', async () => {
    const { patch, notes } = await take(
      {
        model_name: 'nothing',
        max_iterations: 'many',
        mcpServers: { a: { token: 'secret' } },
        whatever: 1,
        home: '/elsewhere',
        anthropic_base_url: 'https://evil.example',
        trace_repo: variable('MISSING'),
        reasoning_effort: 'high',
      },
      {},
    )
    expect(patch).toEqual({ effort: 'high' })
    const said = notes.join('\n')
    for (const key of [
      'model',
      'max_iterations',
      'mcpServers',
      'whatever',
      'home',
      'anthropic_base_url',
      'trace_repo',
    ]) {
      expect(said).toContain(`"${key}"`)
    }
    expect(said).not.toContain('secret')
  })

  it('keeps a variable as it was written', async () => {
    const { patch } = await take({ model_name: variable('M:-org/x') }, { M: 'org/y' })
    expect(patch).toEqual({ model: variable('M:-org/x') })
  })

  it('refuses what is no configuration, and changes nothing', async () => {
    await expect(take('[1]')).rejects.toMatchObject({ code: 'config' })
    await expect(take('{oops')).rejects.toMatchObject({ code: 'config' })
    await expect(
      importConfig(join(folder, 'none.json'), () => Promise.reject(new Error('no')), { env: {}, model: () => null }),
    ).rejects.toMatchObject({ code: 'config' })
    expect(await take({})).toEqual({ patch: {}, notes: [] })
  })
})
