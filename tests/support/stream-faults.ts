import type { RetryDelta } from '../../src/main/models/retry'
import type { ModelDelta } from '../../src/main/models/types'

/** What has to hold for every stream of a model, however it was broken; each problem is a sentence. */
export function streamProblems(deltas: readonly RetryDelta[], whole: { text: string; reasoning: string }): string[] {
  const problems: string[] = []
  const ends = deltas.filter(({ type }) => type === 'done' || type === 'failed')
  if (ends.length !== 1 || deltas.at(-1) !== ends[0]) problems.push(`${ends.length} ends, or not at the end`)
  const shown = shownAtEnd(deltas)
  for (const type of ['text', 'reasoning'] as const) {
    if (!whole[type].startsWith(shown[type])) problems.push(`shows what the reply does not say: ${shown[type]}`)
  }
  const last = deltas.at(-1)
  if (last?.type === 'done' || last?.type === 'failed') {
    const kept = last.blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('')
    if (kept !== shown.text) problems.push(`keeps "${kept}" and shows "${shown.text}"`)
  }
  if (last?.type === 'done' && shown.text !== whole.text) problems.push(`is done with "${shown.text}"`)
  return problems
}

/** What the user sees when it is over: a retry that discards takes back what came before. */
function shownAtEnd(deltas: readonly RetryDelta[]): { text: string; reasoning: string } {
  let shown = { text: '', reasoning: '' }
  for (const delta of deltas) {
    if (delta.type === 'retry' && delta.discard) shown = { text: '', reasoning: '' }
    else if (delta.type === 'text' || delta.type === 'reasoning') shown[delta.type] += delta.text
  }
  return shown
}

export function doneOf(deltas: readonly RetryDelta[]): Extract<ModelDelta, { type: 'done' }> | null {
  const last = deltas.at(-1)
  return last?.type === 'done' ? last : null
}
