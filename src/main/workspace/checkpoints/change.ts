/**
 * Whether a tool call counts as a change, given what the tool says of its arguments (`Tool.effect`): before the first
 * such call of a turn the workspace is recorded. A command counts whatever it is: what it writes is known only when it
 * has run.
 */
export function countsAsChange(effect: 'read' | 'write' | 'execute'): boolean {
  return effect !== 'read'
}
