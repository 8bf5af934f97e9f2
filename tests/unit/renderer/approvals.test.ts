import { choiceForAll, decisionsOf, replacementOf } from '@renderer/features/approvals/decisions'
import { firstLines, patchOf, readPatch } from '@renderer/features/chat/diff-rules'
import { operationSchema } from '@shared/operations'
import { describe, expect, it, vi } from 'vitest'

const request = (id: string, tool = 'bash', args: Record<string, unknown> = {}) => ({
  tool,
  arguments: args,
  tool_call_id: id,
})

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

  it('answers all alike', () => {
    const requests = [request('a'), request('b')]
    expect(decisionsOf(requests, choiceForAll(requests, { approved: true, scope: 'once' }))).toHaveLength(2)
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
