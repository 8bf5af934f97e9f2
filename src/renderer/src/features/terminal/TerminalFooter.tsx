import type { TerminalInfo } from '@shared/terminals'
import { clsx } from 'clsx'
import { Accessibility, type LucideIcon, Search, Square } from 'lucide-react'
import { Tip } from '../../components/Tip'
import { IS_MAC, MOD } from '../../lib/keys'
import { endLine } from './tabs'

interface TerminalFooterProps {
  info: TerminalInfo
  /** The address under the pointer. */
  link: string | null
  /** The terminal has the keyboard. */
  typing: boolean
  readOnly: boolean
  spoken: boolean
  onSpoken: () => void
  onSearch: () => void
  /** Given while it can be ended. */
  onStop: (() => void) | null
  /** Given while something is selected. */
  onCopy: (() => void) | null
}

/** One line that is always there, so that the terminal keeps its size: where typing goes, how it ended, where a link leads. */
export function TerminalFooter(props: TerminalFooterProps) {
  const { info, link, typing, readOnly, spoken, onSpoken, onSearch, onStop, onCopy } = props
  const own = info.state === 'running' && info.kind === 'command' && typing && link === null
  return (
    <footer
      className={clsx(
        'flex h-7 shrink-0 items-center gap-0.5 border-t border-line pr-2 pl-4 text-xs',
        own ? 'bg-warn-soft text-ink' : 'text-ink-2',
      )}
    >
      <span className="tabular min-w-0 flex-1 truncate" title={link ?? info.cwd}>
        {link === null ? stateOf(info, typing, readOnly) : `${IS_MAC ? '⌘' : 'Ctrl'}+click opens ${link}`}
      </span>
      {onCopy && (
        <button type="button" onClick={onCopy} className="mr-1 shrink-0 rounded-sm px-1 hover:text-ink">
          Copy selection
        </button>
      )}
      <Tool icon={Search} label="Search in the terminal" keys={[MOD, 'F']} onClick={onSearch} />
      <Tool
        icon={Accessibility}
        label={`Screen reader mode: ${spoken ? 'on' : 'off'}`}
        pressed={spoken}
        onClick={onSpoken}
      />
      {onStop && (
        <Tool
          icon={Square}
          label={info.kind === 'shell' ? 'Close this shell' : 'Stop this command and all it started'}
          onClick={onStop}
        />
      )}
    </footer>
  )
}

interface ToolProps {
  icon: LucideIcon
  label: string
  keys?: string[]
  pressed?: boolean
  onClick: () => void
}

function Tool({ icon: Icon, label, keys, pressed, onClick }: ToolProps) {
  return (
    <Tip label={label} keys={keys} side="top">
      <button
        type="button"
        aria-label={label}
        aria-pressed={pressed}
        onClick={onClick}
        className="inline-grid size-6 shrink-0 place-items-center rounded-sm text-ink-2 transition-colors duration-100 hover:bg-ink/5 hover:text-ink aria-pressed:bg-ink/8 aria-pressed:text-ink"
      >
        <Icon size={13} strokeWidth={1.75} aria-hidden />
      </button>
    </Tip>
  )
}

function stateOf(info: TerminalInfo, typing: boolean, readOnly: boolean): string {
  if (info.state === 'ended') return `Ended: ${endLine(info)}`
  const pid = info.pid === null ? '' : ` · pid ${info.pid}`
  if (readOnly) return `Open in another process: only to read${pid}`
  if (info.kind === 'shell') return `Your shell${pid}`
  return typing ? 'You are typing into the agent’s command' : `The agent’s command${pid} · click to type into it`
}
