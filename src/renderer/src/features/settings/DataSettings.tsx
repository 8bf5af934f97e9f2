import type { ImportResult } from '@shared/bridge'
import { type FormEvent, useId, useState } from 'react'
import { type BridgeFailure, call, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { Skeleton } from '../../components/Skeleton'
import { TextField } from '../../components/TextField'
import { baseName } from '../../lib/format'
import { useApp } from '../../stores/app'
import { showDialog } from '../../stores/ui'
import { CopyButton } from '../chat/CopyButton'
import { UNTITLED } from '../sessions/groups'

/** Where everything lies, and the way in for sessions of the program that this one follows. */
export function DataSettings() {
  const info = useApp((app) => app.info)
  if (!info) return <Skeleton className="my-3 h-40" />
  return (
    <>
      <div className="py-3">
        <p className="font-medium">Sessions and settings</p>
        <p className="text-sm text-ink-2">They lie in this folder, on this machine, and nowhere else.</p>
        <p className="mt-1.5 flex items-center gap-1 rounded-md border border-line bg-sunken py-0.5 pr-1 pl-2.5">
          <span className="min-w-0 flex-1 font-mono text-sm break-all">{info.home}</span>
          <CopyButton text={info.home} label="Copy path" />
        </p>
      </div>
      <Import />
    </>
  )
}

function Import() {
  const [path, setPath] = useState('')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const [result, setResult] = useState<ImportResult | null>(null)
  const id = useId()

  async function run(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setFailure(null)
    setResult(null)
    try {
      setResult(await call('sessions.import', { path: path.trim() }))
    } catch (thrown) {
      setFailure(failureOf(thrown))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form onSubmit={(event) => void run(event)} className="border-t border-line py-3">
      <label htmlFor={id} className="font-medium">
        Import sessions
      </label>
      <p className="text-sm text-ink-2">
        Of <span className="font-mono">huggingface/ml-intern</span>, the retired command line: one session file, or a
        folder of them. The files stay as they are.
      </p>
      <div className="mt-1.5 flex gap-2">
        <TextField
          id={id}
          value={path}
          maxLength={4096}
          placeholder="~/ml-intern/session_logs"
          className="font-mono text-sm!"
          onChange={(event) => setPath(event.target.value)}
        />
        <Button type="submit" disabled={busy || path.trim() === ''}>
          {busy ? 'Importing…' : 'Import'}
        </Button>
      </div>
      {failure && <FailureBanner failure={failure} className="mt-3" />}
      {result && <Imported result={result} />}
    </form>
  )
}

function Imported({ result: { sessions, skipped } }: { result: ImportResult }) {
  const open = useApp((app) => app.actions.open)
  return (
    <div role="status" className="mt-3">
      <p className="font-medium">
        {sessions.length === 0
          ? 'No session was imported'
          : `${sessions.length} ${sessions.length === 1 ? 'session was' : 'sessions were'} imported`}
        {skipped.length > 0 && `, ${skipped.length} ${skipped.length === 1 ? 'file' : 'files'} left out`}
      </p>
      <ul className="mt-1">
        {sessions.map(({ id, title, file, messages }) => (
          <li key={id}>
            <button
              type="button"
              title={file}
              onClick={() => {
                showDialog(null)
                open(id)
              }}
              className="row-hover -mx-2 flex w-[calc(100%+16px)] items-baseline gap-3 rounded-md px-2 py-1 text-left"
            >
              <span className="min-w-0 flex-1 truncate">{title || UNTITLED}</span>
              <span className="tabular shrink-0 text-sm text-ink-3">
                {messages} {messages === 1 ? 'message' : 'messages'}
              </span>
            </button>
          </li>
        ))}
        {skipped.map(({ file, reason }) => (
          <li key={file} className="flex items-baseline gap-3 py-1 text-sm text-ink-2">
            <span className="min-w-0 max-w-1/2 shrink-0 truncate font-mono" title={file}>
              {baseName(file)}
            </span>
            <span className="min-w-0 flex-1">{reason}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
