import { describe, expect, test } from 'vitest'
import { decide } from '../../../src/main/agent/approvals'
import { basePolicy, serviceEffect, serviceFacts, settingRules, withinCap } from '../../../src/main/tools/tool-policy'
import vectors from '../../fixtures/approval_policy.json'

/** Where the design wins over the reference. */
const STRICTER = new Map([
  ['config yolo_mode with unknown hardware still auto-approves', 'a budget fails closed on an unknown price'],
  ['session yolo repo delete auto-approved (not a budgeted tool)', 'a deletion on the Hub is always asked for'],
])

describe('approval_policy vectors', () => {
  test.each(vectors.vectors)('$name', ({ name, tool, args, config, session_yolo, expected }) => {
    const settings = { confirm_cpu_jobs: true, yolo_mode: false, ...config }
    const context = { confirm_cpu_jobs: settings.confirm_cpu_jobs, has_sandbox: session_yolo?.has_sandbox ?? false }
    const base = basePolicy(tool, args, context)
    if (!settings.yolo_mode && !session_yolo) {
      expect(base.asks).toBe(expected.requires_approval)
      // The reference has words for schedules only.
      if (expected.block_reason) expect(base.reason).toContain('Scheduled jobs')
      return
    }
    // Its "YOLO" is our mode Full under a cap.
    const { cap_usd = null, spent_usd = 0, reserved_in_batch_usd: reserved_usd = 0 } = session_yolo ?? {}
    const money = base.estimate && withinCap(base.estimate, { cap_usd, spent_usd, reserved_usd })
    const facts = serviceFacts(tool, args, '', context)
    const cost_problem = money?.problem ? { cost_problem: money.problem } : {}
    const verdict = decide(
      { tool, effect: serviceEffect(tool, args), ...facts, ...cost_problem },
      { mode: 'full', rules: [] },
    )
    expect(verdict.kind).toBe(expected.requires_approval || STRICTER.has(name) ? 'ask' : 'allow')
    if (STRICTER.has(name)) return
    if (expected.estimated_cost_usd !== null) expect(base.estimate?.usd).toBe(expected.estimated_cost_usd)
    if (expected.remaining_cap_usd !== null) expect(money?.remaining_usd).toBe(expected.remaining_cap_usd)
    if (money?.problem) {
      expect(money.problem.replace('the remaining cap of', 'remaining YOLO cap')).toBe(expected.block_reason)
      expect(verdict).toMatchObject({ reason: money.problem })
    }
  })
})

describe('tools of services in the modes', () => {
  const ask = (tool: string, args: Record<string, unknown>, mode: 'plan' | 'ask' | 'auto', confirm_cpu_jobs = true) => {
    const context = { confirm_cpu_jobs }
    const facts = serviceFacts(tool, args, 'a/b', context)
    return decide({ tool, effect: serviceEffect(tool, args), ...facts }, { mode, rules: settingRules(context) })
  }

  test('looking runs everywhere, a comment for all to see does not', () => {
    for (const args of [{ operation: ' LOGS ' }, { operation: 'scheduled ps' }]) {
      expect(ask('hf_jobs', args, 'plan').kind).toBe('allow')
    }
    expect(ask('hf_repo_git', { operation: 'comment_pr' }, 'plan').kind).toBe('deny')
    expect(ask('hf_repo_git', { operation: 'comment_pr' }, 'ask').kind).toBe('ask')
  })

  test('a CPU job without confirmation runs in Ask, not in Plan; one on a GPU asks in Auto', () => {
    const cpu = { operation: 'run', hardware_flavor: 'cpu-upgrade' }
    expect(ask('hf_jobs', cpu, 'ask').kind).toBe('ask')
    expect(ask('hf_jobs', cpu, 'ask', false).kind).toBe('allow')
    expect(ask('hf_jobs', cpu, 'plan', false).kind).toBe('deny')
    const gpu = { operation: 'run', hardware_flavor: 'cpu-upgrade-not' }
    expect(ask('hf_jobs', gpu, 'auto', false)).toMatchObject({ kind: 'ask', max_scope: 'session' })
  })

  test('the free sandbox needs no question, one that costs does', () => {
    expect(ask('sandbox_create', {}, 'ask').kind).toBe('allow')
    expect(ask('sandbox_create', { hardware: 't4-small' }, 'ask').kind).toBe('ask')
  })

  test.each([{ operation: null }, { operation: '__proto__' }, { operation: 'constructor' }, {}])('odd: %j', (args) => {
    for (const tool of ['hf_jobs', 'hf_repo_git', 'hf_repo_files', 'constructor']) {
      expect(basePolicy(tool, args, { confirm_cpu_jobs: true }).asks).toBe(false)
      expect(serviceEffect(tool, args)).toBe('write')
    }
  })
})
