import { clsx } from 'clsx'
import type { ButtonHTMLAttributes, Ref } from 'react'

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: 'plain' | 'primary' | 'quiet' | 'danger'
  size?: 'sm' | 'md'
  ref?: Ref<HTMLButtonElement>
}

const looks = {
  plain: 'border-line-strong bg-raised text-ink enabled:hover:border-ink-3',
  primary: 'border-ink bg-ink text-on-ink enabled:hover:bg-ink/85',
  quiet: 'border-transparent text-ink-2 enabled:hover:bg-ink/5 enabled:hover:text-ink',
  danger: 'border-bad bg-bad text-on-ink enabled:hover:bg-bad/85',
}

export function Button({ look = 'plain', size = 'md', className, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={clsx(
        'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap transition-colors duration-100',
        'disabled:cursor-not-allowed disabled:opacity-45',
        size === 'md' ? 'h-7.5 px-3 text-base' : 'h-6 px-2 text-sm',
        looks[look],
        className,
      )}
    />
  )
}
