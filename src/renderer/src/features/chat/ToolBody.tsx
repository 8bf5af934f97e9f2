import type { ToolItem } from '@shared/state'
import type { ReactNode } from 'react'
import { Changes } from './Changes'
import { Chevron } from './Chevron'
import { CopyButton } from './CopyButton'
import { DiffView } from './DiffView'
import { useDisclosure } from './disclosure'
import { FullOutput } from './FullOutput'
import { LiveBlock, OutputBlock } from './OutputBlock'
import { useTranscriptSession } from './session-context'
import { shortPath } from './text'
import { argument, rangeOf } from './tool-text'

/** What is under a tool row: what was asked, what came of it, and the raw arguments for those who want them. */
export function ToolBody({ item, log }: { item: ToolItem; log: string | undefined }) {
  return (
    <div className="border-t border-line bg-sunken text-sm">
      <Head item={item} />
      <Result item={item} log={log} />
      <Arguments item={item} />
    </div>
  )
}

function Bar({ children }: { children: ReactNode }) {
  return <div className="flex min-h-8 items-center gap-2 border-b border-line py-0.5 pr-2 pl-3.5">{children}</div>
}

function Head({ item }: { item: ToolItem }) {
  const { cwd } = useTranscriptSession()
  const { details } = item
  if (item.tool === 'bash') {
    const command = argument(item, 'command') || (details?.kind === 'command' ? details.command : '')
    const folder = details?.kind === 'command' && details.cwd !== cwd ? details.cwd : ''
    return (
      <Bar>
        <pre className="code-scroll max-h-40 min-w-0 flex-1 py-1.5 whitespace-pre-wrap text-ink [overflow-wrap:anywhere]">
          <span className="text-accent select-none">$ </span>
          {command}
        </pre>
        {folder && <span className="shrink-0 text-ink-3">in {shortPath(folder, cwd)}</span>}
        <CopyButton text={command} label="Copy command" className="self-start" />
      </Bar>
    )
  }
  const path = details && details.kind !== 'command' ? details.path : argument(item, 'path')
  if (!path) return null
  return (
    <Bar>
      <span className="mono-line min-w-0 truncate text-ink" title={path}>
        {shortPath(path, cwd)}
      </span>
      {details?.kind === 'file' && details.last_line > 0 && (
        <span className="shrink-0 text-ink-3">{rangeOf(details)}</span>
      )}
      {details?.kind === 'diff' && (
        <>
          {details.created && <span className="shrink-0 text-ink-3">new file</span>}
          <Changes added={details.added} removed={details.removed} />
        </>
      )}
      <CopyButton text={path} label="Copy path" className="ml-auto" />
    </Bar>
  )
}

function Result({ item, log }: { item: ToolItem; log: string | undefined }) {
  const { details, output, spill } = item
  if (item.state === 'running' && !item.has_output) {
    return item.tool === 'bash' || log ? <LiveBlock log={log ?? ''} /> : <Quiet>Running…</Quiet>
  }
  if (item.state === 'waiting_approval') return <Quiet>Not run yet: it waits for your approval below.</Quiet>
  if (details?.kind === 'diff') {
    return (
      <>
        <DiffView patch={details.patch} />
        {details.truncated && <Quiet>The diff is longer than what is kept of it here.</Quiet>}
        {item.state === 'error' && <OutputBlock text={output} wrap className="border-t border-line" />}
      </>
    )
  }
  if (!item.has_output) return <Quiet>No output was recorded.</Quiet>
  if (output.trim() === '') return <Quiet>No output.</Quiet>
  // Lines of a command or a file are lines; everything else a tool says is sentences.
  const wrap = details?.kind !== 'command' && details?.kind !== 'file'
  // Sentences are broken before the copy button; long lines scroll under it.
  const shown = <OutputBlock text={output} wrap={wrap} className={wrap ? 'pr-10' : undefined} />
  return (
    <div className="hover-host relative">
      {spill ? <FullOutput spill={spill} short={shown} /> : shown}
      <span className="on-hover absolute top-1 right-2 rounded-sm bg-sunken">
        <CopyButton text={output} label="Copy output" />
      </span>
    </div>
  )
}

function Quiet({ children }: { children: ReactNode }) {
  return <p className="px-3.5 py-2 text-ink-3">{children}</p>
}

function Arguments({ item }: { item: ToolItem }) {
  const { id } = useTranscriptSession()
  const [open, toggle] = useDisclosure(id, `${item.key}:arguments`, false)
  if (Object.keys(item.arguments).length === 0) return null
  return (
    <div className="border-t border-line">
      <button
        type="button"
        aria-expanded={open}
        onClick={toggle}
        className="flex h-7.5 w-full items-center gap-1.5 px-3.5 text-left text-ink-3 -outline-offset-2 hover:text-ink"
      >
        <Chevron open={open} />
        Arguments
      </button>
      {open && <ArgumentsText args={item.arguments} />}
    </div>
  )
}

function ArgumentsText({ args }: { args: Record<string, unknown> }) {
  const text = JSON.stringify(args, null, 2)
  return (
    <div className="relative">
      <OutputBlock text={text} wrap className="pt-0" />
      <CopyButton text={text} label="Copy arguments" className="absolute top-0 right-2" />
    </div>
  )
}
