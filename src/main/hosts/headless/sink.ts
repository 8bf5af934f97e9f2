import type { PlanItem } from '@shared/content'
import type { AnyEvent } from '@shared/events'
import type { SessionState, TurnOutcome, UsageShare } from '@shared/state'

export interface Artifact {
  path: string
  created: boolean
  /** Lines. */
  added: number
  removed: number
}

/** `--output-format json`, and what the other formats end with. Numbers are of this run, not of the whole session. */
export interface RunResult {
  session: string
  status: TurnOutcome
  final_response: string
  usage: Omit<UsageShare, 'cost_usd' | 'unpriced_calls'> & { total_tokens: number }
  /** US dollars; null when the price of a call is not known. */
  cost_usd: number | null
  plan: PlanItem[]
  /** Files written in this run, in the order of their last change. */
  artifacts: Artifact[]
}

/** Where a run is shown: one of the output formats. */
export interface Sink {
  start(state: SessionState): void
  /** Called in order for every event of this run, with the state after it. */
  event(event: AnyEvent, state: SessionState): void
  /** Takes whatever is redrawn off the screen while a question is asked. */
  pause(): void
  resume(): void
  finish(result: RunResult, elapsedMs: number): void
  /** Resolves when everything it was told has been handed to the stream. */
  settled?(): Promise<void>
}

/** What happened since `before`, the state of the session when this run began. */
export function runResult(before: SessionState, after: SessionState): RunResult {
  const from = new Set(before.items.map((item) => item.key))
  const items = after.items.filter((item) => !from.has(item.key))
  const difference = (key: keyof UsageShare): number => after.usage[key] - before.usage[key]
  const prompt_tokens = difference('prompt_tokens')
  const completion_tokens = difference('completion_tokens')
  const files = new Map<string, Artifact>()
  for (const item of items) {
    if (item.kind !== 'tool' || item.state !== 'ok' || item.details?.kind !== 'diff') continue
    const { path, created, added, removed } = item.details
    const known = files.get(path)
    files.delete(path)
    files.set(path, {
      path,
      created: created || (known?.created ?? false),
      added: added + (known?.added ?? 0),
      removed: removed + (known?.removed ?? 0),
    })
  }
  const last = items.findLast((item) => item.kind === 'assistant')
  return {
    session: after.id,
    status: after.last_outcome ?? 'error',
    final_response: last?.kind === 'assistant' ? last.text : '',
    usage: {
      calls: difference('calls'),
      prompt_tokens,
      completion_tokens,
      total_tokens: prompt_tokens + completion_tokens,
      cache_read_tokens: difference('cache_read_tokens'),
      cache_creation_tokens: difference('cache_creation_tokens'),
    },
    // Sums of thousandths of cents: the noise of binary fractions is cut off.
    cost_usd: difference('unpriced_calls') > 0 ? null : Number(difference('cost_usd').toFixed(9)),
    plan: after.plan,
    artifacts: [...files.values()],
  }
}
