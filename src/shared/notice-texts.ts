import type { EventData } from './events'
import type { NoticeItem } from './state'

export function rewoundText({ undo_id, files, problems }: EventData<'rewound'>): Pick<NoticeItem, 'text' | 'code'> {
  const what = files === 1 ? '1 file' : `${files} files`
  const done = undo_id === undefined ? `The rewind was taken back: ${what}.` : `Files rewound: ${what}.`
  return { text: [done, ...problems].join(' '), code: 'rewound' }
}

export function forkedText({ from_session, imported_from }: EventData<'forked'>): string {
  return imported_from ? `Imported from ${imported_from}.` : `Forked from session ${from_session}.`
}

export const limitTexts: Partial<Record<string, string>> = {
  max_iterations: 'The turn reached its limit of model calls. Send a message to go on.',
  budget: 'The turn reached its cost cap.',
  approval_unavailable: 'A tool call needed an approval that nobody could give here.',
  guard: 'The turn was ended by a guard.',
  refusal: 'The model declined to go on.',
}
