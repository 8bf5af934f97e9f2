import { clsx } from 'clsx'
import { Check, Copy, X } from 'lucide-react'
import { useEffect, useState } from 'react'

/** Milliseconds for which the button says what became of the copy. */
const SHOWN_MS = 1_500

interface CopyButtonProps {
  /** The text, or how to get it: a long text is put together only when it is asked for. */
  text: string | (() => string)
  /** What is copied: the accessible name. */
  label: string
  className?: string
}

export function CopyButton({ text, label, className }: CopyButtonProps) {
  const [result, setResult] = useState<'copied' | 'failed' | null>(null)

  useEffect(() => {
    if (!result) return
    const timer = setTimeout(() => setResult(null), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [result])

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(typeof text === 'string' ? text : text())
      setResult('copied')
    } catch (thrown) {
      console.warn('The clipboard refused the text.', thrown)
      setResult('failed')
    }
  }

  const said = result === 'copied' ? 'Copied' : result === 'failed' ? 'The clipboard refused the text' : label
  const Icon = result === 'copied' ? Check : result === 'failed' ? X : Copy
  return (
    <button
      type="button"
      title={said}
      aria-label={said}
      onClick={() => void copy()}
      className={clsx(
        'inline-grid size-6 shrink-0 place-items-center rounded-sm text-ink-3 transition-colors duration-100 hover:bg-ink/5 hover:text-ink',
        className,
      )}
    >
      <Icon
        size={13}
        strokeWidth={1.75}
        aria-hidden
        className={clsx(result === 'copied' && 'text-ok', result === 'failed' && 'text-bad')}
      />
    </button>
  )
}
