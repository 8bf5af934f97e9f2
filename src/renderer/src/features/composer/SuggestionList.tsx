import { clsx } from 'clsx'
import { useInView } from '../../hooks/useActive'
import type { Suggestion } from './completion'

interface SuggestionListProps {
  id: string
  label: string
  list: Suggestion[]
  /** -1: none is marked yet. */
  at: number
  mono: boolean
  onHover: (at: number) => void
  onTake: (suggestion: Suggestion) => void
}

/** Over the composer; the field keeps the focus and its keys move the mark. */
export function SuggestionList({ id, label, list, at, mono, onHover, onTake }: SuggestionListProps) {
  useInView(`${id}-${at}`)
  return (
    <div
      id={id}
      role="listbox"
      aria-label={label}
      className="absolute inset-x-0 bottom-full z-20 mb-1.5 max-h-72 overflow-y-auto rounded-lg border border-line-strong bg-raised p-1 shadow-float"
    >
      {list.map((suggestion, place) => (
        <button
          type="button"
          tabIndex={-1}
          key={suggestion.insert}
          id={`${id}-${place}`}
          role="option"
          aria-selected={place === at}
          onPointerMove={place === at ? undefined : () => onHover(place)}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(suggestion)}
          className={clsx(
            'flex w-full items-baseline gap-3 text-left rounded-md px-2 py-1',
            place === at && 'bg-ink/6',
          )}
        >
          <span
            className={clsx(
              'shrink-0 truncate',
              mono ? 'max-w-full min-w-28 font-mono text-sm' : 'max-w-2/3 min-w-28 font-medium',
            )}
            dir={mono ? 'ltr' : undefined}
          >
            {suggestion.label}
          </span>
          {suggestion.description && (
            <span className="min-w-0 flex-1 truncate text-sm text-ink-2">{suggestion.description}</span>
          )}
        </button>
      ))}
    </div>
  )
}
