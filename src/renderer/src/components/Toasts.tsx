import { X } from 'lucide-react'
import { dismissToast, useUi } from '../stores/ui'
import { Banner } from './Banner'
import { IconButton } from './IconButton'

/** What did not happen although it was asked for, and what commands answered; each stays until it is dismissed. */
export function Toasts() {
  const toasts = useUi((ui) => ui.toasts)
  if (toasts.length === 0) return null
  return (
    <section
      aria-label="Messages"
      className="fixed right-4 bottom-10 z-50 flex w-92 max-w-[calc(100vw-32px)] flex-col gap-2"
    >
      {toasts.map(({ id, title, failure, text }) => (
        <Banner
          key={id}
          tone={failure ? 'bad' : 'info'}
          title={title}
          className="shadow-float"
          action={<IconButton icon={X} label="Dismiss" className="-my-0.5 -mr-1.5" onClick={() => dismissToast(id)} />}
        >
          {failure
            ? `${failure.message} ${failure.remedy}`
            : text && <p className="max-h-80 overflow-y-auto whitespace-pre-wrap">{text}</p>}
        </Banner>
      ))}
    </section>
  )
}
