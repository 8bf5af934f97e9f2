import type { ExportFormat } from '@shared/bridge'
import { call } from '../../bridge/bridge'
import { reportFailure } from '../../stores/ui'

export const EXPORTS: { format: ExportFormat; label: string; description: string }[] = [
  { format: 'markdown', label: 'Markdown', description: 'To read and to paste' },
  { format: 'html', label: 'HTML', description: 'One page, for any browser' },
  { format: 'json', label: 'JSON', description: 'Messages and totals' },
  { format: 'jsonl', label: 'JSONL', description: 'The log, event by event' },
  { format: 'trace', label: 'Trace', description: 'For the Hub’s trace viewer' },
]

/** Puts a session, secrets redacted, into a file that the browser saves. `name`: instead of the one that is proposed. */
export async function exportSession(id: string, format: ExportFormat, name = ''): Promise<void> {
  try {
    const { file_name, mime, text } = await call('sessions.export', { id, format })
    download(name || file_name, mime, text)
  } catch (thrown) {
    reportFailure('The session was not exported.', thrown)
  }
}

/** Milliseconds after which the text is let go: the download has its copy by then. */
const KEEP_MS = 60_000

function download(name: string, mime: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: mime }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), KEEP_MS)
}
