import { Tabs } from '@base-ui/react/tabs'
import type { TerminalInfo } from '@shared/terminals'
import { clsx } from 'clsx'
import { Plus, SquareTerminal } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { IconButton } from '../../components/IconButton'
import { endLine, endOfTerminal, hasFailed, titleOf } from './tabs'

/** Value of the tab of the log. */
export const LOG_TAB = 'log'

const TAB = clsx(
  'flex h-6 shrink-0 items-center gap-1.5 rounded-md border border-transparent px-2 text-sm text-ink-2 transition-colors duration-100',
  'hover:bg-ink/5 hover:text-ink data-active:border-line data-active:bg-raised data-active:text-ink focus-visible:-outline-offset-2',
)

interface TerminalTabsProps {
  tabs: TerminalInfo[]
  selected: TerminalInfo | null
  /** A tab for what the agent's commands print. */
  hasLog: boolean
  readOnly: boolean
  opening: boolean
  onOpen: () => void
}

/** A tab for each terminal, and a way to a new shell. Inside `Tabs.Root`. */
export function TerminalTabs(props: TerminalTabsProps) {
  const { tabs, selected, hasLog, readOnly, opening, onOpen } = props
  const list = useRef<HTMLDivElement>(null)
  const id = selected?.id

  useEffect(() => {
    if (id !== undefined)
      list.current?.querySelector('[data-active]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [id])

  return (
    <div className="flex h-9 shrink-0 items-center gap-1 border-b border-line pr-2 pl-2">
      {hasLog || tabs.length > 0 ? (
        <Tabs.List
          ref={list}
          aria-label="Terminals"
          className="flex min-w-0 flex-1 items-center gap-1 overflow-x-auto py-1 [scrollbar-width:none]"
        >
          {hasLog && (
            <Tabs.Tab value={LOG_TAB} className={TAB}>
              Commands
            </Tabs.Tab>
          )}
          {tabs.map((info) => (
            <TerminalTab key={info.id} info={info} />
          ))}
        </Tabs.List>
      ) : (
        <span className="flex-1 pl-2 text-sm text-ink-3">No terminals</span>
      )}
      {!readOnly && <IconButton icon={Plus} label="New shell" disabled={opening} onClick={onOpen} />}
    </div>
  )
}

function TerminalTab({ info }: { info: TerminalInfo }) {
  const title = titleOf(info)
  const failed = hasFailed(info)
  const running = info.state === 'running'
  return (
    <Tabs.Tab
      value={info.id}
      title={`${info.title}\n${info.cwd}${running ? '' : `\n${endLine(info)}`}`}
      className={TAB}
    >
      {info.kind === 'shell' ? (
        <SquareTerminal
          size={13}
          strokeWidth={1.75}
          className={clsx('shrink-0', !running && 'opacity-60')}
          aria-hidden
        />
      ) : (
        <span
          aria-hidden
          className={clsx(
            'size-[7px] shrink-0 rounded-full',
            running ? 'animate-pulse-soft bg-accent' : failed ? 'bg-bad' : 'bg-ok',
          )}
        />
      )}
      <span className="max-w-30 truncate font-mono text-xs">{title}</span>
      {running ? (
        <span className="sr-only">, running</span>
      ) : (
        <span className={clsx('tabular text-xs whitespace-nowrap', failed ? 'text-bad' : 'text-ink-3')}>
          <span className="sr-only">, </span>
          {info.kind === 'shell' ? endOfTerminal(info) : endLine(info)}
        </span>
      )}
    </Tabs.Tab>
  )
}
