import type { ApprovalRequest } from '@shared/events'
import { useMemo, useState } from 'react'
import { Code } from '../chat/CodeBlock'
import { CopyButton } from '../chat/CopyButton'
import { DiffView } from '../chat/DiffView'
import { patchOf } from '../chat/diff-rules'
import { OutputBlock } from '../chat/OutputBlock'
import { countLines, formatSeconds, shortPath } from '../chat/text'
import { argument, plural } from '../chat/tool-text'
import { type Replacement, replacementOf } from './decisions'

interface RequestPreviewProps {
  request: ApprovalRequest
  cwd: string
  /** Lines of new content shown before the user asks for all. */
  lines: number
}

/** Exactly what will happen: the command, the new content, the change. Nothing of it is left out. */
export function RequestPreview({ request, cwd, lines }: RequestPreviewProps) {
  const command = argument(request, 'command')
  const path = argument(request, 'path')
  if (request.tool === 'bash' && command) return <Command request={request} command={command} cwd={cwd} />
  const replacement = replacementOf(request)
  if (replacement) return <Edit path={shortPath(path, cwd)} replacement={replacement} />
  if (request.tool === 'write' && typeof request.arguments.content === 'string') {
    return <Content path={shortPath(path, cwd)} content={request.arguments.content} first={lines} />
  }
  const args = JSON.stringify(request.arguments, null, 2)
  return (
    <Box title="Arguments" copy={args}>
      <OutputBlock text={args} wrap />
    </Box>
  )
}

interface BoxProps {
  title: string
  note?: string
  copy: string
  children: React.ReactNode
}

function Box({ title, note, copy, children }: BoxProps) {
  return (
    <div className="overflow-hidden rounded-md border border-line bg-sunken text-sm">
      <div className="flex h-7.5 items-center gap-2 border-b border-line pr-1 pl-3 text-ink-2">
        <span className="mono-line min-w-0 truncate" title={title}>
          {title}
        </span>
        {note && <span className="shrink-0 text-ink-3">{note}</span>}
        <CopyButton text={copy} label="Copy" className="ml-auto" />
      </div>
      {children}
    </div>
  )
}

function Command({ request, command, cwd }: { request: ApprovalRequest; command: string; cwd: string }) {
  const folder = argument(request, 'work_dir')
  const timeout = request.arguments.timeout
  const where = folder && folder !== '.' ? shortPath(folder, cwd) : cwd
  const note = typeof timeout === 'number' ? `at most ${formatSeconds(timeout)}` : ''
  return (
    <Box title={where} note={note} copy={command}>
      <div className="approval-height overflow-y-auto px-3 py-2">
        {/* Whoever approves a command has seen its end: it never runs out of sight to the right. */}
        <Code code={command} lang="bash" wrap />
      </div>
    </Box>
  )
}

function Content({ path, content, first }: { path: string; content: string; first: number }) {
  const [all, setAll] = useState(false)
  const lines = countLines(content)
  const shown = useMemo(() => (all ? content : content.split('\n', first).join('\n')), [content, all, first])
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  return (
    <Box title={path} note={plural(lines, 'line')} copy={content}>
      <div className="approval-height overflow-y-auto px-3 py-2">
        <Code code={shown} lang={extension} />
      </div>
      {!all && lines > first && (
        <button
          type="button"
          onClick={() => setAll(true)}
          className="px-3 pt-1.5 pb-2 text-ink-2 underline underline-offset-2 hover:text-ink"
        >
          Show all {plural(lines, 'line')}
        </button>
      )}
    </Box>
  )
}

function Edit({ path, replacement }: { path: string; replacement: Replacement }) {
  const { before, after, everywhere } = replacement
  const patch = useMemo(() => patchOf(before, after), [before, after])
  return (
    <Box title={path} note={everywhere ? 'every occurrence' : undefined} copy={patch ?? after}>
      {patch ? (
        <DiffView patch={patch} numbers={false} />
      ) : (
        <>
          <p className="px-3 pt-2 text-ink-3">This text</p>
          <OutputBlock text={before} />
          <p className="border-t border-line px-3 pt-2 text-ink-3">becomes</p>
          <OutputBlock text={after} />
        </>
      )}
    </Box>
  )
}
