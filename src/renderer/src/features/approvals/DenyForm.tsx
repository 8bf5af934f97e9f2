import { type KeyboardEvent, useId, useState } from 'react'
import { Button } from '../../components/Button'
import { MAX_FEEDBACK } from './decisions'

interface DenyFormProps {
  disabled: boolean
  onCancel: () => void
  onDeny: (feedback: string) => void
}

export function DenyForm({ disabled, onCancel, onDeny }: DenyFormProps) {
  const [text, setText] = useState('')
  const id = useId()
  function pressed(event: KeyboardEvent<HTMLTextAreaElement>): void {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      if (!disabled) onDeny(text)
    } else if (event.key === 'Escape') {
      event.stopPropagation()
      onCancel()
    }
  }
  return (
    <div className="mt-3">
      <label htmlFor={id} className="mb-1 block text-sm text-ink-2">
        Why not? The model reads this and takes another way.
      </label>
      <textarea
        id={id}
        ref={focusOnce}
        rows={2}
        maxLength={MAX_FEEDBACK}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={pressed}
        className="block max-h-40 min-h-14 w-full resize-y rounded-md border border-line-strong bg-bg px-2.5 py-1.5"
      />
      <div className="mt-2 flex gap-2">
        <Button disabled={disabled} onClick={() => onDeny(text)}>
          Deny
        </Button>
        <Button look="quiet" disabled={disabled} onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </div>
  )
}

function focusOnce(field: HTMLTextAreaElement | null): void {
  field?.focus()
}
