import { safeLink } from '../chat/markdown-rules'

/** Opens an address as a link of a reply would be opened: http and https only, with nothing of this window given away. */
export function openLink(address: string): void {
  const target = safeLink(address)
  if (target === null) return
  const link = document.createElement('a')
  link.href = target
  link.target = '_blank'
  link.rel = 'noopener noreferrer'
  link.click()
}
