import { clsx } from 'clsx'
import type { LucideIcon } from 'lucide-react'
import type { ButtonHTMLAttributes, Ref } from 'react'

interface RoundButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: LucideIcon
  label: string
  look: 'primary' | 'plain'
  ref?: Ref<HTMLButtonElement>
}

/** Send and stop. */
export function RoundButton({ icon: Icon, label, look, className, ...rest }: RoundButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      {...rest}
      className={clsx(
        'inline-grid size-7 shrink-0 place-items-center rounded-md border transition-colors duration-100 disabled:cursor-not-allowed disabled:opacity-35',
        look === 'primary'
          ? 'border-ink bg-ink text-on-ink enabled:hover:bg-ink/85'
          : 'border-line-strong bg-raised text-ink enabled:hover:border-ink-3',
        className,
      )}
    >
      <Icon
        size={look === 'primary' && label === 'Send' ? 16 : 14}
        strokeWidth={2.25}
        aria-hidden
        className={clsx(label.startsWith('Stop') && 'scale-80 fill-current')}
      />
    </button>
  )
}
