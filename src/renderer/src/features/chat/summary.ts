import type { SessionState } from '@shared/state'

/** The summary that a compaction made, by the number of its event; empty where it is not kept. */
export function summaryOf(state: SessionState | undefined, seq: number): string {
  if (!state) return ''
  if (state.compaction?.seq === seq) return state.compaction.summary
  return state.earlier_compactions.find((compaction) => compaction.seq === seq)?.summary ?? ''
}
