import type { ModelChoice } from '@shared/bridge'
import { clsx } from 'clsx'
import { RotateCw, Search } from 'lucide-react'
import { type KeyboardEvent, type RefObject, useDeferredValue, useEffect, useId, useMemo, useState } from 'react'
import { Button } from '../../components/Button'
import { useActive, useInView } from '../../hooks/useActive'
import { isKeyMissing, modelName, whyUnavailable } from '../../lib/models'
import { useApp } from '../../stores/app'
import { loadModels, useModels } from '../../stores/models'
import { showDialog } from '../../stores/ui'
import { countMatches, freeIdOf, MAX_SHOWN, sectionsOf } from './catalogue'
import { ModelRow, Option } from './ModelRow'

interface ModelPickerProps {
  /** Null: automatic. */
  value: string | null
  /** Offers "Automatic", in these words. */
  automatic?: string
  field: RefObject<HTMLInputElement | null>
  onChoose: (id: string | null) => void
  onClose: () => void
}

type Entry =
  | { kind: 'automatic' }
  | { kind: 'model'; model: ModelChoice; section: string }
  | { kind: 'free'; id: string }

const NO_MODELS: ModelChoice[] = []

/** Search over every model that can be chosen, and any other by its id. */
export function ModelPicker({ value, automatic, field, onChoose, onClose }: ModelPickerProps) {
  const info = useApp((app) => app.info)
  const recent = useModels((models) => models.recent)
  const [query, setQuery] = useState('')
  const search = useDeferredValue(query)
  const models = info?.models ?? NO_MODELS
  const entries = useMemo(
    () => entriesOf(models, recent, search, automatic !== undefined),
    [models, recent, search, automatic],
  )
  const chosenAt = entries.findIndex((entry) => idOf(entry) === value)
  const { at, setAt, onMoveKey } = useActive(entries.length, search, search === '' ? Math.max(0, chosenAt) : 0)
  const list = useId()
  const optionId = (place: number): string => `${list}-${place}`
  useInView(optionId(at))
  useEffect(() => {
    // The popup opened before this code was here.
    field.current?.focus()
    void loadModels(false)
  }, [field])

  function choose(entry: Entry | undefined): void {
    if (!entry || (entry.kind === 'model' && whyUnavailable(entry.model) !== null)) return
    onChoose(idOf(entry))
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.nativeEvent.isComposing || onMoveKey(event)) return
    if (event.key !== 'Enter') return
    event.preventDefault()
    choose(entries[at])
  }

  function entryView(entry: Entry, place: number) {
    const common = {
      id: optionId(place),
      chosen: place === chosenAt,
      active: place === at,
      onHover: () => setAt(place),
      onChoose: () => choose(entry),
    }
    if (entry.kind === 'model') {
      return <ModelRow key={entry.model.id} {...common} model={entry.model} name={modelName(entry.model.id, info)} />
    }
    return (
      <Option key={entry.kind} {...common}>
        <span className="truncate font-medium">
          {entry.kind === 'free' ? (
            <>
              Use <span className="font-mono text-sm">{entry.id}</span>
            </>
          ) : (
            'Automatic'
          )}
        </span>
        <span className="text-sm text-ink-2">
          {entry.kind === 'free' ? 'Not in the list: its context and price may not be known.' : automatic}
        </span>
      </Option>
    )
  }

  const hidden = countMatches(models, search) - MAX_SHOWN
  return (
    <>
      <div className="relative shrink-0 border-b border-line">
        <Search
          size={14}
          className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-ink-3"
          aria-hidden
        />
        <input
          ref={field}
          role="combobox"
          aria-label="Search models"
          aria-expanded
          aria-controls={list}
          aria-activedescendant={entries.length > 0 ? optionId(at) : undefined}
          value={query}
          spellCheck={false}
          autoComplete="off"
          placeholder="Search, or type an id: hf/org/model"
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={onKeyDown}
          className="h-10 w-full bg-transparent pr-3 pl-8.5 outline-none"
        />
      </div>
      <div id={list} role="listbox" aria-label="Models" className="min-h-0 flex-1 overflow-y-auto p-1">
        {sections(entries).map(({ label, from, entries: part }) => (
          <fieldset key={label || 'other'} aria-label={label || undefined} className="min-w-0">
            {label && (
              <div className="px-2 pt-2.5 pb-1 text-xs font-medium text-ink-3" aria-hidden>
                {label}
              </div>
            )}
            {part.map((entry, i) => entryView(entry, from + i))}
          </fieldset>
        ))}
        {entries.length === 0 && (
          <p className="px-2 py-3 break-words text-ink-2">
            {search
              ? `No model has “${search}” in its name. A full id, such as hf/org/model, works too.`
              : 'No models.'}
          </p>
        )}
        {hidden > 0 && <p className="px-2 py-2 text-sm text-ink-3">{hidden} more. Type to narrow the list.</p>}
      </div>
      <PickerFoot onClose={onClose} />
    </>
  )
}

function PickerFoot({ onClose }: { onClose: () => void }) {
  const loading = useModels((models) => models.loading)
  const failure = useModels((models) => models.failure)
  const keyMissing = useApp((app) => isKeyMissing(app.info))
  return (
    <div className="flex min-h-10 shrink-0 items-center gap-2 border-t border-line py-1.5 pr-2 pl-3">
      <p className="min-w-0 flex-1 text-sm text-ink-3" aria-live="polite">
        {failure ? (
          <span className="text-bad">
            {failure.message} {failure.remedy}
          </span>
        ) : loading ? (
          'Asking the providers…'
        ) : (
          'Prices: in / out, US dollars per 1M tokens'
        )}
      </p>
      {keyMissing && (
        <Button
          size="sm"
          onClick={() => {
            onClose()
            showDialog('key')
          }}
        >
          Add an Anthropic key…
        </Button>
      )}
      <Button size="sm" look="quiet" disabled={loading} onClick={() => void loadModels(true)}>
        <RotateCw size={12} strokeWidth={2} aria-hidden className={clsx(loading && 'animate-turn')} />
        Refresh
      </Button>
    </div>
  )
}

function entriesOf(models: ModelChoice[], recent: string[], query: string, automatic: boolean): Entry[] {
  const free = freeIdOf(query, models)
  return [
    ...(automatic && query === '' ? [{ kind: 'automatic' as const }] : []),
    ...sectionsOf(models, recent, query).flatMap(({ label, models: part }) =>
      part.map((model) => ({ kind: 'model' as const, model, section: label })),
    ),
    ...(free === null ? [] : [{ kind: 'free' as const, id: free }]),
  ]
}

function idOf(entry: Entry): string | null {
  if (entry.kind === 'automatic') return null
  return entry.kind === 'free' ? entry.id : entry.model.id
}

/** Runs of entries under one heading, with the place of their first. */
function sections(entries: Entry[]): { label: string; from: number; entries: Entry[] }[] {
  const made: { label: string; from: number; entries: Entry[] }[] = []
  for (const [place, entry] of entries.entries()) {
    const label = entry.kind === 'model' ? entry.section : entry.kind === 'free' ? 'By id' : ''
    const last = made.at(-1)
    if (last?.label === label) last.entries.push(entry)
    else made.push({ label, from: place, entries: [entry] })
  }
  return made
}
