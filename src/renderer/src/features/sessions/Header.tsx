import type { Operation } from '@shared/operations'
import { PanelLeft, PanelRight } from 'lucide-react'
import { ChoiceMenu } from '../../components/ChoiceMenu'
import { IconButton } from '../../components/IconButton'
import { Tip } from '../../components/Tip'
import { useIsNarrow } from '../../hooks/useMediaQuery'
import { MOD } from '../../lib/keys'
import { isKeyMissing, modelChoices, modelName } from '../../lib/models'
import { MODES, modeLabel } from '../../lib/modes'
import { useApp } from '../../stores/app'
import { submit, useSessionPart } from '../../stores/sessions'
import { reportFailure, setDrawer, setPaneOpen, setSidebarOpen, showDialog, useUi } from '../../stores/ui'
import { UNTITLED } from './groups'

interface HeaderProps {
  id: string
  readOnly: boolean
}

export function Header({ id, readOnly }: HeaderProps) {
  const title = useSessionPart(id, (state) => state?.title)
  const model = useSessionPart(id, (state) => state?.model)
  const mode = useSessionPart(id, (state) => state?.mode)
  const info = useApp((app) => app.info)
  const connected = useApp((app) => app.connection === 'connected')
  const fixed = readOnly || !connected

  function change(title: string, operation: Operation): void {
    submit(id, operation).catch((thrown: unknown) => reportFailure(title, thrown))
  }

  return (
    <header className="flex h-11.5 shrink-0 items-center gap-2 border-b border-line pr-3 pl-6 max-md:pl-3">
      <ShowSidebar />
      <h1 className="min-w-0 truncate text-title font-semibold">{title === '' ? UNTITLED : title}</h1>
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
      <div className="ml-auto flex min-w-0 shrink-0 items-center gap-1.5">
        {model !== undefined && mode !== undefined && (
          <>
            <ChoiceMenu
              label="Model"
              value={model}
              shown={modelName(model, info)}
              choices={modelChoices(info, model)}
              disabled={fixed}
              onChange={(next) => change('The model was not changed.', { op: 'set_model', model: next })}
              extra={
                isKeyMissing(info) ? { label: 'Add an Anthropic key…', onSelect: () => showDialog('key') } : undefined
              }
              className="max-w-60"
            />
            <ChoiceMenu
              label="Mode"
              value={mode}
              shown={modeLabel(mode)}
              choices={MODES}
              disabled={fixed}
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
