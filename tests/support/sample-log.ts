import type { EventData, EventType, SessionEvent } from '@shared/events'

export const SAMPLE_SESSION = '3f2b8c1e-9d4a-4c6b-8a7e-1234567890ab'

/** Builds events with the numbers and times of a real log. */
export function recorder(session = SAMPLE_SESSION) {
  const events: SessionEvent[] = []
  const start = Date.UTC(2026, 10, 20, 9, 0, 0)
  const add = <T extends EventType>(type: T, data: EventData<T>): void => {
    const seq = events.length + 1
    events.push({ seq, time: new Date(start + seq * 137).toISOString(), session, type, data } as SessionEvent)
  }
  return { events, add }
}

/** A session with every kind of event the loop can write: two turns, a retry, an approval, an interrupt, an undo. */
export function sampleLog(): SessionEvent[] {
  const { events, add } = recorder()
  add('session_update', {
    created: { log_version: 1, app_version: '0.1.0' },
    cwd: '/data/project',
    model: 'anthropic/claude-opus-5-5',
    mode: 'ask',
    effort: null,
  })
  add('ready', { message: 'Ready', tool_count: 5 })
  add('user_message', { id: 'u1', content: 'Train a classifier\non data.csv', source: 'user' })
  add('processing', { message: 'Thinking' })
  add('reasoning_chunk', { id: 'a0', content: 'Look ' })
  add('assistant_chunk', { id: 'a0', content: 'thrown away' })
  add('assistant_stream_end', { id: 'a0', discarded: true, reason: 'overloaded' })
  add('processing', { message: 'Trying again', retry: { attempt: 1, delay_ms: 500, reason: 'overloaded' } })
  add('reasoning_chunk', { id: 'a1', content: 'Look at ' })
  add('reasoning_chunk', { id: 'a1', content: 'the data.' })
  for (const content of ['I will ', 'look at ', 'the data.']) add('assistant_chunk', { id: 'a1', content })
  add('assistant_message', {
    id: 'a1',
    content: 'I will look at the data.',
    blocks: [
      { type: 'reasoning', text: 'Look at the data.', signature: 'c2ln' },
      { type: 'text', text: 'I will look at the data.' },
      { type: 'tool_use', id: 't1', name: 'bash', input: { command: 'head data.csv' } },
      { type: 'tool_use', id: 't2', name: 'plan_tool', input: { todos: [] } },
    ],
    model: 'anthropic/claude-opus-5-5',
    stop_reason: 'tool_use',
  })
  add('assistant_stream_end', { id: 'a1' })
  add('llm_call', {
    model: 'anthropic/claude-opus-5-5',
    latency_ms: 812,
    first_token_ms: 120,
    finish_reason: 'tool_use',
    cost_usd: 0.0123,
    kind: 'main',
    context_window: 1_000_000,
    prompt_tokens: 1200,
    completion_tokens: 80,
    total_tokens: 1280,
    cache_read_tokens: 0,
    cache_creation_tokens: 1000,
  })
  const request = { tool: 'bash', arguments: { command: 'head data.csv' }, tool_call_id: 't1', intent: 'head data.csv' }
  add('approval_required', { tools: [request], count: 1 })
  add('approval_explained', { tool_call_id: 't1', text: 'It shows the first lines.' })
  add('queue_update', { queue: [{ id: 'q1', content: 'and then?' }] })
  add('queue_update', { queue: [] })
  add('approval_resolved', { decisions: [{ tool_call_id: 't1', approved: true }], by: 'user' })
  add('tool_state_change', { tool_call_id: 't1', tool: 'bash', state: 'approved' })
  add('tool_call', { tool: 'plan_tool', arguments: { todos: [] }, tool_call_id: 't2', intent: 'Plan' })
  add('plan_update', { plan: [{ id: '1', content: 'Look', status: 'in_progress' }] })
  for (let i = 0; i < 5; i++) {
    add('tool_log', { tool: 'bash', log: `line ${i}\n`, tool_call_id: 't1', stream: i % 2 ? 'stderr' : 'stdout' })
  }
  add('tool_state_change', { tool_call_id: 't2', tool: 'plan_tool', state: 'completed' })
  add('tool_output', {
    tool: 'bash',
    tool_call_id: 't1',
    output: 'line 0\nline 1',
    success: true,
    duration_ms: 31,
    details: {
      kind: 'command',
      command: 'head data.csv',
      cwd: '/data/project',
      exit_code: 0,
      signal: null,
      timed_out: false,
    },
  })
  add('tool_output', { tool: 'plan_tool', tool_call_id: 't2', output: 'ok', success: true, duration_ms: 1 })
  add('guard', { kind: 'truncated_output', content: 'Go on.' })
  add('assistant_chunk', { id: 'a2', content: 'Accuracy 0.97.' })
  add('assistant_message', {
    id: 'a2',
    content: 'Accuracy 0.97.',
    blocks: [{ type: 'text', text: 'Accuracy 0.97.' }],
    model: 'anthropic/claude-opus-5-5',
    stop_reason: 'end_turn',
  })
  add('turn_complete', { history_size: 6, final_response: 'Accuracy 0.97.', reason: 'finished', iterations: 2 })
  add('session_update', { title: 'Penguins', model: 'demo/scripted' })
  add('user_message', { id: 'u2', content: 'Again', source: 'user' })
  add('user_message', { id: 'u3', content: 'and faster', source: 'steer' })
  add('assistant_chunk', { id: 'a3', content: 'Half a' })
  add('interrupted', {})
  add('user_message', { id: 'u4', content: 'Wrong one', source: 'user' })
  add('error', { error: 'No connection', code: 'network', remedy: 'Check the network.' })
  add('undo_complete', { user_message_id: 'u4' })
  add('job_update', { job_id: 'j1', backend: 'local', state: 'running' })
  add('metric', { run: 'r1', step: 20, values: { loss: 0.31 } })
  add('checkpoint', { user_message_id: 'u1', left_out: [] })
  add('rewound', { user_message_id: 'u1', undo_id: 'x', files: 2, problems: [] })
  add('spend', { kind: 'job', label: 'a10g-large', usd: 0.5 })
  add('notice', { code: 'model', text: 'This model takes no effort.' })
  add('budget_update', { spent_usd: 0.01, reserved_usd: 0, cap_usd: null })
  add('compacted', { old_tokens: 1000, new_tokens: 300 })
  add('forked', { from_session: SAMPLE_SESSION, from_seq: 3 })
  add('resumed', { torn_bytes: 0, repaired_calls: 0 })
  add('shutdown', {})
  return events
}
