/** Unfinished sessions have such names: nobody lists them. */
export function unfinishedPrefix(token: string): string {
  return `.import-${token}-`
}
