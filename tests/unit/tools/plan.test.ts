import type { PlanItem } from '@shared/content'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { planTool } from '../../../src/main/tools/plan'
import { call, fixture, removeContext, type TestContext, testContext } from './context'

interface Vectors {
  vectors: {
    name: string
    todos: unknown
    expected: { error: boolean; output: string; stored: PlanItem[] | null; events: number }
  }[]
}
const { vectors } = await fixture<Vectors>('plan_tool')

describe('plan_tool', () => {
  let context: TestContext
  beforeEach(async () => {
    context = await testContext()
  })
  afterEach(() => removeContext(context))

  for (const { name, todos, expected } of vectors) {
    it(`vector ${name}`, async () => {
      const result = await call(planTool, todos === null ? {} : { todos }, context)
      expect(result).toEqual({ output: expected.output, ok: !expected.error })
      expect(context.plans).toHaveLength(expected.events)
      if (expected.stored) expect(context.plans.at(-1)).toEqual(expected.stored)
    })
  }

  it('groups by state, and takes null as an empty plan', async () => {
    const todos = [
      { id: 'a', content: 'A', status: 'pending' },
      { id: 'b', content: 'B', status: 'completed' },
      { id: 'c', content: 'C', status: 'in_progress' },
    ]
    const { output } = await call(planTool, { todos }, context)
    expect(output).toBe('Plan updated:\n\n  [x] b. B\n  [~] c. C\n  [ ] a. A\n\n1/3 done')
    expect(await call(planTool, { todos: null }, context)).toMatchObject({ output: 'Plan is empty.' })
    expect(context.plan()).toEqual([])
  })

  it('takes numbers as ids, and refuses everything else as a whole', async () => {
    const good = { id: 1, content: 'A', status: 'pending' }
    await call(planTool, { todos: [good] }, context)
    expect(context.plan()).toEqual([{ id: '1', content: 'A', status: 'pending' }])
    for (const bad of [{ ...good, content: 3 }, { ...good, id: null }, 'text', null, [], { ...good, status: {} }]) {
      expect(await call(planTool, { todos: [good, bad] }, context)).toMatchObject({ ok: false })
    }
    expect(await call(planTool, { todos: '[]' }, context)).toMatchObject({ ok: false })
    expect(context.plans).toHaveLength(1)
  })
})
