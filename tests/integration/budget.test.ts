import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventsOf, runCli } from '../support/cli'
import { TEST_KEY, temporaryFolder } from '../support/engine'
import { type FakeAnthropic, type Script, startFakeAnthropic } from '../support/fake-anthropic'

let folder: string
let remove: () => Promise<void>
let server: FakeAnthropic | null = null

beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made.path
  remove = made.remove
})
afterEach(async () => {
  await server?.close()
  server = null
  await remove()
})

async function serve(script: Script): Promise<{ requests: FakeAnthropic['requests']; env: Record<string, string> }> {
  server = await startFakeAnthropic(script, { apiKey: TEST_KEY })
  return { requests: server.requests, env: { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: server.url } }
}
const say = (text: string) => ({ blocks: [{ type: 'text' as const, text }] })
const look = { blocks: [{ type: 'tool_use' as const, name: 'bash', input: { command: 'true' } }] }

describe('--max-cost', () => {
  it('reached: exit 4 with the reason and the way on; a higher one goes on with the same session', async () => {
    const { requests, env } = await serve([look, say('Done.')])
    const first = runCli(['go', '--max-cost', '0.000001', '--output-format', 'json'], { cwd: folder, env })
    expect(await first.done, first.stderr()).toBe(4)
    expect(requests).toHaveLength(0)
    expect(first.stderr()).toMatch(/next model call costs about \$0\.\d+.*cap of \$/s)
    const { session, status } = JSON.parse(first.stdout())
    expect(status).toBe('budget')
    expect(first.stderr()).toContain(`ml-intern --session ${session} --max-cost`)

    const more = runCli(['go on', '--session', session, '--max-cost', '5'], { cwd: folder, env })
    expect(await more.done, more.stderr()).toBe(0)
    expect(more.stdout()).toContain('Done.')
    expect(more.stderr()).toMatch(/\$\d\.\d+ left of the cap of \$5\.00/)

    const again = runCli(['more', '--session', session, '--max-cost', '0'], { cwd: folder, env })
    expect(await again.done).toBe(4)
    expect(again.stderr()).toContain('Stopped at the budget')
    expect(requests).toHaveLength(2)
  })

  it('with a model of unknown price: exit 4 before any request, and what can be done', async () => {
    const { requests, env } = await serve([say('Hello')])
    const args = ['go', '--model', 'anthropic/claude-unheard-of', '--max-cost', '5']
    const run = runCli(args, { cwd: folder, env })
    expect(await run.done, run.stderr()).toBe(4)
    expect(requests).toHaveLength(0)
    expect(run.stderr()).toMatch(/price of anthropic\/claude-unheard-of is not known.*"prices".*allow_unknown_price/s)
  })

  it('without a cap nothing is said of one', async () => {
    const { env } = await serve([say('Hello')])
    const run = runCli(['go', '--output-format', 'stream-json'], { cwd: folder, env })
    expect(await run.done).toBe(0)
    expect(eventsOf(run.stdout()).map(({ type }) => type)).not.toContain('budget_update')
    expect(run.stderr()).not.toMatch(/cap|budget/i)
  })

  it('the cap of the day counts the runs before it', async () => {
    const { requests, env } = await serve([say('One.'), say('Two.')])
    expect(await runCli(['go'], { cwd: folder, env }).done).toBe(0)
    await writeFile(join(folder, 'capped.json'), '{ "max_cost_per_day_usd": 0.0001 }')
    const run = runCli(['go', '--config', 'capped.json'], { cwd: folder, env })
    expect(await run.done, run.stderr()).toBe(4)
    expect(run.stderr()).toMatch(/today's cap of \$0\.0001 for all sessions/)
    expect(run.stderr()).not.toMatch(/ and \$0\.00 of today/)
    expect(requests).toHaveLength(1)
  })

  it('the demo costs nothing and runs under any cap', async () => {
    const run = runCli(['demo', '--max-cost', '0', '--max-iterations', '1'], { cwd: folder })
    expect(await run.done, run.stderr()).toBe(3)
  })
})
