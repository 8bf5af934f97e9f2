import { clsx } from 'clsx'
import { type UIEvent, useLayoutEffect, useMemo, useRef } from 'react'
import { lastLines, plainOutput } from './text'

interface OutputBlockProps {
  text: string
  /** Long lines are broken instead of scrolled. */
  wrap?: boolean
  className?: string
}

/** Output of a tool as a block that scrolls by itself. */
export function OutputBlock({ text, wrap = false, className }: OutputBlockProps) {
  const plain = useMemo(() => plainOutput(text).replace(/\n+$/, ''), [text])
  return (
    <pre className={clsx('code-scroll max-h-80 px-3.5 py-2.5 text-ink-2', wrap && 'wrap-anywhere', className)}>
      {plain}
    </pre>
  )
}

/** Newest characters of a running command's log that are drawn: the terminal has all of it. */
const LIVE_CHARS = 12_000
const LIVE_LINES = 120
/** Pixels from the end within which the block follows the output. */
const FOLLOW_PX = 12

/** The end of a running command's output; follows it until the user scrolls up. */
export function LiveBlock({ log }: { log: string }) {
  const box = useRef<HTMLPreElement>(null)
  const follows = useRef(true)
  const text = useMemo(() => lastLines(plainOutput(log.slice(-LIVE_CHARS)), LIVE_LINES).text, [log])
  useLayoutEffect(() => {
    const element = box.current
    if (element && follows.current && text) element.scrollTop = element.scrollHeight
  }, [text])
  function scrolled({ currentTarget: e }: UIEvent<HTMLPreElement>): void {
    follows.current = e.scrollHeight - e.clientHeight - e.scrollTop <= FOLLOW_PX
  }
  return (
    <pre ref={box} onScroll={scrolled} className="code-scroll max-h-60 px-3.5 py-2.5 text-ink-2">
      {text || 'No output yet.'}
    </pre>
  )
}
