import { clsx } from 'clsx'
import { ChevronDown } from 'lucide-react'
import { lazy, type ReactNode, Suspense, useRef, useState } from 'react'
import { chipClass } from '../../components/ChoiceMenu'
import { PopoverPanel } from '../../components/Popover'
import { modelName } from '../../lib/models'
import { useApp } from '../../stores/app'
import { noteChosen } from '../../stores/models'

const ModelPicker = lazy(async () => ({ default: (await import('./ModelPicker')).ModelPicker }))

interface ModelButtonProps {
  /** What the model is for: the accessible name and the tooltip. */
  label: string
  /** Null: automatic. */
  value: string | null
  /** Offers "Automatic", in these words. */
  automatic?: string
  onChange: (id: string | null) => void
  /** In the place of the model's name. */
  shown?: ReactNode
  open?: boolean
  onOpenChange?: (open: boolean) => void
  disabled?: boolean
  align?: 'start' | 'end'
  side?: 'top' | 'bottom'
  className?: string
}

/** A chip that opens the model picker. */
export function ModelButton(props: ModelButtonProps) {
  const { label, value, automatic, onChange, shown, disabled, align = 'end', side = 'bottom', className } = props
  const info = useApp((app) => app.info)
  const [ownOpen, setOwnOpen] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const open = props.open ?? ownOpen
  const setOpen = props.onOpenChange ?? setOwnOpen
  const name = value === null ? 'Automatic' : modelName(value, info)

  return (
    <PopoverPanel
      open={open && !disabled}
      onOpenChange={setOpen}
      label={label}
      tip={label}
      side={side}
      align={align}
      initialFocus={field}
      className="h-110 w-125"
      trigger={
        <button
          type="button"
          disabled={disabled}
          aria-label={shown === undefined ? `${label}: ${name}` : label}
          className={clsx(chipClass, className)}
        >
          <span className="truncate">{shown ?? name}</span>
          <ChevronDown size={12} strokeWidth={2} className="shrink-0 text-ink-3" aria-hidden />
        </button>
      }
    >
      <Suspense fallback={null}>
        <ModelPicker
          value={value}
          automatic={automatic}
          field={field}
          onClose={() => setOpen(false)}
          onChoose={(id) => {
            setOpen(false)
            if (id !== null) noteChosen(id)
            if (id !== value) onChange(id)
          }}
        />
      </Suspense>
    </PopoverPanel>
  )
}
