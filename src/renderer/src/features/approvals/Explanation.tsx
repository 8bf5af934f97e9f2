import { Markdown } from '../chat/Markdown'

/** What the model says about a call that waits. */
export function Explanation({ text, busy }: { text: string | undefined; busy: boolean }) {
  return (
    <div aria-live="polite">
      {text !== undefined ? (
        <section aria-label="Explanation" className="animate-appear mt-3 border-l-2 border-line-strong pl-3.5">
          <p className="mb-1 text-sm text-ink-3">What the model says about it</p>
          <div className="approval-height overflow-y-auto">
            <Markdown text={text} />
          </div>
        </section>
      ) : (
        busy && <p className="mt-3 border-l-2 border-line-strong pl-3.5 text-sm text-ink-3">Asking the model…</p>
      )}
    </div>
  )
}
