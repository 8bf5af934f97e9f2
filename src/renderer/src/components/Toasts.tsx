import { X } from 'lucide-react'
import { dismissToast, useUi } from '../stores/ui'
import { Banner } from './Banner'
import { IconButton } from './IconButton'

/** Things that did not happen although they were asked for; each stays until it is dismissed. */
export function Toasts() {
  const toasts = useUi((ui) => ui.toasts)
  if (toasts.length === 0) return null
  return (
    <section
      aria-label="Problems"
      className="fixed right-4 bottom-10 z-50 flex w-92 max-w-[calc(100vw-32px)] flex-col gap-2"
    >
      {toasts.map(({ id, title, failure }) => (
        <Banner
          key={id}
          tone="bad"
          title={title}
          className="shadow-float"
          action={<IconButton icon={X} label="Dismiss" className="-my-0.5 -mr-1.5" onClick={() => dismissToast(id)} />}
        >
          {failure.message} {failure.remedy}
        </Banner>
      ))}
    </section>
  )
}
