import { MAX_INPUT_CHARS } from '@shared/operations'
import { ArrowUp, ChevronDown, Folder } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { Tip } from '../../components/Tip'
import { baseName } from '../../lib/format'
import { useApp } from '../../stores/app'
import { submit } from '../../stores/sessions'
import { reportFailure, showDialog } from '../../stores/ui'
import { keepDraft, readDraft, tooLongText } from '../composer/drafts'
import { PromptArea } from '../composer/PromptArea'
import { RoundButton } from '../composer/RoundButton'
import { FolderDialog } from '../folders/FolderDialog'
import { ModelButton } from '../models/ModelButton'
import { EXAMPLES } from './examples'
import { readinessOf, WHY_NOT } from './readiness'

/** The draft that belongs to no session yet. */
const NEW = 'new'
const MAX_RECENT_FOLDERS = 4

/** A prompt, a folder and a model: sending makes a session of them. */
export function StartBox() {
  const info = useApp((app) => app.info)
  const connection = useApp((app) => app.connection)
  const unstartable = useApp((app) => app.startFailure !== null)
  const sessions = useApp((app) => app.sessions)
  const createSession = useApp((app) => app.actions.createSession)
  const [text, setText] = useState(() => readDraft(NEW))
  const [chosenFolder, setFolder] = useState<string | null>(null)
  const [chosenModel, setModel] = useState<string | null>(null)
  const [choosing, setChoosing] = useState(false)
  const [busy, setBusy] = useState(false)
  /** Enter was pressed before the window had started. */
  const [held, setHeld] = useState(false)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const area = useRef<HTMLTextAreaElement>(null)
  const folder = chosenFolder ?? info?.default_cwd ?? ''
  const model = chosenModel ?? info?.settings.model ?? ''
  const recent = useMemo(
    () => [...new Set(sessions.map((session) => session.cwd).filter(Boolean))].slice(0, MAX_RECENT_FOLDERS),
    [sessions],
  )
  const tooLong = text.length > MAX_INPUT_CHARS
  const readiness = readinessOf(connection, info, model)
  const blocked = WHY_NOT[readiness]
  const sendable = !busy && !tooLong && text.trim() !== ''

  function change(next: string): void {
    setHeld(false)
    setText(next)
    keepDraft(NEW, next)
  }

  function press(): void {
    if (!sendable) return
    if (readiness === 'ready') void start()
    else if (readiness === 'key') showDialog('key')
    else if (readiness === 'wait') setHeld(true)
  }

  // The press that came too early is done once; what cannot be done then says why instead.
  const latestPress = useRef(press)
  useEffect(() => {
    latestPress.current = press
  })
  const waits = readiness === 'wait' && !unstartable
  useEffect(() => {
    if (!held || waits) return
    setHeld(false)
    latestPress.current()
  }, [held, waits])

  async function start(): Promise<void> {
    setBusy(true)
    setFailure(null)
    const prompt = text.trim()
    try {
      const id = await createSession({ cwd: folder || undefined, model })
      keepDraft(NEW, '')
      // From here the session is open and this box is gone: a refused message is kept as that session's draft.
      await submit(id, { op: 'user_input', text: prompt }).catch((thrown: unknown) => {
        keepDraft(id, prompt)
        reportFailure('The message was not sent.', thrown)
      })
    } catch (thrown) {
      setFailure(failureOf(thrown))
      setBusy(false)
    }
  }

  return (
    <>
      <div className="mt-5 rounded-lg border border-line-strong bg-raised px-3 pt-2.5 pb-2 shadow-float transition-colors duration-100 focus-within:border-ink-3/70">
        <PromptArea
          ref={area}
          autoFocus
          aria-label="Task"
          value={text}
          onChange={change}
          onSend={press}
          readOnly={busy}
          minHeight={68}
          placeholder="Describe the task: the data, what counts as good, what you want to have in the end."
        />
        <div className="mt-1.5 flex h-7 items-center gap-1.5">
          <Tip label={folder || 'Choose a folder'} side="top">
            <button
              type="button"
              aria-label={`Working folder: ${folder || 'none'}`}
              onClick={() => setChoosing(true)}
              className="inline-flex h-6 min-w-0 items-center gap-1.5 rounded-md border border-line px-2 text-sm text-ink-2 transition-colors duration-100 hover:border-line-strong hover:text-ink"
            >
              <Folder size={12} strokeWidth={2} className="shrink-0 text-ink-3" aria-hidden />
              <span className="truncate">{folder ? baseName(folder) : 'Choose a folder'}</span>
              <ChevronDown size={12} strokeWidth={2} className="shrink-0 text-ink-3" aria-hidden />
            </button>
          </Tip>
          {info && (
            <ModelButton
              label="Model"
              value={model}
              onChange={(id) => setModel(id)}
              align="start"
              side="top"
              className="max-w-64"
            />
          )}
          <p className="min-w-0 flex-1 truncate text-right text-sm text-ink-3" aria-live="polite">
            {tooLong ? tooLongText(text.length) : (text.trim() || held) && blocked}
          </p>
          <Tip label={blocked ?? 'Start'} keys={blocked ? undefined : ['Enter']} side="top">
            <RoundButton
              look="primary"
              icon={ArrowUp}
              label="Start"
              disabled={!sendable || readiness !== 'ready'}
              onClick={press}
            />
          </Tip>
        </div>
      </div>
      {failure && <FailureBanner failure={failure} className="mt-3" />}
      <ul aria-label="Examples" className="-mx-3 mt-3">
        {EXAMPLES.map((example) => (
          <li key={example.title}>
            <button
              type="button"
              disabled={busy}
              onClick={() => {
                change(example.prompt)
                area.current?.focus()
              }}
              className="row-hover flex w-full items-baseline gap-3 rounded-md px-3 py-1.5 text-left"
            >
              <span className="w-40 shrink-0 truncate font-medium max-md:w-auto">{example.title}</span>
              <span className="min-w-0 flex-1 truncate text-ink-2 max-md:hidden">{example.prompt}</span>
            </button>
          </li>
        ))}
      </ul>
      <FolderDialog
        open={choosing}
        start={folder}
        recent={recent}
        onChoose={(path) => {
          setFolder(path)
          setChoosing(false)
        }}
        onClose={() => setChoosing(false)}
      />
    </>
  )
}
