import { Switch } from '@base-ui/react/switch'

interface ToggleProps {
  label: string
  checked: boolean
  onChange: (checked: boolean) => void
  disabled?: boolean
}

/** On or off, at once. */
export function Toggle({ label, checked, onChange, disabled }: ToggleProps) {
  return (
    <Switch.Root
      aria-label={label}
      checked={checked}
      disabled={disabled}
      onCheckedChange={onChange}
      className="flex h-5 w-9 shrink-0 items-center rounded-full border border-line-strong bg-bg p-0.5 transition-colors duration-100 data-checked:border-ink data-checked:bg-ink data-disabled:opacity-45"
    >
      <Switch.Thumb className="size-3.5 rounded-full bg-ink-3 transition-transform duration-100 data-checked:translate-x-4 data-checked:bg-on-ink" />
    </Switch.Root>
  )
}
