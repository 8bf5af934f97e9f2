import { useEffect, useRef } from 'react'
import { Group, Panel, Separator, usePanelRef } from 'react-resizable-panels'
import { Drawer } from '../../components/Drawer'
import { readStored, writeStored } from '../../lib/storage'
import { setDrawer, setPaneOpen, useUi } from '../../stores/ui'
import { RightPane } from './RightPane'
import { SessionView } from './SessionView'

/** Pixels. */
const MIN_PANE = 280
const MIN_CONVERSATION = 380

interface WorkspaceProps {
  id: string
  narrow: boolean
}

/** Conversation and right pane, with a separator that pointer and arrow keys move. */
export function Workspace({ id, narrow }: WorkspaceProps) {
  const drawer = useUi((ui) => ui.drawer)
  if (narrow) {
    return (
      <>
        <div className="min-w-0 flex-1">
          <SessionView id={id} />
        </div>
        <Drawer
          open={drawer === 'pane'}
          side="right"
          label="Plan and terminal"
          keepMounted
          onClose={() => setDrawer(null)}
        >
          <RightPane id={id} visible={drawer === 'pane'} onClose={() => setDrawer(null)} />
        </Drawer>
      </>
    )
  }
  return <Split id={id} />
}

function Split({ id }: { id: string }) {
  const open = useUi((ui) => ui.paneOpen)
  const pane = usePanelRef()
  const initial = useRef(open ? storedWidth() : 0)

  useEffect(() => {
    const panel = pane.current
    if (!panel || panel.isCollapsed() === !open) return
    if (open) panel.resize(storedWidth())
    else panel.collapse()
  }, [open, pane])

  return (
    <Group orientation="horizontal" className="min-w-0 flex-1">
      <Panel id="conversation" minSize={MIN_CONVERSATION}>
        <SessionView id={id} />
      </Panel>
      <Separator
        aria-label="Width of plan and terminal"
        className={
          open
            ? 'w-px bg-line transition-colors duration-100 hover:bg-ink-3 focus-visible:bg-accent focus-visible:outline-1 data-[separator=active]:bg-accent'
            : 'hidden'
        }
      />
      <Panel
        id="pane"
        panelRef={pane}
        defaultSize={initial.current}
        minSize={MIN_PANE}
        maxSize="70"
        collapsible
        collapsedSize={0}
        groupResizeBehavior="preserve-pixel-size"
        onResize={({ inPixels }, _id, before) => {
          // Before the first size there is nothing that the user could have changed.
          if (!before) return
          if (inPixels >= MIN_PANE) writeStored('paneWidth', String(Math.round(inPixels)))
          setPaneOpen(inPixels > 0)
        }}
        inert={!open}
      >
        <RightPane id={id} visible={open} />
      </Panel>
    </Group>
  )
}

function storedWidth(): number {
  const stored = Number(readStored('paneWidth'))
  if (stored >= MIN_PANE) return Math.min(stored, window.innerWidth / 2)
  return window.innerWidth < 1200 ? 340 : 408
}
