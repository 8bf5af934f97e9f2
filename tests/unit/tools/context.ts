import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { PlanItem } from '@shared/content'
import { SessionFileTracker } from '../../../src/main/tools/registry'
import type { Tool, ToolContext, ToolResult } from '../../../src/main/tools/types'

export interface TestContext extends ToolContext {
  logged: { text: string; stream: 'stdout' | 'stderr' }[]
  plans: PlanItem[][]
}

/** A session in a folder of its own. */
export async function testContext(change: Partial<ToolContext> = {}): Promise<TestContext> {
  const cwd = await mkdtemp(join(tmpdir(), 'ml-intern-tools-'))
  const logged: TestContext['logged'] = []
  const plans: PlanItem[][] = []
  return {
    call_id: 'call_1',
    cwd,
    signal: new AbortController().signal,
    mode: 'full',
    outputs_dir: join(cwd, '.outputs'),
    files: new SessionFileTracker(),
    log: (text, stream) => logged.push({ text, stream }),
    set_plan: (plan) => plans.push(plan),
    plan: () => plans.at(-1) ?? [],
    env: { PATH: process.env.PATH, HOME: cwd, LANG: 'C.UTF-8' },
    secrets: () => [],
    logged,
    plans,
    ...change,
  }
}

export async function removeContext(context: ToolContext): Promise<void> {
  await rm(context.cwd, { recursive: true, force: true })
}

/** As the loop does it: arguments are checked first. */
export async function call(tool: Tool, input: unknown, context: ToolContext): Promise<ToolResult> {
  return tool.run(tool.schema.parse(input), context)
}

export async function fixture<T>(name: string): Promise<T> {
  const path = resolve(import.meta.dirname, '../../fixtures', `${name}.json`)
  return JSON.parse(await readFile(path, 'utf8')) as T
}

/** False for a process that is gone, and for one that is dead and only waits to be reaped. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat !== '' && !/\) [ZX] /.test(stat)
}
