import { readFile } from 'node:fs/promises'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { exportSession } from '../../../src/main/session/export'
import { type TraceMessage, TraceRows } from '../../../src/main/session/export/trace'
import { makeEvent, SESSION, userMessage } from '../../support/log-events'

interface Vector {
  name: string
  trajectory: { session_id: string; model_name: string; session_start_time: string; messages: TraceMessage[] }
  expected: unknown[]
}
const fixture = new URL('../../fixtures/claude_code_trace.json', import.meta.url)
const { vectors } = JSON.parse(await readFile(fixture, 'utf8')) as { vectors: Vector[] }

describe('rows of a Claude-Code trace, as the reference makes them', () => {
  it.each(vectors)('$name', ({ trajectory, expected }) => {
    const rows = new TraceRows(trajectory)
    expect(trajectory.messages.map((message) => rows.row(message)).filter((row) => row !== null)).toEqual(expected)
  })

  it('messages without a row count in the numbering and break no chain', () => {
    const rows = new TraceRows({ session_id: 's', model_name: 'm', session_start_time: 't' })
    expect(rows.row({ role: 'system', content: 'rules' })).toBeNull()
    expect(rows.row({ role: 'assistant', content: '' })).toBeNull()
    const first = rows.row({ role: 'user', content: 'a' })
    const direct = new TraceRows({ session_id: 's', model_name: 'm', session_start_time: 't' }).row({ role: 'user' })
    expect(first).toMatchObject({ parentUuid: null })
    expect(first?.uuid).not.toBe(direct?.uuid)
    expect(rows.row({ role: 'user', content: 'b' })).toMatchObject({ parentUuid: first?.uuid })
  })
})

it('a session becomes a chain of what was said, with the times and models of its own', async () => {
  const call = { type: 'tool_use' as const, id: 'c1', name: 'bash', input: { command: 'ls' } }
  const state = foldEvents(initialState(SESSION), [
    makeEvent(1, 'session_update', { model: 'anthropic/m', title: 't' }),
    userMessage(2, 'Look'),
    makeEvent(3, 'assistant_message', {
      id: 'a',
      content: '',
      blocks: [call],
      model: 'other/m',
      stop_reason: 'tool_use',
    }),
    makeEvent(4, 'tool_call', { tool: 'bash', tool_call_id: 'c1', arguments: call.input }),
    makeEvent(5, 'tool_output', {
      tool: 'bash',
      tool_call_id: 'c1',
      output: 'data.csv',
      success: true,
      duration_ms: 1,
    }),
    makeEvent(6, 'guard', { kind: 'plan', content: 'Go on.' }),
    makeEvent(7, 'error', { error: 'No connection', code: 'network' }),
    userMessage(8, 'taken back'),
    makeEvent(9, 'undo_complete', { user_message_id: 'u8' }),
  ])
  let text = ''
  for await (const piece of exportSession({ state, log_file: '', secrets: [] }, 'trace')) text += piece
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(rows.map(({ message }) => message)).toEqual([
    { role: 'user', content: 'Look' },
    {
      role: 'assistant',
      model: 'other/m',
      content: [{ type: 'tool_use', id: 'c1', name: 'bash', input: { command: 'ls' } }],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: 'data.csv' }] },
    { role: 'user', content: '[Automatic note from ML Intern, not from the user]\nGo on.' },
  ])
  expect(rows.map(({ parentUuid }) => parentUuid)).toEqual([null, ...rows.slice(0, -1).map(({ uuid }) => uuid)])
  expect(rows[0]).toMatchObject({ sessionId: SESSION, timestamp: state.items[0]?.time })
})
