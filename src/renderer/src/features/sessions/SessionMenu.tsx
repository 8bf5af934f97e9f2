import { Menu } from '@base-ui/react/menu'
import { ChevronRight } from 'lucide-react'
import { call } from '../../bridge/bridge'
import { MenuItem, MenuPopup, menuItemClass } from '../../components/ChoiceMenu'
import { useApp } from '../../stores/app'
import { askAbout, reportFailure, setDrawer } from '../../stores/ui'
import { EXPORTS, exportSession } from './export-file'

interface SessionMenuProps {
  id: string
  title: string
  /** Another process writes it: it can be read and copied. */
  locked: boolean
  align: 'start' | 'end'
  onRename: () => void
  /** The row knows these keys. */
  withKeys?: boolean
}

/** What can be done with a session; hangs on a `Menu.Trigger`. */
export function SessionMenu({ id, title, locked, align, onRename, withKeys = false }: SessionMenuProps) {
  const open = useApp((app) => app.actions.open)
  const connected = useApp((app) => app.connection === 'connected')

  async function fork(): Promise<void> {
    try {
      const made = await call('sessions.fork', { id })
      open(made.id)
      setDrawer(null)
    } catch (thrown) {
      reportFailure('The session was not forked.', thrown)
    }
  }

  return (
    <MenuPopup align={align} className="w-48">
      <MenuItem onSelect={onRename} disabled={locked || !connected} keys={withKeys ? 'F2' : undefined}>
        Rename
      </MenuItem>
      <MenuItem onSelect={() => void fork()} disabled={!connected}>
        Fork
      </MenuItem>
      <Menu.SubmenuRoot>
        <Menu.SubmenuTrigger disabled={!connected} className={menuItemClass}>
          Export
          <ChevronRight size={13} className="ml-auto text-ink-3" aria-hidden />
        </Menu.SubmenuTrigger>
        <MenuPopup align="start" submenu className="w-60">
          {EXPORTS.map(({ format, label, description }) => (
            <MenuItem key={format} onSelect={() => void exportSession(id, format)}>
              <span className="min-w-0">
                <span className="block">{label}</span>
                <span className="block text-sm text-ink-2">{description}</span>
              </span>
            </MenuItem>
          ))}
        </MenuPopup>
      </Menu.SubmenuRoot>
      <MenuItem onSelect={() => askAbout({ kind: 'upload', id, title })} disabled={!connected}>
        Upload trace…
      </MenuItem>
      <Menu.Separator className="mx-2 my-1 h-px bg-line" />
      <MenuItem
        onSelect={() => askAbout({ kind: 'delete', id, title })}
        tone="bad"
        disabled={locked || !connected}
        keys={withKeys ? 'Del' : undefined}
      >
        Delete…
      </MenuItem>
    </MenuPopup>
  )
}
