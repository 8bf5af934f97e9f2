import { Menu } from '@base-ui/react/menu'
import { clsx } from 'clsx'
import { Check, ChevronDown } from 'lucide-react'
import type { ReactNode } from 'react'
import { Tip } from './Tip'

export interface Choice<T extends string> {
  value: T
  label: string
  description?: string
  /** A word at the end of the line. */
  note?: string
  disabled?: boolean
}

interface ChoiceMenuProps<T extends string> {
  /** What is chosen here: the accessible name and the tooltip. */
  label: string
  value: T
  /** What the closed control shows. */
  shown: ReactNode
  /** In its place where the bar around it is narrow (a container below 30 rem). */
  short?: string
  choices: Choice<T>[]
  onChange: (value: T) => void
  disabled?: boolean
  /** Given where something else can open it too. */
  open?: boolean
  onOpenChange?: (open: boolean) => void
  align?: 'start' | 'end'
  side?: 'top' | 'bottom'
  /** After the choices: an entry that does something else. */
  extra?: { label: string; onSelect: () => void }
  className?: string
}

/** The look of a small control that opens something. */
export const chipClass = clsx(
  'inline-flex h-6 min-w-0 items-center gap-1 rounded-md border border-line px-2 text-sm text-ink-2 transition-colors duration-100',
  'hover:border-line-strong hover:text-ink data-popup-open:border-line-strong data-popup-open:text-ink disabled:opacity-60',
)

/** A chip that opens a list with one-line explanations; one entry is the chosen one. */
export function ChoiceMenu<T extends string>(props: ChoiceMenuProps<T>) {
  const {
    label,
    value,
    shown,
    short,
    choices,
    onChange,
    disabled,
    align = 'end',
    side = 'bottom',
    extra,
    className,
  } = props
  return (
    <Menu.Root open={props.open} onOpenChange={props.onOpenChange}>
      <Tip label={label} side={side}>
        <Menu.Trigger
          disabled={disabled}
          aria-label={typeof shown === 'string' ? `${label}: ${shown}` : label}
          className={clsx(chipClass, className)}
        >
          <span className={clsx('truncate', short && '@max-[30rem]:hidden')}>{shown}</span>
          {short && <span className="hidden truncate @max-[30rem]:inline">{short}</span>}
          <ChevronDown size={12} strokeWidth={2} className="shrink-0 text-ink-3" aria-hidden />
        </Menu.Trigger>
      </Tip>
      <MenuPopup align={align} side={side} className="w-88 max-w-[calc(100vw-16px)]">
        <Menu.RadioGroup value={value} onValueChange={(next: T) => next !== value && onChange(next)}>
          {choices.map((choice) => (
            <Menu.RadioItem
              key={choice.value}
              value={choice.value}
              disabled={choice.disabled}
              closeOnClick
              className="grid grid-cols-[1fr_16px] items-start gap-2 rounded-md px-2 py-1.5 outline-none data-disabled:opacity-50 data-highlighted:bg-ink/6"
            >
              <span className="min-w-0">
                <span className="flex items-baseline gap-2">
                  <span className="min-w-0 truncate font-medium">{choice.label}</span>
                  {choice.note && <span className="shrink-0 text-sm text-ink-2">{choice.note}</span>}
                </span>
                {choice.description && <span className="block text-sm text-ink-2">{choice.description}</span>}
              </span>
              <Menu.RadioItemIndicator className="pt-0.5">
                <Check size={14} strokeWidth={2.25} className="text-accent" aria-hidden />
              </Menu.RadioItemIndicator>
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        {extra && (
          <>
            <Menu.Separator className="mx-2 my-1 h-px bg-line" />
            <MenuItem onSelect={extra.onSelect}>{extra.label}</MenuItem>
          </>
        )}
      </MenuPopup>
    </Menu.Root>
  )
}

interface MenuPopupProps {
  align?: 'start' | 'end'
  side?: 'top' | 'bottom'
  /** Opens beside the entry it belongs to. */
  submenu?: boolean
  className?: string
  children: ReactNode
}

export function MenuPopup({ align = 'end', side = 'bottom', submenu, className, children }: MenuPopupProps) {
  return (
    <Menu.Portal>
      <Menu.Positioner
        align={align}
        side={submenu ? 'inline-end' : side}
        sideOffset={submenu ? 2 : 4}
        alignOffset={submenu ? -5 : 0}
        collisionPadding={8}
        className="z-50 outline-none"
      >
        <Menu.Popup
          className={clsx(
            'max-h-(--available-height) overflow-y-auto rounded-lg border border-line-strong bg-raised p-1 shadow-float outline-none',
            'transition-opacity duration-75 data-ending-style:opacity-0 data-starting-style:opacity-0',
            className,
          )}
        >
          {children}
        </Menu.Popup>
      </Menu.Positioner>
    </Menu.Portal>
  )
}

interface MenuItemProps {
  onSelect: () => void
  disabled?: boolean
  tone?: 'plain' | 'bad'
  keys?: string
  children: ReactNode
}

export const menuItemClass =
  'flex items-center gap-2 rounded-md px-2 py-1 outline-none data-disabled:opacity-50 data-highlighted:bg-ink/6 data-popup-open:bg-ink/6'

export function MenuItem({ onSelect, disabled, tone = 'plain', keys, children }: MenuItemProps) {
  return (
    <Menu.Item onClick={onSelect} disabled={disabled} className={clsx(menuItemClass, tone === 'bad' && 'text-bad')}>
      {children}
      {keys && <span className="ml-auto pl-6 font-mono text-xs text-ink-3">{keys}</span>}
    </Menu.Item>
  )
}
