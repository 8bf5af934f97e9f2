import { clsx } from 'clsx'
import type { InputHTMLAttributes, Ref } from 'react'

interface TextFieldProps extends InputHTMLAttributes<HTMLInputElement> {
  ref?: Ref<HTMLInputElement>
}

export function TextField({ className, ...rest }: TextFieldProps) {
  return (
    <input
      spellCheck={false}
      autoComplete="off"
      {...rest}
      className={clsx(
        'h-7.5 w-full min-w-0 rounded-md border border-line-strong bg-bg px-2.5 text-base text-ink',
        'focus-visible:outline-offset-0 aria-invalid:border-bad',
        className,
      )}
    />
  )
}
