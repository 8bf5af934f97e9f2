import type { ModelChoice } from '@shared/bridge'
import { clsx } from 'clsx'
import { Brain, Check, Image, type LucideIcon, Wrench } from 'lucide-react'
import { whyUnavailable } from '../../lib/models'
import { priceOf, windowOf } from './catalogue'

interface ModelRowProps {
  id: string
  model: ModelChoice
  name: string
  chosen: boolean
  active: boolean
  onHover: () => void
  onChoose: () => void
}

/** One entry of the picker: name and id, what it can, how much fits in, what it costs. */
export function ModelRow({ id, model, name, chosen, active, onHover, onChoose }: ModelRowProps) {
  const why = whyUnavailable(model)
  return (
    <Option id={id} chosen={chosen} active={active} disabled={why !== null} onHover={onHover} onChoose={onChoose}>
      <span className="flex items-baseline gap-3">
        <span className="min-w-0 flex-1 truncate font-medium">{name}</span>
        <span className="tabular w-12 shrink-0 text-right text-sm text-ink-2">
          {windowOf(model)}
          <span className="sr-only"> tokens of context, </span>
        </span>
        <span className="tabular w-26 shrink-0 text-right text-sm whitespace-nowrap text-ink-2">{priceOf(model)}</span>
      </span>
      <span className="flex items-center gap-3">
        <span className="min-w-0 flex-1 truncate">
          <span className="font-mono text-xs text-ink-3">{model.id}</span>
          {(why ?? model.note) && (
            <span className={clsx('text-sm', why ? 'text-warn' : 'text-ink-3')}> · {why ?? model.note}</span>
          )}
        </span>
        <Capabilities of={model.capabilities} />
      </span>
    </Option>
  )
}

interface OptionProps {
  id: string
  chosen: boolean
  active: boolean
  disabled?: boolean
  onHover: () => void
  onChoose: () => void
  children: React.ReactNode
}

/** A line of the list; the field above keeps the focus. */
export function Option({ id, chosen, active, disabled = false, onHover, onChoose, children }: OptionProps) {
  return (
    <button
      type="button"
      tabIndex={-1}
      id={id}
      role="option"
      aria-selected={chosen}
      aria-disabled={disabled}
      onPointerMove={active ? undefined : onHover}
      onMouseDown={(event) => event.preventDefault()}
      onClick={disabled ? undefined : onChoose}
      className={clsx(
        'grid w-full text-left grid-cols-[1fr_16px] items-start gap-2 rounded-md px-2 py-1.5 [contain-intrinsic-size:auto_48px] [content-visibility:auto]',
        active && 'bg-ink/6',
      )}
    >
      <span className={clsx('flex min-w-0 flex-col', disabled && 'opacity-75')}>{children}</span>
      {chosen && <Check size={14} strokeWidth={2.25} className="mt-0.5 text-accent" aria-hidden />}
    </button>
  )
}

const marks: { key: keyof ModelChoice['capabilities']; icon: LucideIcon; label: string }[] = [
  { key: 'tools', icon: Wrench, label: 'uses tools' },
  { key: 'images', icon: Image, label: 'reads images' },
  { key: 'reasoning', icon: Brain, label: 'reasons' },
]

/** What nobody says is not shown; that it has no tools is: without them it can only talk. */
function Capabilities({ of }: { of: ModelChoice['capabilities'] }) {
  return (
    <span className="flex shrink-0 items-center gap-1.5 text-ink-3">
      {of.tools === false && <span className="text-sm text-warn">no tools</span>}
      {marks.map(
        ({ key, icon: Icon, label }) =>
          of[key] === true && (
            <span key={key} title={label}>
              <Icon size={12} strokeWidth={1.75} aria-hidden />
              <span className="sr-only">{label}, </span>
            </span>
          ),
      )}
    </span>
  )
}
