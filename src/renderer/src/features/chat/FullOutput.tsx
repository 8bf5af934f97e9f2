import type { Spill } from '@shared/content'
import { useState } from 'react'
import { type BridgeFailure, call, failureOf } from '../../bridge/bridge'
import { Button } from '../../components/Button'
import { useTranscriptSession } from './session-context'
import { formatBytes, plainOutput } from './text'

/** Bytes asked for at a time: a page is laid out in a frame or two. */
const PAGE_BYTES = 200_000

interface Pages {
  /** Byte offset of each page and its text. */
  read: { offset: number; text: string }[]
  next: number
  total: number
  loading: boolean
  failure: BridgeFailure | null
}

/** The whole output of a command, from its file, a page at a time. `Short` is what is shown until it is asked for. */
export function FullOutput({ spill, short }: { spill: Spill; short: React.ReactNode }) {
  const { id } = useTranscriptSession()
  const [pages, setPages] = useState<Pages>({ read: [], next: 0, total: spill.bytes, loading: false, failure: null })

  async function more(): Promise<void> {
    const offset = pages.next
    setPages((p) => ({ ...p, loading: true, failure: null }))
    try {
      const reply = await call('session.readOutput', { id, file: spill.file, offset, length: PAGE_BYTES })
      setPages((p) => ({
        ...p,
        read: [...p.read, { offset, text: plainOutput(reply.text) }],
        next: reply.next_offset,
        total: reply.total_bytes,
        loading: false,
      }))
    } catch (thrown) {
      setPages((p) => ({ ...p, loading: false, failure: failureOf(thrown) }))
    }
  }

  const started = pages.read.length > 0
  const done = started && pages.next >= pages.total
  const label = started
    ? `Load more (${formatBytes(pages.next)} of ${formatBytes(pages.total)})`
    : `Show full output (${formatBytes(spill.bytes)})`
  return (
    <>
      {started ? (
        <pre className="code-scroll max-h-120 px-3.5 py-2.5 text-ink-2">
          {pages.read.map(({ offset, text }) => (
            <span key={offset} className="block [content-visibility:auto]">
              {text}
            </span>
          ))}
        </pre>
      ) : (
        short
      )}
      {!done && (
        <div className="flex items-center gap-2 px-3.5 pb-2.5">
          <Button size="sm" onClick={() => void more()} disabled={pages.loading}>
            {pages.loading ? 'Loading…' : label}
          </Button>
          {!started && (
            <span className="text-sm text-ink-3">
              {spill.omitted_chars.toLocaleString('en')} characters are left out above
            </span>
          )}
        </div>
      )}
      {pages.failure && (
        <p role="alert" className="px-3.5 pb-2.5 text-sm text-bad">
          {pages.failure.message} {pages.failure.remedy}
        </p>
      )}
    </>
  )
}
