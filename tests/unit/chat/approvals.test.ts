import { PassThrough } from 'node:stream'
import type { ApprovalRequest } from '@shared/approvals'
import type { Operation } from '@shared/operations'
import { initialState, type SessionState } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { Approvals, describe as describeCall } from '../../../src/main/hosts/chat/approvals'
import { editable } from '../../../src/main/hosts/chat/external-editor'
import { styleFor } from '../../../src/main/hosts/headless/style'

const style = styleFor(new PassThrough(), {})
const request = (id: string, more: Partial<ApprovalRequest> = {}): ApprovalRequest => ({
  tool: 'bash',
  arguments: { command: 'git push' },
  tool_call_id: id,
  max_scope: 'always',
  suggested_rules: [{ effect: 'allow', tool: 'bash', operation: 'run', pattern: 'git push *' }],
  ...more,
})

/** A user whose answers are given in order; an answer that is no key of the question is a failure. */
function conversation(requests: ApprovalRequest[], answers: (string | null)[], edits: (string | null)[] = []) {
  const operations: Operation[] = []
  const said: string[] = []
  const labels: string[] = []
  let interrupted = 0
  const session = {
    state: { ...initialState('s'), status: 'waiting_approval', pending_approvals: requests } as SessionState,
    submit: (operation: Operation) => {
      operations.push(operation)
      if (operation.op === 'exec_approval') {
        const decided = new Set(operation.approvals.map(({ tool_call_id }) => tool_call_id))
        const pending_approvals = session.state.pending_approvals.filter((r) => !decided.has(r.tool_call_id))
        session.state = { ...session.state, pending_approvals }
        approvals.look(null)
        if (pending_approvals.length === 0) over()
      }
      return Promise.resolve({ seq: 1 })
    },
  }
  let over: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    over = resolve
  })
  const next = async (): Promise<string | null> => {
    if (answers.length === 0) over()
    return answers.shift() ?? null
  }
  const ui = {
    say: (text: string) => void said.push(text),
    choose: (label: string, keys: string, signal?: AbortSignal) => {
      labels.push(label)
      const [answer] = answers
      if (typeof answer === 'string' && answer !== 'hang' && !keys.includes(answer))
        throw new Error(`no key: ${answer}`)
      if (answer === 'hang') {
        return new Promise<null>((resolve) => signal?.addEventListener('abort', () => resolve(null), { once: true }))
      }
      return next()
    },
    ask: () => next(),
    edit: async () => edits.shift() ?? null,
  }
  const approvals = new Approvals(session, ui, style, () => {
    interrupted++
    over()
  })
  approvals.look(null)
  return { operations, said, labels, done, session, approvals, interrupted: () => interrupted }
}
const decisions = (operations: Operation[]) =>
  operations.flatMap((operation) => (operation.op === 'exec_approval' ? operation.approvals : []))

describe('an approval in the terminal', () => {
  it.each<[string, (string | null)[], object]>([
    ['y', ['y'], { approved: true, scope: 'once' }],
    ['s', ['s'], { approved: true, scope: 'session' }],
    ['a', ['a'], { approved: true, scope: 'always' }],
    ['n', ['n'], { approved: false }],
    ['r, with the case of the reason', ['r', '  Keep README.md '], { approved: false, feedback: 'Keep README.md' }],
    ['r, taken back, then y', ['r', null, 'y'], { approved: true, scope: 'once' }],
  ])('%s', async (_name, answers, expected) => {
    const { operations, done } = conversation([request('c1')], answers)
    await done
    expect(decisions(operations)).toEqual([{ tool_call_id: 'c1', ...expected }])
  })

  it('offers no scope beyond the longest that is allowed, and session where a log does not say', async () => {
    const money = conversation([request('c1', { max_scope: 'once', risk: 'money' })], ['y'])
    await money.done
    expect(money.labels[0]).not.toMatch(/\[s\]|\[a\]|\[t\]|\[p\]/)
    expect(money.said.join()).not.toContain('would keep')
    const old = conversation([request('c1', { max_scope: undefined })], ['y'])
    await old.done
    expect(old.labels[0]).toContain('[s]ession')
    expect(old.labels[0]).not.toContain('[a]lways')
  })

  it('runs what was edited once, after it was shown, and keeps no rule for it', async () => {
    const { operations, labels, said, done } = conversation([request('c1')], ['e', 'y'], ['git push --dry-run\n'])
    await done
    expect(decisions(operations)).toEqual([
      { tool_call_id: 'c1', approved: true, scope: 'once', arguments: { command: 'git push --dry-run' } },
    ])
    expect(said.join()).toContain('git push --dry-run')
    expect(labels[1]).toMatch(/^Run it as edited\? \[y\]es, \[n\]o/)
  })

  it('asks again when the edited arguments are no JSON, with nothing sent', async () => {
    const call = request('c1', { arguments: { a: 1 } })
    const { operations, said, done } = conversation([call], ['e', 'n'], ['{"a": '])
    await done
    expect(said.join()).toContain('This is not JSON')
    expect(decisions(operations)).toEqual([{ tool_call_id: 'c1', approved: false }])
  })

  it('asks the model to explain and goes on asking', async () => {
    const { operations, done } = conversation([request('c1')], ['x', 'y'])
    await done
    expect(operations[0]).toEqual({ op: 'explain', tool_call_id: 'c1' })
    expect(decisions(operations)).toHaveLength(1)
  })

  it('answers a batch at once, or one by one in one operation', async () => {
    const all = conversation([request('c1'), request('c2')], ['y'])
    await all.done
    expect(all.operations).toHaveLength(1)
    expect(decisions(all.operations).map(({ approved }) => approved)).toEqual([true, true])
    const each = conversation([request('c1'), request('c2')], ['o', 'y', 'r', 'No'])
    await each.done
    expect(decisions(each.operations)).toEqual([
      { tool_call_id: 'c1', approved: true, scope: 'once' },
      { tool_call_id: 'c2', approved: false, feedback: 'No' },
    ])
  })

  it('stops the turn on Ctrl+C, asks nothing more about it, and asks about the next call', async () => {
    const { operations, labels, done, interrupted, session, approvals } = conversation([request('c1')], [null])
    await done
    expect(interrupted()).toBe(1)
    expect(operations).toEqual([])
    approvals.look(null)
    expect(labels).toHaveLength(1)
    session.state = { ...session.state, pending_approvals: [] }
    approvals.look(null)
    session.state = { ...session.state, pending_approvals: [request('c2')] }
    approvals.look(null)
    expect(labels).toHaveLength(2)
  })

  it('takes a question back when the call waits no longer, and answers nothing', async () => {
    const { operations, session, approvals, interrupted } = conversation([request('c1')], ['hang'])
    session.state = { ...session.state, pending_approvals: [] }
    approvals.look(null)
    await new Promise((resolve) => setImmediate(resolve))
    expect(operations).toEqual([])
    expect(interrupted()).toBe(0)
  })
})

describe('what is shown before it is decided', () => {
  it('says intent, reason, parts, risk, cost with what remains, and the exact rules', () => {
    const text = describeCall(
      request('c1', {
        intent: 'Publish the branch',
        block_reason: 'It leaves this machine',
        subjects: [
          { operation: 'run', text: 'git push' },
          { operation: 'run', text: 'rm\u202e -r x' },
        ],
        risk: 'money',
        estimated_cost_usd: 1.2,
        remaining_cap_usd: 3.8,
      }),
      style,
    )
    for (const part of [
      'Publish the branch',
      'It leaves this machine',
      'rm\\u202e -r x',
      'This spends money.',
      'about $1.20; $3.80 of the cap remains',
      't, s, p, a would keep:\n    allow bash run: git push *',
    ]) {
      expect(text).toContain(part)
    }
    expect(describeCall(request('c1', { estimated_cost_usd: null }), style)).toContain('Cost: not known')
  })

  it('edits the one long text as text, and everything else as JSON', () => {
    const script = editable({ script: 'print(1)\n', hardware: 'a10g' })
    expect(script).toMatchObject({ text: 'print(1)\n', extension: '.py' })
    expect(script.parse('print(2)\n')).toEqual({ script: 'print(2)\n', hardware: 'a10g' })
    expect(editable({ command: 'ls' }).parse('ls -l\n')).toEqual({ command: 'ls -l' })
    const json = editable({ path: 'a', n: 1 })
    expect(json.extension).toBe('.json')
    expect(json.parse('{"n": 2}')).toEqual({ n: 2 })
    expect(() => json.parse('[1]')).toThrow('one JSON object')
  })
})
