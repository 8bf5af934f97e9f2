import type { ApprovalRequest, Rule } from '@shared/approvals'
import { X } from 'lucide-react'
import { type KeyboardEvent, useId, useState } from 'react'
import { Button } from '../../components/Button'
import { breadthOf, formatRule, isWritable, parseRule } from '../rules/rule-text'
import { type LongerScope, suggestedRules } from './decisions'

interface ScopeFormProps {
  request: ApprovalRequest
  scope: LongerScope
  edited: boolean
  disabled: boolean
  onCancel: () => void
  onConfirm: (rules: Rule[]) => void
}

interface Line {
  id: number
  rule: Rule
  text: string
}

/** Exactly what will not be asked again, to be narrowed before it is agreed to. */
export function ScopeForm({ request, scope, edited, disabled, onCancel, onConfirm }: ScopeFormProps) {
  const [lines, setLines] = useState<Line[]>(() =>
    suggestedRules(request).map((rule, id) => ({ id, rule, text: formatRule(rule) })),
  )
  const id = useId()
  const parsed = lines.map(({ text, rule }) =>
    isWritable(rule) ? parseRule(text, rule.effect) : { ok: true as const, rule },
  )
  const rules = parsed.flatMap((one) => (one.ok ? [one.rule] : []))
  const valid = rules.length === lines.length && rules.length > 0

  function confirm(): void {
    if (valid && !disabled) onConfirm(rules)
  }

  function pressed(event: KeyboardEvent<HTMLTextAreaElement>): void {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      confirm()
    } else if (event.key === 'Escape') {
      event.stopPropagation()
      onCancel()
    }
  }

  return (
    <div className="mt-3">
      <p className="mb-1.5 text-ink-2">{scope.heading}</p>
      <ul className="flex flex-col gap-1.5">
        {lines.map((line, at) => {
          const result = parsed[at]
          const message = !result ? '' : result.ok ? breadthOf(result.rule) : result.message
          return (
            <li key={line.id}>
              <div className="flex items-start gap-1">
                <textarea
                  aria-label={`Rule ${at + 1}`}
                  aria-invalid={result?.ok === false}
                  aria-describedby={message ? `${id}-${line.id}` : undefined}
                  ref={at === 0 ? focusOnce : undefined}
                  onKeyDown={pressed}
                  readOnly={!isWritable(line.rule)}
                  rows={Math.min(4, line.text.split('\n').length)}
                  spellCheck={false}
                  value={line.text}
                  onChange={(event) =>
                    setLines(lines.map((one) => (one === line ? { ...one, text: event.target.value } : one)))
                  }
                  className="mono-line field-sizing-content block max-h-32 min-h-7.5 min-w-0 flex-1 resize-none rounded-md border border-line-strong bg-bg px-2.5 py-1.25 leading-4.5 break-all aria-invalid:border-bad"
                />
                {lines.length > 1 && (
                  <button
                    type="button"
                    title="Leave this rule out"
                    aria-label={`Leave out rule ${at + 1}`}
                    onClick={() => setLines(lines.filter((one) => one !== line))}
                    className="grid size-7.5 shrink-0 place-items-center rounded-md text-ink-3 hover:bg-ink/5 hover:text-ink"
                  >
                    <X size={14} aria-hidden />
                  </button>
                )}
              </div>
              {message && (
                <p
                  id={`${id}-${line.id}`}
                  className={result?.ok ? 'mt-0.5 text-sm text-warn' : 'mt-0.5 text-sm text-bad'}
                >
                  {message}
                </p>
              )}
            </li>
          )
        })}
      </ul>
      <p className="mt-1.5 text-sm text-ink-3">
        <code className="mono-line">*</code> stands for anything.{' '}
        {edited && 'The rules were made for the call as the model wrote it. '}
        {scope.scope === 'turn'
          ? 'They end with the turn.'
          : scope.scope === 'session'
            ? 'They end with the session.'
            : 'They are kept in the settings.'}
      </p>
      <div className="mt-2.5 flex gap-2">
        <Button look="primary" disabled={disabled || !valid} onClick={confirm}>
          {scope.confirm}
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
