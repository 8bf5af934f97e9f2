import { Menu } from '@base-ui/react/menu'
import type { Operation } from '@shared/operations'
import { Ellipsis, PanelLeft, PanelRight } from 'lucide-react'
import { useEffect } from 'react'
import { ChoiceMenu } from '../../components/ChoiceMenu'
import { IconButton } from '../../components/IconButton'
import { Tip } from '../../components/Tip'
import { useIsNarrow } from '../../hooks/useMediaQuery'
import { MOD } from '../../lib/keys'
import { effortChoices, findModel } from '../../lib/models'
import { effortLabel, MODES, modeLabel } from '../../lib/modes'
import { useApp } from '../../stores/app'
import { submit, useSessionPart } from '../../stores/sessions'
import {
  type HeaderMenu,
  reportFailure,
  setDrawer,
  setPaneOpen,
  setRenaming,
  setSidebarOpen,
  showHeaderMenu,
  useUi,
} from '../../stores/ui'
import { ModelButton } from '../models/ModelButton'
import { UNTITLED } from './groups'
import { SessionMenu } from './SessionMenu'
import { TitleField } from './TitleField'

interface HeaderProps {
  id: string
  readOnly: boolean
}

export function Header({ id, readOnly }: HeaderProps) {
  const title = useSessionPart(id, (state) => state?.title)
  const model = useSessionPart(id, (state) => state?.model)
  const mode = useSessionPart(id, (state) => state?.mode)
  const effort = useSessionPart(id, (state) => state?.effort) ?? null
  const info = useApp((app) => app.info)
  const menu = useUi((ui) => ui.headerMenu)
  const renaming = useUi((ui) => ui.renaming)
  const connected = useApp((app) => app.connection === 'connected')
  const fixed = readOnly || !connected

  const efforts = effortChoices(findModel(model ?? '', info), effort)
  // Another session has another title, and its own menus.
  useEffect(() => () => useUi.setState({ renaming: false, headerMenu: null }), [])

  function change(title: string, operation: Operation): void {
    submit(id, operation).catch((thrown: unknown) => reportFailure(title, thrown))
  }

  /** A menu here opens by its button, and by the command of its name. */
  function opened(name: HeaderMenu) {
    return { open: menu === name, onOpenChange: (open: boolean) => showHeaderMenu(open ? name : null) }
  }

  return (
    <header className="@container flex h-11.5 shrink-0 items-center gap-2 border-b border-line pr-3 pl-6 max-md:pl-3">
      <ShowSidebar />
      {renaming ? (
        <div className="flex h-7 min-w-0 flex-1 rounded-md px-2 text-title font-semibold ring-1 ring-accent">
          <TitleField id={id} title={title ?? ''} onDone={() => setRenaming(false)} />
        </div>
      ) : (
        <h1 className="min-w-12 shrink-999 truncate text-title font-semibold">{title === '' ? UNTITLED : title}</h1>
      )}
      {title !== undefined && !renaming && (
        <Menu.Root>
          <Menu.Trigger
            aria-label="Actions of this session"
            className="grid size-6 shrink-0 place-items-center rounded-sm text-ink-3 hover:bg-ink/8 hover:text-ink data-popup-open:bg-ink/8"
          >
            <Ellipsis size={15} aria-hidden />
          </Menu.Trigger>
          <SessionMenu id={id} title={title} locked={readOnly} align="start" onRename={() => setRenaming(true)} />
        </Menu.Root>
      )}
      {readOnly && (
        <Tip label="Another ML Intern works in this session. Here it can only be read.">
          <button
            type="button"
            className="shrink-0 rounded-sm bg-info-soft px-1.5 py-0.5 text-xs font-medium whitespace-nowrap text-info"
          >
            Read-only
          </button>
        </Tip>
      )}
      <div className="ml-auto flex min-w-0 shrink-0 items-center gap-1.5 @max-[30rem]:shrink">
        {model !== undefined && mode !== undefined && (
          <>
            <ModelButton
              label="Model"
              value={model}
              disabled={fixed}
              {...opened('model')}
              onChange={(next) =>
                next !== null && change('The model was not changed.', { op: 'set_model', model: next })
              }
              className="max-w-60"
            />
            {efforts.length > 1 && (
              <ChoiceMenu
                label="Effort"
                value={effort ?? 'default'}
                shown={effort === null ? 'Default effort' : effortLabel(effort)}
                short={effort === null ? 'Effort' : undefined}
                className="shrink-0"
                choices={efforts}
                disabled={fixed}
                {...opened('effort')}
                onChange={(next) =>
                  change('The effort was not changed.', { op: 'set_effort', effort: next === 'default' ? null : next })
                }
              />
            )}
            <ChoiceMenu
              label="Mode"
              value={mode}
              shown={modeLabel(mode)}
              className="shrink-0"
              choices={MODES}
              disabled={fixed}
              {...opened('mode')}
              onChange={(next) => change('The mode was not changed.', { op: 'set_mode', mode: next })}
            />
          </>
        )}
        <TogglePane />
      </div>
    </header>
  )
}

/** The way back to a hidden list of sessions. */
export function ShowSidebar() {
  const narrow = useIsNarrow()
  const open = useUi((ui) => (narrow ? ui.drawer === 'sidebar' : ui.sidebarOpen))
  if (open && !narrow) return null
  return (
    <IconButton
      icon={PanelLeft}
      label="Show sessions"
      keys={[MOD, 'B']}
      aria-expanded={open}
      className="-ml-3 max-md:ml-0"
      onClick={() => (narrow ? setDrawer('sidebar') : setSidebarOpen(true))}
    />
  )
}

function TogglePane() {
  const narrow = useIsNarrow()
  const open = useUi((ui) => (narrow ? ui.drawer === 'pane' : ui.paneOpen))
  return (
    <IconButton
      icon={PanelRight}
      label={open ? 'Hide plan and terminal' : 'Show plan and terminal'}
      keys={[MOD, 'J']}
      aria-expanded={open}
      onClick={() => (narrow ? setDrawer(open ? null : 'pane') : setPaneOpen(!open))}
    />
  )
}
