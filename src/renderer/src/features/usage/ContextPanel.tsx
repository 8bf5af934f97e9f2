import { COMPACTION_SHARE } from '@shared/compaction'
import { useMemo, useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { formatTokens } from '../../lib/format'
import { useApp } from '../../stores/app'
import { submit, useSessionPart } from '../../stores/sessions'
import { contextParts, leftOver, PART_LABELS, type PartName } from './context-parts'

const shades: Record<PartName | 'other', string> = {
  overhead: 'bg-ink',
  summary: 'bg-accent',
  messages: 'bg-info',
  tools: 'bg-ok',
  reasoning: 'bg-ink-3',
  other: 'bg-line-strong',
}

/** What the context window is filled with, and the way to make room. */
export function ContextPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const items = useSessionPart(id, (state) => state?.items)
  const compaction = useSessionPart(id, (state) => state?.compaction) ?? null
  const context = useSessionPart(id, (state) => state?.context)
  const parts = useMemo(
    () => (items && context ? contextParts({ items, compaction, context }) : null),
    [items, compaction, context],
  )
  if (!parts || !context) return null
  const { used_tokens: used, window } = context
  const rows = [
    ...(Object.keys(PART_LABELS) as PartName[]).map((name) => ({
      name,
      label: PART_LABELS[name],
      tokens: parts[name],
    })),
    { name: 'other' as const, label: 'Counted by the provider beyond this', tokens: leftOver(used, parts) },
  ].filter(({ tokens }) => tokens > 0)
  const total = Math.max(
    window ?? 0,
    rows.reduce((sum, { tokens }) => sum + tokens, 0),
  )

  return (
    <div className="flex flex-col overflow-y-auto p-4">
      <div className="flex items-baseline gap-2">
        <h2 className="font-semibold">Context</h2>
        <p className="tabular ml-auto text-ink-2">
          <span className="font-medium text-ink">{formatTokens(used)}</span>
          {window ? ` of ${formatTokens(window)} tokens` : ' tokens, window not known'}
        </p>
      </div>
      <div className="mt-2.5 flex h-1.5 gap-px overflow-hidden rounded-full bg-line" aria-hidden>
        {rows.map(({ name, tokens }) => (
          <span key={name} className={shades[name]} style={{ width: `${(tokens / total) * 100}%` }} />
        ))}
      </div>
      <dl className="tabular mt-3">
        {rows.map(({ name, label, tokens }) => (
          <div key={name} className="flex items-center gap-2 py-0.5">
            <dt className="flex min-w-0 flex-1 items-center gap-2 text-ink-2">
              <span className={`size-2 shrink-0 rounded-sm ${shades[name]}`} aria-hidden />
              <span className="truncate">{label}</span>
            </dt>
            <dd>{formatTokens(tokens)}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-2 text-sm text-ink-3">
        {window
          ? `The parts are an estimate. At ${Math.round(COMPACTION_SHARE * 100)} % the conversation is summarised by itself.`
          : 'The parts are an estimate.'}{' '}
        {compaction ? `Summarised ${times(compaction.count)} so far.` : 'Not summarised so far.'}
      </p>
      <Summarise id={id} empty={!items || items.length === 0} onDone={onClose} />
    </div>
  )
}

function Summarise({ id, empty, onDone }: { id: string; empty: boolean; onDone: () => void }) {
  const status = useSessionPart(id, (state) => state?.status)
  const connected = useApp((app) => app.connection === 'connected')
  const locked = useApp((app) => app.sessions.some((session) => session.id === id && session.locked))
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const [busy, setBusy] = useState(false)
  const reason = locked
    ? 'Another ML Intern works in this session.'
    : !connected
      ? 'Not connected.'
      : status !== 'idle'
        ? 'A turn is running: it can be done when that has ended.'
        : empty
          ? 'Nothing to summarise yet.'
          : null

  async function run(): Promise<void> {
    setBusy(true)
    setFailure(null)
    try {
      await submit(id, { op: 'compact' })
      onDone()
    } catch (thrown) {
      setFailure(failureOf(thrown))
    } finally {
      setBusy(false)
    }
  }

  return (
    <>
      {failure && <FailureBanner failure={failure} className="mt-3" />}
      <div className="mt-3 flex items-center gap-3 border-t border-line pt-3">
        <p className="min-w-0 flex-1 text-sm text-ink-2">
          {reason ?? 'The model then reads a summary in the place of older messages. You still see them all.'}
        </p>
        <Button size="sm" disabled={reason !== null || busy} onClick={() => void run()}>
          {busy ? 'Starting…' : 'Summarise now'}
        </Button>
      </div>
    </>
  )
}

function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`
}
