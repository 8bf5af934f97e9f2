import { clsx } from 'clsx'
import type { LucideIcon } from 'lucide-react'
import type { ButtonHTMLAttributes, Ref } from 'react'
import { Tip } from './Tip'

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: LucideIcon
  /** What it does: the accessible name and the tooltip. */
  label: string
  keys?: string[]
  side?: 'top' | 'bottom' | 'left' | 'right'
  ref?: Ref<HTMLButtonElement>
}

export function IconButton({ icon: Icon, label, keys, side, className, ...rest }: IconButtonProps) {
  return (
    <Tip label={label} keys={keys} side={side}>
      <button
        type="button"
        aria-label={label}
        {...rest}
        className={clsx(
          'inline-grid size-7 shrink-0 place-items-center rounded-md text-ink-2 transition-colors duration-100',
          'enabled:hover:bg-ink/5 enabled:hover:text-ink aria-expanded:bg-ink/5 disabled:opacity-45',
          className,
        )}
      >
        <Icon size={16} strokeWidth={1.75} aria-hidden />
      </button>
    </Tip>
  )
}
