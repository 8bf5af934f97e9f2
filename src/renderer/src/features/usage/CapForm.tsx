import { clsx } from 'clsx'
import { type FormEvent, type ReactNode, useId, useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { Button } from '../../components/Button'
import { TextField } from '../../components/TextField'
import { formatCap, parseDollars } from './money'

interface CapFormProps {
  label: ReactNode
  /** What there is now; null: no cap. */
  cap: number | null
  disabled?: boolean
  className?: string
  /** Rejects with a failure. */
  onSet: (cap: number | null) => Promise<void>
}

/** Sets or removes one cap, in US dollars. */
export function CapForm({ label, cap, disabled, className, onSet }: CapFormProps) {
  /** Null: nothing was typed, and the field shows what there is. */
  const [typed, setTyped] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const id = useId()
  const text = typed ?? (cap === null ? '' : formatCap(cap).slice(1))
  const sum = parseDollars(text)
  const wrong = text.trim() !== '' && sum === null
  const changed = sum !== null && sum !== cap

  async function set(next: number | null): Promise<void> {
    setBusy(true)
    setFailure(null)
    try {
      await onSet(next)
      setTyped(null)
    } catch (thrown) {
      setFailure(failureOf(thrown))
    } finally {
      setBusy(false)
    }
  }

  function save(event: FormEvent): void {
    event.preventDefault()
    if (changed) void set(sum)
  }

  return (
    <form onSubmit={save} className={clsx('flex flex-wrap items-center gap-2 py-1', className)}>
      <label htmlFor={id} className="min-w-0 flex-1 text-ink-2">
        {label}
      </label>
      <div className="relative w-26">
        <span className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-ink-3" aria-hidden>
          $
        </span>
        <TextField
          id={id}
          inputMode="decimal"
          value={text}
          disabled={disabled}
          aria-invalid={wrong}
          placeholder="No cap"
          onChange={(event) => setTyped(event.target.value)}
          className="tabular h-6.5! pl-5.5!"
        />
      </div>
      <Button type="submit" size="sm" disabled={disabled || busy || !changed} className="h-6.5!">
        Set
      </Button>
      <Button
        size="sm"
        look="quiet"
        disabled={disabled || busy || cap === null}
        className="h-6.5!"
        onClick={() => void set(null)}
      >
        Remove
      </Button>
      {(wrong || failure) && (
        <p role="alert" className="w-full text-right text-sm text-bad">
          {failure ? `${failure.message} ${failure.remedy}` : 'A sum in US dollars, such as 5 or 2.50'}
        </p>
      )}
    </form>
  )
}
