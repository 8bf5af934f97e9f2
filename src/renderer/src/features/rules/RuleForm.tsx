import { Radio } from '@base-ui/react/radio'
import { RadioGroup } from '@base-ui/react/radio-group'
import type { Rule } from '@shared/approvals'
import { type FormEvent, type KeyboardEvent, useId, useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { Button } from '../../components/Button'
import { TextField } from '../../components/TextField'
import { breadthOf, readRule } from './rule-text'
import { EFFECTS } from './rules'

/** Names that are offered while the tool is typed. */
const TOOLS = ['bash', 'write', 'edit', 'hf_jobs', 'hf_repo_files', 'hf_repo_git', '*']

interface RuleFormProps {
  /** Null: a new one. */
  rule: Rule | null
  /** What keeps it from being saved; null: saved. Throws BridgeFailure. */
  onSave: (rule: Rule) => Promise<string | null>
  onClose: () => void
}

export function RuleForm({ rule, onSave, onClose }: RuleFormProps) {
  const [effect, setEffect] = useState<Rule['effect']>(rule?.effect ?? 'allow')
  const [tool, setTool] = useState(rule?.tool ?? '')
  const [operation, setOperation] = useState(rule?.operation ?? '')
  const [pattern, setPattern] = useState(rule?.pattern ?? '')
  const [problem, setProblem] = useState('')
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const [busy, setBusy] = useState(false)
  const id = useId()
  const read = readRule({ effect, tool, operation, pattern })
  const breadth = read.ok && effect === 'allow' ? breadthOf(read.rule) : ''

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (!read.ok) return setProblem(read.message)
    setBusy(true)
    setFailure(null)
    try {
      const refused = await onSave(read.rule)
      if (refused === null) return onClose()
      setProblem(refused)
    } catch (thrown) {
      setFailure(failureOf(thrown))
    }
    setBusy(false)
  }

  function pressed(event: KeyboardEvent): void {
    if (event.key !== 'Escape') return
    // The dialog around it stays open.
    event.stopPropagation()
    event.nativeEvent.stopImmediatePropagation()
    onClose()
  }

  const said = failure ? `${failure.message} ${failure.remedy}` : problem
  return (
    <form
      aria-label={rule ? 'Change the rule' : 'New rule'}
      onSubmit={(event) => void save(event)}
      onKeyDown={pressed}
      onChange={() => setProblem('')}
      className="my-1 rounded-md border border-line-strong bg-bg p-2.5"
    >
      <div className="flex items-center gap-2">
        <RadioGroup
          aria-label="Effect"
          value={effect}
          onValueChange={(next: Rule['effect']) => setEffect(next)}
          className="flex w-44 shrink-0 rounded-md border border-line-strong bg-raised p-0.5"
        >
          {EFFECTS.map(({ value, label }) => (
            <Radio.Root
              key={value}
              value={value}
              aria-label={label}
              className="flex h-6 flex-1 items-center justify-center rounded-sm text-ink-2 hover:text-ink data-checked:bg-ink/8 data-checked:font-medium data-checked:text-ink"
            >
              {label}
            </Radio.Root>
          ))}
        </RadioGroup>
        <TextField
          ref={rule ? undefined : focusOnce}
          aria-label="Tool"
          placeholder="Tool, such as bash"
          list={`${id}-tools`}
          className="[&::-webkit-calendar-picker-indicator]:hidden!"
          value={tool}
          maxLength={200}
          aria-invalid={problem !== '' && tool.trim() === ''}
          onChange={(event) => setTool(event.target.value)}
        />
        <datalist id={`${id}-tools`}>
          {TOOLS.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <TextField
          aria-label="Operation"
          placeholder="Any operation"
          value={operation}
          maxLength={200}
          onChange={(event) => setOperation(event.target.value)}
        />
      </div>
      <div className="mt-2 flex items-center gap-2">
        <TextField
          ref={rule ? focusOnce : undefined}
          aria-label="Pattern"
          placeholder="Anything — or a pattern, such as git push *"
          value={pattern}
          maxLength={4000}
          className="font-mono text-sm placeholder:font-sans"
          onChange={(event) => setPattern(event.target.value)}
        />
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" look="primary" disabled={busy}>
          {rule ? 'Save' : 'Add'}
        </Button>
      </div>
      {(said || breadth) && (
        <p role={said ? 'alert' : undefined} className={said ? 'mt-1.5 text-sm text-bad' : 'mt-1.5 text-sm text-warn'}>
          {said || breadth}
        </p>
      )}
    </form>
  )
}

function focusOnce(field: HTMLInputElement | null): void {
  field?.focus()
}
