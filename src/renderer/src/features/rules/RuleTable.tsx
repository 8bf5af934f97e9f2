import { type Rule, sameRule } from '@shared/approvals'
import { clsx } from 'clsx'
import { Pencil, Plus, X } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { Button } from '../../components/Button'
import { RuleForm } from './RuleForm'
import { formatRule } from './rule-text'
import { putRule, shownRules } from './rules'
import type { RuleSet } from './useRuleSets'

interface RuleTableProps {
  set: RuleSet
  filter: string
  /** The names of the columns are shown; those of the tables below are only read out. */
  headed: boolean
  onDelete: (rule: Rule) => void
}

/** The rules of one place. */
export function RuleTable({ set, filter, headed, onDelete }: RuleTableProps) {
  /** The rule that is being changed; `new`: one that is being added. */
  const [open, setOpen] = useState<Rule | 'new' | null>(null)
  const { rules, editable } = set
  const shown = shownRules(rules, filter)

  async function save(before: Rule | null, rule: Rule): Promise<string | null> {
    const changed = putRule(set.current(), before, rule)
    if (!changed.ok) return changed.message
    await set.save(changed.rules)
    return null
  }

  return (
    <section aria-label={[set.title, set.detail].filter(Boolean).join(' ')} className="mt-5">
      <header className="flex h-7 items-center gap-2">
        <h3 className="shrink-0 font-semibold">{set.title}</h3>
        <span
          className={clsx('min-w-0 flex-1 truncate text-ink-3', set.mono && 'font-mono text-sm')}
          title={set.detail}
        >
          {set.detail}
        </span>
        {editable && (
          <Button size="sm" look="quiet" className="-mr-2" onClick={() => setOpen('new')}>
            <Plus size={13} aria-hidden />
            Add rule
          </Button>
        )}
      </header>
      {open === 'new' && <RuleForm rule={null} onSave={(rule) => save(null, rule)} onClose={() => setOpen(null)} />}
      {shown.length === 0 ? (
        <p className="border-t border-line py-2 text-ink-3">
          {rules.length === 0 ? set.empty : `None of ${rules.length.toLocaleString('en')} fits the filter.`}
        </p>
      ) : (
        <table className="w-full table-fixed border-collapse">
          <colgroup>
            <col className="w-13" />
            <col className="w-24" />
            <col className="w-22" />
            <col />
            {editable && <col className="w-12" />}
          </colgroup>
          <thead className={clsx(!headed && 'sr-only')}>
            <tr className="border-t border-line text-left text-sm text-ink-3 [&>th]:h-6.5 [&>th]:pr-3 [&>th]:font-normal">
              <th>effect</th>
              <th>tool</th>
              <th>operation</th>
              <th>pattern</th>
              {editable && (
                <th>
                  <span className="sr-only">change</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {shown.map((rule) =>
              open !== null && open !== 'new' && sameRule(rule, open) ? (
                <tr key={keyOf(rule)}>
                  <td colSpan={editable ? 5 : 4}>
                    <RuleForm rule={rule} onSave={(next) => save(rule, next)} onClose={() => setOpen(null)} />
                  </td>
                </tr>
              ) : (
                <RuleRow
                  key={keyOf(rule)}
                  rule={rule}
                  editable={editable}
                  onEdit={() => setOpen(rule)}
                  onDelete={() => onDelete(rule)}
                />
              ),
            )}
          </tbody>
        </table>
      )}
    </section>
  )
}

const INKS: Record<Rule['effect'], string> = { deny: 'text-bad', ask: 'text-info', allow: 'text-ok' }

interface RuleRowProps {
  rule: Rule
  editable: boolean
  onEdit: () => void
  onDelete: () => void
}

function RuleRow({ rule, editable, onEdit, onDelete }: RuleRowProps) {
  const { effect, tool, operation, pattern } = rule
  return (
    <tr className="group/rule border-t border-line [&>td]:h-8 [&>td]:truncate [&>td]:pr-3">
      <td className={clsx('font-medium', INKS[effect])}>{effect}</td>
      <td title={tool}>{tool === '*' ? <span className="text-ink-3">any tool</span> : tool}</td>
      <td className="text-ink-2" title={operation}>
        {operation ?? <span className="text-ink-3">any</span>}
      </td>
      <td title={pattern} className={clsx(pattern !== undefined && 'mono-line')}>
        {pattern ?? <span className="text-ink-3">anything</span>}
      </td>
      {editable && (
        <td className="pr-0!">
          <span className="flex justify-end opacity-0 transition-opacity duration-100 group-focus-within/rule:opacity-100 group-hover/rule:opacity-100 [@media(hover:none)]:opacity-100">
            <Small label={`Change ${effect} ${formatRule(rule)}`} onClick={onEdit}>
              <Pencil size={13} strokeWidth={1.75} aria-hidden />
            </Small>
            <Small label={`Delete ${effect} ${formatRule(rule)}`} onClick={onDelete}>
              <X size={13} strokeWidth={1.75} aria-hidden />
            </Small>
          </span>
        </td>
      )}
    </tr>
  )
}

function Small({ label, onClick, children }: { label: string; onClick: () => void; children: ReactNode }) {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      onClick={onClick}
      className="grid size-6 place-items-center rounded-sm text-ink-3 hover:bg-ink/5 hover:text-ink"
    >
      {children}
    </button>
  )
}

function keyOf(rule: Rule): string {
  return JSON.stringify([rule.effect, rule.tool, rule.operation ?? null, rule.pattern ?? null])
}
