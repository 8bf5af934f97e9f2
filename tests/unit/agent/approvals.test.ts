import type { ApprovalMode } from '@shared/settings'
import { describe, expect, it } from 'vitest'
import { ApprovalGate, decide } from '../../../src/main/agent/approvals'

const read = { tool: 'read', effect: 'read' } as const
const write = { tool: 'write', effect: 'write' } as const
const bash = { tool: 'bash', effect: 'execute' } as const

describe('decide', () => {
  it('never asks for reading, in any mode', () => {
    for (const mode of ['plan', 'ask', 'auto', 'full'] satisfies ApprovalMode[]) {
      expect(decide(read, mode, []).kind).toBe('allow')
    }
  })
  it('refuses every change and command in plan mode, even an allowed tool', () => {
    expect(decide(write, 'plan', ['write']).kind).toBe('deny')
    expect(decide(bash, 'plan', ['bash']).kind).toBe('deny')
  })
  it('asks in ask mode, unless this tool was allowed for the session', () => {
    expect(decide(write, 'ask', ['bash']).kind).toBe('ask')
    expect(decide(bash, 'ask', []).kind).toBe('ask')
    expect(decide(bash, 'ask', ['bash']).kind).toBe('allow')
  })
  it('runs in auto and full mode', () => {
    expect(decide(bash, 'auto', []).kind).toBe('allow')
    expect(decide(write, 'full', []).kind).toBe('allow')
  })
})

describe('ApprovalGate', () => {
  it('hands each decision to its own call, and says when nobody waits', async () => {
    const gate = new ApprovalGate()
    const { signal } = new AbortController()
    const first = gate.wait('a', signal)
    const second = gate.wait('b', signal)
    expect(gate.pending()).toEqual(['a', 'b'])
    expect(gate.resolve({ tool_call_id: 'b', approved: false })).toBe(true)
    expect(gate.resolve({ tool_call_id: 'a', approved: true })).toBe(true)
    expect(gate.resolve({ tool_call_id: 'a', approved: true })).toBe(false)
    expect(await first).toMatchObject({ approved: true })
    expect(await second).toMatchObject({ approved: false })
  })
  it('ends the wait at once on an interrupt, and forgets the call', async () => {
    const gate = new ApprovalGate()
    const controller = new AbortController()
    const waiting = gate.wait('a', controller.signal)
    controller.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
    expect(gate.pending()).toEqual([])
    await expect(gate.wait('b', controller.signal)).rejects.toThrow('stop')
  })
})
