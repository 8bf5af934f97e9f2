import { clsx } from 'clsx'

/** Keys of a shortcut; a screen reader hears them in the shortcuts dialog, not at every button. */
export function Kbd({ keys, className }: { keys: string[]; className?: string }) {
  return (
    <span className={clsx('inline-flex shrink-0 gap-0.5', className)}>
      {keys.map((key) => (
        <kbd
          key={key}
          className="min-w-4.5 rounded-sm border border-line bg-bg px-1 text-center font-mono text-xs leading-4 text-ink-3"
        >
          {key}
        </kbd>
      ))}
    </span>
  )
}
