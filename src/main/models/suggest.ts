/** The reference's cut-off for close ids. */
const CLOSE = 0.4

/** The candidates that share most with a mistyped id, best first; empty when none is near. */
export function closest(id: string, candidates: readonly string[], most = 1): string[] {
  const wanted = id.toLowerCase().slice(0, 100)
  const bare = wanted.slice(wanted.lastIndexOf('/') + 1)
  const ranked = candidates
    .map((candidate) => {
      const name = candidate.toLowerCase()
      // `opus`, `haiku-5-5`, `demo`: part of a name counts as near, best first in the list.
      const part = bare.length >= 3 && name.includes(bare)
      const score = part ? 1 : Math.max(likeness(bare, name.slice(name.lastIndexOf('/') + 1)), likeness(wanted, name))
      return { candidate, score }
    })
    .sort((a, b) => b.score - a.score)
  return ranked
    .filter(({ score }) => score >= CLOSE)
    .slice(0, most)
    .map(({ candidate }) => candidate)
}

/** "Did you mean a, b or c? " with its space, or nothing. */
export function didYouMean(ids: readonly string[]): string {
  const last = ids.at(-1)
  if (last === undefined) return ''
  return `Did you mean ${ids.length === 1 ? last : `${ids.slice(0, -1).join(', ')} or ${last}`}? `
}

/** Dice's coefficient over pairs of characters: 1 for equal strings, 0 for strings with nothing in common. */
function likeness(a: string, b: string): number {
  const pairs = pairsOf(b)
  const total = Math.max(0, a.length - 1) + pairs.length
  let shared = 0
  for (const pair of pairsOf(a)) {
    const at = pairs.indexOf(pair)
    if (at === -1) continue
    pairs.splice(at, 1)
    shared++
  }
  return total === 0 ? 0 : (2 * shared) / total
}

function pairsOf(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2))
}
