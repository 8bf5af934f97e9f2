import { useLayoutEffect, useRef } from 'react'
import { Chevron } from './Chevron'
import { useThoughtTime } from './clocks'
import { useDisclosure } from './disclosure'
import { StateIcon } from './StateIcon'
import { useTranscriptSession } from './session-context'
import { formatSeconds } from './text'

interface ReasoningProps {
  id: string
  text: string
  live: boolean
}

/** What the model thought, as plain text: open while it thinks, closed afterwards, unless the user decided. */
export function Reasoning({ id, text, live }: ReasoningProps) {
  const session = useTranscriptSession()
  const [open, toggle] = useDisclosure(session.id, `${id}:reasoning`, live)
  return (
    <div className="text-sm text-ink-2">
      <button
        type="button"
        aria-expanded={open}
        onClick={toggle}
        className="-ml-1.5 flex items-center gap-2 rounded-sm px-1.5 py-0.5 text-ink-3 hover:text-ink"
      >
        {live ? <StateIcon state="running" /> : <Chevron open={open} />}
        {live ? 'Thinking…' : <Thought id={id} />}
      </button>
      {open && <ReasoningText text={text} live={live} />}
    </div>
  )
}

function Thought({ id }: { id: string }) {
  const lasted = useThoughtTime(id)
  return (
    <>{lasted === undefined ? 'Thought' : `Thought for ${formatSeconds(Math.max(1, Math.round(lasted / 1_000)))}`}</>
  )
}

function ReasoningText({ text, live }: { text: string; live: boolean }) {
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    // `text` grows while it is written: its end stays in view.
    const element = box.current
    if (live && element && text) element.scrollTop = element.scrollHeight
  }, [live, text])
  return (
    <div
      ref={box}
      className={`mt-1 overflow-y-auto border-l-2 border-line py-0.5 pl-4 leading-[1.6] break-words whitespace-pre-wrap ${live ? 'max-h-40' : 'max-h-100'}`}
    >
      {live ? text.trimStart().slice(-LIVE_CHARS) : text.trim()}
    </div>
  )
}

/** More than the small box of running reasoning can show; less than costs layout time in each frame. */
const LIVE_CHARS = 4_000
