import { Menu } from '@base-ui/react/menu'
import { clsx } from 'clsx'
import { ChevronDown } from 'lucide-react'
import { MenuItem, MenuPopup } from '../../components/ChoiceMenu'
import type { LongerScope } from './decisions'

interface ScopeMenuProps {
  scopes: readonly LongerScope[]
  primary: boolean
  disabled: boolean
  onScope: (scope: LongerScope) => void
}

/** The other half of the approve button: for how long. */
export function ScopeMenu({ scopes, primary, disabled, onScope }: ScopeMenuProps) {
  return (
    <Menu.Root>
      <Menu.Trigger
        disabled={disabled}
        aria-label="Approve for longer"
        title="Approve for longer"
        className={clsx(
          '-ml-px grid h-7.5 w-7 place-items-center rounded-md rounded-l-none border transition-colors duration-100 disabled:cursor-not-allowed disabled:opacity-45',
          primary
            ? 'border-ink border-l-on-ink/30 bg-ink text-on-ink enabled:hover:bg-ink/85'
            : 'border-line-strong bg-raised text-ink-2 enabled:hover:border-ink-3 enabled:hover:text-ink',
        )}
      >
        <ChevronDown size={14} strokeWidth={2} aria-hidden />
      </Menu.Trigger>
      <MenuPopup align="start" className="min-w-48">
        {scopes.map((scope) => (
          <MenuItem key={scope.scope} onSelect={() => onScope(scope)}>
            {scope.label}
          </MenuItem>
        ))}
      </MenuPopup>
    </Menu.Root>
  )
}
