import { type Rule, sameRule } from '@shared/approvals'
import type { Settings } from '@shared/settings'
import { X } from 'lucide-react'
import { useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { IconButton } from '../../components/IconButton'
import { Skeleton } from '../../components/Skeleton'
import { TextField } from '../../components/TextField'
import { useApp } from '../../stores/app'
import { Chevron } from '../chat/Chevron'
import { plural } from '../chat/tool-text'
import { RuleTable } from './RuleTable'
import { formatRule } from './rule-text'
import { dropRule, restoreRule, shownRules } from './rules'
import { type RuleSet, useRuleSets } from './useRuleSets'

/** What runs, asks or is refused without looking at the mode. */
export function RulesSettings() {
  const settings = useApp((app) => app.info?.settings)
  return settings ? <Rules settings={settings} /> : <Skeleton className="my-3 h-40" />
}

interface Deleted {
  set: RuleSet
  rule: Rule
  at: number
}

function Rules({ settings }: { settings: Settings }) {
  const sets = useRuleSets(settings)
  const [filter, setFilter] = useState('')
  const [deleted, setDeleted] = useState<Deleted | null>(null)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const first = sets.find((set) => shownRules(set.rules, filter).length > 0)
  const count = sets.reduce((sum, set) => sum + set.rules.length, 0)

  async function change(what: () => Promise<void>): Promise<void> {
    setFailure(null)
    try {
      await what()
    } catch (thrown) {
      setFailure(failureOf(thrown))
    }
  }

  function remove(set: RuleSet, rule: Rule): void {
    const at = set.current().findIndex((one) => sameRule(one, rule))
    void change(async () => {
      await set.save(dropRule(set.current(), rule))
      setDeleted({ set, rule, at: Math.max(0, at) })
    })
  }

  function undo({ set, rule, at }: Deleted): void {
    void change(async () => {
      await set.save(restoreRule(set.current(), rule, at))
      setDeleted(null)
    })
  }

  return (
    <div className="flex min-h-full flex-col pb-1">
      <Explanation />
      {count > 0 && (
        <TextField
          type="search"
          aria-label="Filter rules"
          placeholder={`Filter ${plural(count, 'rule')}`}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          className="mt-3"
        />
      )}
      {failure && <FailureBanner failure={failure} className="mt-3" />}
      {sets.map((set) => (
        <RuleTable
          key={set.key}
          set={set}
          filter={filter}
          headed={set === first}
          onDelete={(rule) => remove(set, rule)}
        />
      ))}
      <div role="status" className="sticky bottom-0 mt-auto">
        {deleted && (
          <div className="animate-appear mt-4 flex items-center gap-2 rounded-lg border border-line-strong bg-raised py-1.5 pr-1.5 pl-3 shadow-float">
            <p className="min-w-0 flex-1 truncate">
              Deleted: {deleted.rule.effect} <code className="mono-line">{formatRule(deleted.rule)}</code>
            </p>
            <Button size="sm" onClick={() => undo(deleted)}>
              Undo
            </Button>
            <IconButton icon={X} label="Dismiss" onClick={() => setDeleted(null)} />
          </div>
        )}
      </div>
    </div>
  )
}

function Explanation() {
  const [open, setOpen] = useState(false)
  return (
    <div className="pt-1 text-ink-2">
      <p>
        Deny wins over ask, ask over allow, wherever the rules stand. Where no rule speaks, the mode of the session
        decides.
      </p>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="-ml-1 mt-1 flex items-center gap-1 rounded-sm px-1 text-sm hover:text-ink"
      >
        <Chevron open={open} />
        How patterns work
      </button>
      {open && (
        <dl className="mt-1.5 grid grid-cols-[max-content_1fr] gap-x-4 gap-y-1 rounded-md bg-sunken px-3 py-2 text-sm">
          <Example pattern="git push *">every “git push”, with or without more words behind it</Example>
          <Example pattern="src/*.py">every path that begins with src/ and ends in .py</Example>
          <Example pattern="*">anything; the same as an empty field</Example>
          <dd className="col-span-2 text-ink-3">
            A shell line is taken apart first: each command in it needs a rule that allows it, and one that is denied
            denies the line. What spends money, touches secrets, deletes on the Hub or runs on a schedule is never kept
            for longer than a session.
          </dd>
        </dl>
      )}
    </div>
  )
}

function Example({ pattern, children }: { pattern: string; children: string }) {
  return (
    <>
      <dt className="mono-line leading-5">{pattern}</dt>
      <dd>{children}</dd>
    </>
  )
}
