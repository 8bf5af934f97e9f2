import type { BackgroundProcess } from '@shared/terminals'
import { useState } from 'react'
import { call } from '../../bridge/bridge'
import { Button } from '../../components/Button'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { useNow } from '../../hooks/useNow'
import { formatSeconds } from '../chat/text'

interface ProcessListProps {
  session: string
  processes: BackgroundProcess[]
  readOnly: boolean
  /** Ids of the terminals that can be shown. */
  terminals: ReadonlySet<string>
  onWatch: (id: string) => void
  onChanged: () => void
}

/** What commands left running. */
export function ProcessList({ session, processes, readOnly, terminals, onWatch, onChanged }: ProcessListProps) {
  const now = useNow(1_000)
  const [asked, setAsked] = useState<BackgroundProcess | null>(null)
  return (
    <section
      aria-label="Background processes"
      className="max-h-40 shrink-0 overflow-y-auto border-b border-line py-1.5"
    >
      <h3 className="px-4 text-xs font-medium text-ink-3">Left running · {processes.length}</h3>
      <ul>
        {processes.map((process) => {
          const { pid, start_time, command, cwd, started_at, tool_call_id: from } = process
          return (
            <li key={`${pid} ${start_time}`} className="flex h-7 items-center gap-2.5 pr-2 pl-4 text-sm">
              <span className="min-w-0 flex-1 truncate font-mono text-xs" title={cwd ? `${command}\n${cwd}` : command}>
                {command}
              </span>
              <span className="tabular shrink-0 text-xs whitespace-nowrap text-ink-3">
                pid {pid} · {ageOf(started_at, now)}
              </span>
              <span className="flex shrink-0 items-center">
                {from !== null && terminals.has(from) && (
                  <Button size="sm" look="quiet" aria-label={`Watch process ${pid}`} onClick={() => onWatch(from)}>
                    Watch
                  </Button>
                )}
                {!readOnly && (
                  <Button size="sm" look="quiet" aria-label={`End process ${pid}`} onClick={() => setAsked(process)}>
                    End
                  </Button>
                )}
              </span>
            </li>
          )
        })}
      </ul>
      {asked && (
        <ConfirmDialog
          open
          title="End this process?"
          confirm="End process"
          onClose={() => setAsked(null)}
          onConfirm={async () => {
            await call('processes.kill', { session, pid: asked.pid, start_time: asked.start_time })
            onChanged()
          }}
        >
          <span className="block max-h-40 overflow-y-auto font-mono text-sm break-all">{asked.command}</span>
          <span className="mt-1.5 block">What it has not saved is lost.</span>
        </ConfirmDialog>
      )}
    </section>
  )
}

function ageOf(iso: string, now: number): string {
  const ms = now - Date.parse(iso)
  return Number.isNaN(ms) ? '' : formatSeconds(Math.max(0, ms / 1_000))
}
