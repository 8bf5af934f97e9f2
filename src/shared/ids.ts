/** Session identifiers: a v4 UUID, the name of the session's folder. Anything else is refused before it becomes a path. */
export const SESSION_ID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export function isSessionId(value: string): boolean {
  return SESSION_ID_PATTERN.test(value)
}
