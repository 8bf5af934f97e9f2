import {
  costOf,
  decisionsOf,
  fillChoices,
  intentOf,
  longerScopes,
  replacementOf,
  scopeLimit,
  suggestedRules,
} from '@renderer/features/approvals/decisions'
import {
  formatArguments,
  mainArgument,
  parseArguments,
  sameArguments,
  withMain,
} from '@renderer/features/approvals/edits'
import { firstLines, patchOf, readPatch } from '@renderer/features/chat/diff-rules'
import type { ApprovalRequest } from '@shared/approvals'
import { operationSchema } from '@shared/operations'
import { describe, expect, it, vi } from 'vitest'

const request = (id: string, tool = 'bash', args: Record<string, unknown> = {}): ApprovalRequest => ({
  tool,
  arguments: args,
  tool_call_id: id,
})
const rule = { effect: 'allow', tool: 'bash', operation: 'run', pattern: 'git push *' } as const

describe('decisionsOf', () => {
  it('sends nothing while one request is undecided', () => {
    expect(decisionsOf([request('a'), request('b')], { a: { approved: true, scope: 'once' } })).toBeNull()
  })

  it('gives what the engine accepts, in order, with the reason of a denial', () => {
    const approvals = decisionsOf([request('a'), request('b'), request('c')], {
      c: { approved: false, feedback: ' '.repeat(3) },
      b: { approved: false, feedback: `  no ${'x'.repeat(20_000)}` },
      a: { approved: true, scope: 'session' },
    })
    expect(approvals?.map((d) => [d.tool_call_id, d.approved, d.scope, d.feedback?.length])).toEqual([
      ['a', true, 'session', undefined],
      ['b', false, undefined, 10_000],
      ['c', false, undefined, undefined],
    ])
    expect(operationSchema.safeParse({ op: 'exec_approval', approvals }).success).toBe(true)
  })

  it('sends the rules of a longer scope and what was edited, and neither with a denial or for once', () => {
    const requests = [request('a'), request('b'), request('c')]
    const edited = { command: 'git push --dry-run' }
    const approvals = decisionsOf(
      requests,
      {
        a: { approved: true, scope: 'project', rules: [rule] },
        b: { approved: true, scope: 'once', rules: [rule] },
        c: { approved: false, feedback: '' },
      },
      { a: edited, c: edited },
    )
    expect(approvals).toEqual([
      { tool_call_id: 'a', approved: true, scope: 'project', rules: [rule], arguments: edited },
      { tool_call_id: 'b', approved: true, scope: 'once' },
      { tool_call_id: 'c', approved: false },
    ])
    expect(operationSchema.safeParse({ op: 'exec_approval', approvals }).success).toBe(true)
  })

  it('answers all alike, but leaves the answers that were given (an “approve all” that overrules a denial)', () => {
    const requests = [request('a'), request('b')]
    const all = fillChoices(requests, { b: { approved: false, feedback: 'no' } }, { approved: true, scope: 'once' })
    expect(decisionsOf(requests, all)?.map(({ approved }) => approved)).toEqual([true, false])
  })
})

describe('scopes', () => {
  it('offers what is allowed and nothing longer (“always” for what spends money)', () => {
    const scopes = (more: Partial<ApprovalRequest>) => longerScopes({ ...request('a'), ...more }).map((s) => s.scope)
    expect(scopes({ max_scope: 'always' })).toEqual(['turn', 'session', 'project', 'always'])
    expect(scopes({ max_scope: 'session', risk: 'money' })).toEqual(['turn', 'session'])
    expect(scopes({ max_scope: 'once' })).toEqual([])
    // Nothing could be kept: what it does is known only when it runs.
    expect(scopes({ max_scope: 'always', suggested_rules: [] })).toEqual([])
    // A log of an older version.
    expect(scopes({})).toEqual(['turn', 'session'])
    expect(suggestedRules(request('a'))).toEqual([{ effect: 'allow', tool: 'bash' }])
    expect(scopeLimit({ ...request('a'), risk: 'schedule', max_scope: 'once' })).toContain('always asked')
    expect(scopeLimit({ ...request('a'), risk: 'secrets', max_scope: 'session' })).toContain('beyond this session')
    expect(scopeLimit(request('a'))).toBe('')
  })
})

describe('costOf', () => {
  it('tells a cost that is not known from one that is nothing', () => {
    const cost = (estimated_cost_usd?: number | null, remaining_cap_usd?: number | null) =>
      costOf({ ...request('a'), estimated_cost_usd, remaining_cap_usd })
    expect(cost()).toBeNull()
    expect(cost(null, 8.16)).toEqual({ amount: 'Cost not known', known: false, left: '$8.16 left', over: false })
    expect(cost(0)).toEqual({ amount: '$0.00', known: true, left: '', over: false })
    expect(cost(1.5, 8.16)).toEqual({ amount: '$1.50', known: true, left: 'of $8.16 left', over: false })
    expect(cost(1.5, 1)).toMatchObject({ left: 'more than the $1.00 left', over: true })
    expect(cost(1.5, null)).toMatchObject({ left: '' })
  })
})

describe('intentOf', () => {
  it('says what the preview does not, and nothing twice', () => {
    const intent = (tool: string, args: Record<string, unknown>, text: string) =>
      intentOf({ ...request('a', tool, args), intent: text })
    expect(intent('bash', { command: 'python train.py --lr 3' }, 'python train.py --l…')).toBe('')
    expect(intent('bash', { command: 'cd x\nmake' }, 'Build it')).toBe('Build it')
    expect(intent('write', { path: 'a', content: '' }, 'Write a (0 lines)')).toBe('')
    expect(intent('hf_jobs', { script: 'x' }, 'Train on a10g-small')).toBe('Train on a10g-small')
  })
})

describe('editing arguments', () => {
  it('edits the main text where there is one, and JSON elsewhere', () => {
    expect(mainArgument(request('a', 'bash', { command: 'ls' }))?.name).toBe('command')
    expect(mainArgument(request('a', 'edit', { old_str: 'a', new_str: '' }))?.name).toBe('new_str')
    expect(mainArgument(request('a', 'hf_jobs', { script: 'x' }))?.name).toBe('script')
    expect(mainArgument(request('a', 'bash', { command: 3 }))).toBeNull()
    expect(mainArgument(request('a', 'constructor', {}))).toBeNull()
    expect(withMain({ command: 'ls', timeout: 3 }, 'command', 'pwd')).toEqual({
      ok: true,
      value: { command: 'pwd', timeout: 3 },
    })
  })

  it('refuses what the engine would, with a message', () => {
    expect(parseArguments('{')).toMatchObject({ ok: false, message: expect.stringContaining('Not valid JSON') })
    expect(parseArguments('[1]')).toMatchObject({ ok: false })
    expect(parseArguments('null')).toMatchObject({ ok: false })
    expect(withMain({}, 'script', 'x'.repeat(2_000_001))).toMatchObject({
      ok: false,
      message: expect.stringContaining('too long'),
    })
    expect(parseArguments(formatArguments({ a: [1, { b: null }] }))).toEqual({
      ok: true,
      value: { a: [1, { b: null }] },
    })
  })

  it('knows when nothing was changed after all', () => {
    expect(sameArguments({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 })).toBe(true)
    expect(sameArguments({ a: 1 }, { a: 1, b: undefined })).toBe(false)
    expect(sameArguments([1], { 0: 1 })).toBe(false)
    expect(sameArguments(null, {})).toBe(false)
  })
})

describe('replacementOf', () => {
  it('shows what an edit will leave, whatever its mode', () => {
    const edit = (more: Record<string, unknown>) =>
      replacementOf(request('a', 'edit', { old_str: 'a\n', new_str: 'b\n', ...more }))
    expect(edit({})).toMatchObject({ before: 'a\n', after: 'b\n', everywhere: false })
    expect(edit({ mode: 'append_after' })).toMatchObject({ after: 'a\nb\n' })
    expect(edit({ mode: 'prepend_before' })).toMatchObject({ after: 'b\na\n' })
    expect(edit({ replace_all: true })).toMatchObject({ everywhere: true })
    expect(replacementOf(request('a', 'bash', { old_str: 'a' }))).toBeNull()
  })
})

describe('diffs', () => {
  const patch =
    '--- a/my file.py\t2026\n+++ b/my file.py\n@@ -1,2 +1,3 @@\n a\n--- b\n+++ c\n+d\n\\ No newline at end of file\n'
  it('reads a patch whatever its header, also lines that look like one', () => {
    const parsed = readPatch(patch)
    expect(parsed?.lines).toBe(4)
    expect(parsed?.hunks[0]?.changes.map((c) => c.content)).toEqual(['a', '-- b', '++ c', 'd'])
  })

  it('gives up on what is no patch instead of failing the whole row', () => {
    const noted = vi.spyOn(console, 'debug').mockImplementation(() => undefined)
    expect(readPatch('')).toBeNull()
    expect(readPatch('Binary files differ')).toBeNull()
    expect(readPatch('@@ -1 +1 @@\n\\ No newline at end of file')).toBeNull()
    // Only the last one got as far as the parser, whose complaint is for developers.
    expect(noted).toHaveBeenCalledExactlyOnceWith('a patch could not be parsed', expect.any(TypeError))
    noted.mockRestore()
  })

  it('cuts to the first lines', () => {
    const hunks = readPatch(patch)?.hunks ?? []
    expect(firstLines(hunks, 2)[0]?.changes).toHaveLength(2)
    expect(firstLines(hunks, 99)[0]).toBe(hunks[0])
  })

  it('compares a replacement before it is made, and not one that would take seconds', () => {
    expect(readPatch(patchOf('lr = 1\n', 'lr = 2\n') ?? '')?.lines).toBe(2)
    expect(readPatch(patchOf('no newline', 'still none') ?? '')?.lines).toBe(2)
    const other = (word: string) => Array.from({ length: 9_000 }, (_, i) => `${word} ${i * 7}`).join('\n')
    expect(patchOf(other('a'), other('b'))).toBeNull()
  })
})
