import type { PlanItem } from '@shared/content'
import { z } from 'zod'
import { counted, defineTool } from './support'

const STATUSES = ['pending', 'in_progress', 'completed'] as const
const AGAIN = 'Re call the tool with correct format (mandatory).'

/**
 * The model gets the precise form, the parser takes anything: a wrong item is answered by `parsePlan` with a sentence that
 * names it, and extra fields and an absent list are fine.
 */
const schema = z
  .strictObject({
    todos: z
      .unknown()
      .optional()
      .meta({
        type: 'array',
        description: 'The complete plan, in order. It replaces the previous one; an empty list clears it.',
        items: {
          type: 'object',
          properties: {
            id: { type: 'string', description: 'Short and stable, such as "1".' },
            content: { type: 'string', description: 'The step, as a short instruction.' },
            status: { type: 'string', enum: STATUSES, description: 'Keep one step in_progress while you work.' },
          },
          required: ['id', 'content', 'status'],
          additionalProperties: false,
        },
      }),
  })
  .meta({ required: ['todos'] })

const description = `Sets the plan of this session, which the user sees all the time.

Use it for work of three or more steps: before you begin, when you begin or finish a step, and when the plan changes. Skip \
it for a single simple action.

- Every call replaces the whole plan: send all steps, the finished ones too.
- Mark a step in_progress when you begin it and completed right after you have checked that it is done; one step at a time.
- A step that failed or is only partly done stays in_progress; add steps for what has to be solved.`

export const planTool = defineTool({
  name: 'plan_tool',
  description,
  schema,
  concurrency: 'parallel',
  effect: () => 'read',
  intent: ({ todos }) => {
    const parsed = parsePlan(todos)
    if (!parsed.ok || parsed.plan.length === 0) return 'Update the plan'
    return `Plan: ${doneOf(parsed.plan)} of ${counted(parsed.plan.length, 'step')} done`
  },
  run: async ({ todos }, context) => {
    const parsed = parsePlan(todos)
    if (!parsed.ok) return { output: `Error: ${parsed.error} ${AGAIN}`, ok: false }
    context.set_plan(parsed.plan)
    return { output: describePlan(parsed.plan), ok: true }
  },
})

type ParsedPlan = { ok: true; plan: PlanItem[] } | { ok: false; error: string }

/** All or nothing. A missing list is an empty plan; ids may be numbers. */
function parsePlan(todos: unknown): ParsedPlan {
  if (todos === null || todos === undefined) return { ok: true, plan: [] }
  if (!Array.isArray(todos)) return { ok: false, error: "'todos' must be a list." }
  const plan: PlanItem[] = []
  for (const todo of todos as unknown[]) {
    if (typeof todo !== 'object' || todo === null || Array.isArray(todo)) {
      return { ok: false, error: 'Todo must be an object with id, content and status.' }
    }
    const fields: Record<string, unknown> = { ...todo }
    for (const field of ['id', 'content', 'status']) {
      if (fields[field] === undefined) return { ok: false, error: `Todo missing required field '${field}'.` }
    }
    const id = typeof fields.id === 'number' ? String(fields.id) : fields.id
    if (typeof id !== 'string') return { ok: false, error: "Todo field 'id' must be a string." }
    const { content } = fields
    if (typeof content !== 'string') return { ok: false, error: "Todo field 'content' must be a string." }
    const status = STATUSES.find((known) => known === fields.status)
    if (!status) {
      return { ok: false, error: `Invalid status '${String(fields.status)}'. Must be one of: ${STATUSES.join(', ')}.` }
    }
    plan.push({ ...fields, id, content, status })
  }
  return { ok: true, plan }
}

const GROUPS = [
  ['completed', '[x]'],
  ['in_progress', '[~]'],
  ['pending', '[ ]'],
] as const

function describePlan(plan: PlanItem[]): string {
  if (plan.length === 0) return 'Plan is empty.'
  const lines = GROUPS.flatMap(([status, box]) =>
    plan.filter((item) => item.status === status).map((item) => `  ${box} ${item.id}. ${item.content}`),
  )
  return `Plan updated:\n\n${lines.join('\n')}\n\n${doneOf(plan)}/${plan.length} done`
}

function doneOf(plan: PlanItem[]): number {
  return plan.filter((item) => item.status === 'completed').length
}
