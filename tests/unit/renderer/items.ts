import type { AssistantItem, NoticeItem, SessionState, ToolItem, UserItem } from '@shared/state'
import { initialState } from '@shared/state'

let seq = 0
const base = (): { seq: number; time: string } => ({ seq: ++seq, time: '2026-03-05T12:00:00.000Z' })

export function user(key: string, text = 'Hello', source: UserItem['source'] = 'user'): UserItem {
  return { ...base(), kind: 'user', key, text, source }
}

export function assistant(key: string, text: string, more: Partial<AssistantItem> = {}): AssistantItem {
  return {
    ...base(),
    kind: 'assistant',
    key,
    text,
    reasoning: '',
    blocks: [],
    model: 'm',
    stop_reason: 'end_turn',
    seen_seq: null,
    partial: false,
    ...more,
  }
}

export function tool(key: string, more: Partial<ToolItem> = {}): ToolItem {
  return {
    ...base(),
    kind: 'tool',
    key,
    call_id: key,
    tool: 'bash',
    arguments: { command: 'python train.py' },
    intent: 'python train.py',
    state: 'ok',
    output: 'done\n',
    has_output: true,
    duration_ms: 2_100,
    spill: null,
    details: {
      kind: 'command',
      command: 'python train.py',
      cwd: '/project',
      exit_code: 0,
      signal: null,
      timed_out: false,
    },
    ...more,
  }
}

export function notice(key: string, kind: NoticeItem['notice']): NoticeItem {
  return { ...base(), kind: 'notice', key, notice: kind, text: 'It failed.', remedy: '', code: '' }
}

export function session(more: Partial<SessionState>): SessionState {
  return { ...initialState('11111111-1111-4111-8111-111111111111'), cwd: '/project', ...more }
}
