import type { ApprovalRequest } from '@shared/approvals'
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { Button } from '../../components/Button'
import { Kbd } from '../../components/Kbd'
import { hasMod, MOD } from '../../lib/keys'
import { type Arguments, formatArguments, mainArgument, type Parsed, parseArguments, withMain } from './edits'

interface EditFormProps {
  /** With what was edited before. */
  request: ApprovalRequest
  disabled: boolean
  onCancel: () => void
  onKeep: (args: Arguments) => void
}

/** The arguments of a call, to be changed: its main text as text, or all of them as JSON. */
export function EditForm({ request, disabled, onCancel, onKeep }: EditFormProps) {
  const main = mainArgument(request)
  const [args, setArgs] = useState<Arguments>(request.arguments)
  const [asJson, setAsJson] = useState(main === null)
  const [text, setText] = useState(() => textOf(args, asJson ? null : main))
  const field = useRef<HTMLTextAreaElement>(null)
  const id = useId()
  const parsed: Parsed = asJson || !main ? parseArguments(text) : withMain(args, main.name, text)
  const changed = text !== textOf(args, asJson ? null : main) || args !== request.arguments

  useEffect(() => field.current?.focus(), [])

  function turn(): void {
    if (!parsed.ok) return
    setArgs(parsed.value)
    const next = !asJson
    setAsJson(next)
    setText(textOf(parsed.value, next ? null : main))
    field.current?.focus()
  }

  function keep(): void {
    if (parsed.ok && !disabled) onKeep(parsed.value)
  }

  function pressed(event: KeyboardEvent<HTMLTextAreaElement>): void {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Enter' && hasMod(event)) {
      event.preventDefault()
      keep()
    } else if (event.key === 'Escape') {
      event.stopPropagation()
      // A slip of the finger must not throw an edited script away.
      if (!changed) onCancel()
    }
  }

  const back = asJson && main && parsed.ok && typeof parsed.value[main.name] === 'string'
  return (
    <div>
      <div className="mb-1 flex items-baseline gap-3">
        <label htmlFor={id} className="text-sm text-ink-2">
          {asJson || !main ? 'Arguments, as JSON' : main.label}
        </label>
        {(back || (main && !asJson)) && (
          <button
            type="button"
            onClick={turn}
            className="ml-auto text-sm text-ink-2 underline underline-offset-2 hover:text-ink"
          >
            {asJson ? `Only the ${main?.label.toLowerCase()}` : 'All arguments'}
          </button>
        )}
      </div>
      <textarea
        id={id}
        ref={field}
        spellCheck={false}
        value={text}
        readOnly={disabled}
        aria-invalid={!parsed.ok}
        aria-describedby={parsed.ok ? undefined : `${id}-problem`}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={pressed}
        className="approval-height wrap-anywhere mono-line field-sizing-content block min-h-18 w-full resize-y overflow-y-auto rounded-md border border-line-strong bg-bg px-3 py-2 leading-[1.6] aria-invalid:border-bad"
      />
      {!parsed.ok && (
        <p id={`${id}-problem`} className="mt-1 text-sm text-bad">
          {parsed.message}
        </p>
      )}
      <div className="mt-2 flex items-center gap-2">
        <Button disabled={disabled || !parsed.ok} onClick={keep}>
          Keep changes
        </Button>
        <Button look="quiet" disabled={disabled} onClick={onCancel}>
          Cancel
        </Button>
        <span className="ml-auto flex items-center gap-1.5 text-sm text-ink-3">
          <Kbd keys={[MOD, 'Enter']} /> keeps
        </span>
      </div>
    </div>
  )
}

function textOf(args: Arguments, main: ReturnType<typeof mainArgument>): string {
  const value = main ? args[main.name] : undefined
  return typeof value === 'string' ? value : formatArguments(args)
}
