import { Tabs } from '@base-ui/react/tabs'
import type { PlanItem } from '@shared/content'
import { X } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { IconButton } from '../../components/IconButton'
import { useSessionPart } from '../../stores/sessions'
import { type PaneTab, setTab, useUi } from '../../stores/ui'
import { ChangesPane } from '../changes/ChangesPane'
import { PlanPane } from '../plan/PlanPane'
import { countRunning } from '../terminal/commands'

// The terminal emulator is the largest part of the window; the first paint does not wait for it.
const TerminalPane = lazy(async () => ({ default: (await import('../terminal/TerminalPane')).TerminalPane }))

const tabClass =
  '-mb-px flex h-full items-center gap-1.5 border-b-2 border-transparent px-0.5 text-ink-2 transition-colors duration-100 hover:text-ink data-active:border-ink data-active:font-medium data-active:text-ink focus-visible:-outline-offset-2'

const NO_PLAN: PlanItem[] = []

interface RightPaneProps {
  id: string
  visible: boolean
  /** Given where the pane lies over the conversation and needs its own way back. */
  onClose?: () => void
}

/** Plan, terminal and changes. All stay mounted, so that the terminal misses nothing while the plan is shown. */
export function RightPane({ id, visible, onClose }: RightPaneProps) {
  const tab = useUi((ui) => ui.tab)
  const plan = useSessionPart(id, (state) => state?.plan) ?? NO_PLAN
  const running = useSessionPart(id, countRunning)
  const done = plan.filter((item) => item.status === 'completed').length
  return (
    <Tabs.Root
      value={tab}
      onValueChange={(next: PaneTab) => setTab(next)}
      className="flex h-full min-h-0 min-w-0 flex-col bg-bg"
    >
      <div className="flex h-11.5 shrink-0 items-center border-b border-line pr-2 pl-4">
        <Tabs.List aria-label="Plan, terminal and changes" activateOnFocus className="flex h-full gap-4">
          <Tabs.Tab value="plan" className={tabClass}>
            Plan
            {plan.length > 0 && (
              <span className="tabular text-sm font-normal text-ink-3">
                <span aria-hidden>
                  {done}/{plan.length}
                </span>
                <span className="sr-only">
                  , {done} of {plan.length} done
                </span>
              </span>
            )}
          </Tabs.Tab>
          <Tabs.Tab value="terminal" className={tabClass}>
            Terminal
            {running > 0 && (
              <span className="size-[7px] animate-pulse-soft rounded-full bg-accent" title="A command is running">
                <span className="sr-only">, a command is running</span>
              </span>
            )}
          </Tabs.Tab>
          <Tabs.Tab value="changes" className={tabClass}>
            Changes
          </Tabs.Tab>
        </Tabs.List>
        {onClose && <IconButton icon={X} label="Close" className="ml-auto" onClick={onClose} />}
      </div>
      <Tabs.Panel value="plan" keepMounted className="min-h-0 flex-1 overflow-y-auto data-hidden:hidden">
        <PlanPane plan={plan} />
      </Tabs.Panel>
      <Tabs.Panel value="terminal" keepMounted className="min-h-0 flex-1 overflow-hidden data-hidden:hidden">
        <Suspense fallback={null}>
          <TerminalPane key={id} sessionId={id} active={visible && tab === 'terminal'} />
        </Suspense>
      </Tabs.Panel>
      <Tabs.Panel value="changes" keepMounted className="min-h-0 flex-1 overflow-hidden data-hidden:hidden">
        <ChangesPane key={id} id={id} active={visible && tab === 'changes'} />
      </Tabs.Panel>
    </Tabs.Root>
  )
}
