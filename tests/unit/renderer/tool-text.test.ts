import { activityOf, openTools } from '@renderer/features/chat/activity'
import { describeTool, endOf, stateLabel, toolName } from '@renderer/features/chat/tool-text'
import { describe, expect, it } from 'vitest'
import { session, tool, user } from './items'

describe('describeTool', () => {
  it('speaks of commands and files, not of tool names', () => {
    const said = (name: string, args: Record<string, unknown>, intent = '') => {
      const { name: word, detail, note } = describeTool({ tool: name, arguments: args, intent }, '/project')
      return [word, detail, note].filter(Boolean).join(' | ')
    }
    expect(said('bash', { command: '  ls -la\nwc -l x' })).toBe('Run | ls -la …')
    expect(said('write', { path: '/project/train.py', content: 'a\nb\n' })).toBe('Write | train.py | 2 lines')
    expect(said('edit', { path: '/project/train.py' })).toBe('Edit | train.py')
    expect(said('plan_tool', { todos: [{ status: 'completed' }, { status: 'pending' }] })).toBe('Plan | 1 of 2 done')
    expect(said('hf_papers', { query: 'setfit' })).toBe('Hf papers | setfit')
    expect(said('write', {}, 'Write train.py (2 lines)')).toBe('Write | train.py (2 lines)')
  })

  it('names the lines that were read', () => {
    const details = { kind: 'file', path: '/project/a.csv', first_line: 1, last_line: 200 } as const
    expect(
      describeTool(tool('1', { tool: 'read', arguments: { path: '/project/a.csv' }, details }), '/project').note,
    ).toBe('lines 1–200')
  })

  it('survives arguments of the wrong type', () => {
    expect(describeTool({ tool: 'bash', arguments: { command: 7 }, intent: '' }, '').detail).toBe('')
    expect(toolName('__proto__')).toBeTruthy()
    expect(toolName('constructor')).toBe('Constructor')
  })
})

describe('endOf', () => {
  const ended = { kind: 'command', command: 'x', cwd: '', exit_code: 0, signal: null, timed_out: false } as const
  it('says how a command failed, and nothing when it did not', () => {
    expect(endOf(ended)).toBe('')
    expect(endOf({ ...ended, exit_code: 1 })).toBe('exit 1')
    expect(endOf({ ...ended, exit_code: null, signal: 'SIGKILL' })).toBe('SIGKILL')
    expect(endOf({ ...ended, exit_code: null, signal: 'SIGKILL', timed_out: true })).toBe('timed out')
    expect(stateLabel('rejected')).toBe('Denied')
  })
})

describe('activityOf', () => {
  const running = session({ status: 'running', activity: 'Thinking' })
  it('is nothing when nothing runs: no spinner lies', () => {
    expect(activityOf(session({}), 0)).toBeNull()
  })

  it('names the command that runs', () => {
    const state = { ...running, items: [user('u'), tool('1', { state: 'running' })] }
    expect(activityOf(state, 0)).toMatchObject({ text: 'Running', code: 'python train.py' })
    expect(activityOf({ ...state, items: [...state.items, tool('2', { state: 'running' })] }, 0)?.text).toBe(
      'Running 2 tools',
    )
  })

  it('does not take a call of an earlier turn for one that runs', () => {
    const state = { ...running, items: [tool('1', { state: 'running' }), user('u')] }
    expect(openTools(state)).toEqual([])
    expect(
      openTools({ ...running, items: [user('u'), tool('1', { state: 'running' }), user('s', 'x', 'steer')] }),
    ).toHaveLength(1)
  })

  it('counts down to the next attempt', () => {
    const retry = { attempt: 2, delay_ms: 4_000, reason: 'overloaded' }
    expect(activityOf({ ...running, retry }, 10_000)).toEqual({
      text: 'overloaded · attempt 2',
      code: '',
      retryAt: 14_000,
    })
  })

  it('tells thinking from writing', () => {
    const draft = { id: 'a', text: '', reasoning: 'Hm', started_at: '' }
    expect(activityOf({ ...running, draft }, 0)?.text).toBe('Thinking')
    expect(activityOf({ ...running, draft: { ...draft, text: 'So' } }, 0)?.text).toBe('Writing')
  })
})
