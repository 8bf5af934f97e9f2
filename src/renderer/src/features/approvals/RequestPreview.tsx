import type { ApprovalRequest } from '@shared/approvals'
import { Pencil } from 'lucide-react'
import { Fragment, type ReactNode, useMemo, useState } from 'react'
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
  disabled: boolean
  onEdit: () => void
  /** Undoes the user's changes; undefined where there are none. */
  onReset: (() => void) | undefined
}

/** Exactly what will happen: the command, the new content, the change. Nothing of it is left out. */
export function RequestPreview({ request, cwd, lines, disabled, onEdit, onReset }: RequestPreviewProps) {
  const tools = disabled ? null : <EditTools onEdit={onEdit} onReset={onReset} />
  const command = argument(request, 'command')
  const path = argument(request, 'path')
  if (request.tool === 'bash' && command) {
    return <Command request={request} command={command} cwd={cwd} tools={tools} />
  }
  const replacement = replacementOf(request)
  if (replacement) return <Edit path={shortPath(path, cwd)} replacement={replacement} tools={tools} />
  if (request.tool === 'write' && typeof request.arguments.content === 'string') {
    return <Content path={shortPath(path, cwd)} content={request.arguments.content} first={lines} tools={tools} />
  }
  const script = argument(request, 'script')
  if (script) return <Script request={request} script={script} tools={tools} />
  const args = JSON.stringify(request.arguments, null, 2)
  return (
    <Box title="Arguments" copy={args} tools={tools}>
      <OutputBlock text={args} wrap />
    </Box>
  )
}

interface BoxProps {
  title: string
  note?: string
  copy: string
  /** Beside the copy button. */
  tools: ReactNode
  children: ReactNode
}

function EditTools({ onEdit, onReset }: { onEdit: () => void; onReset: (() => void) | undefined }) {
  const look = 'flex h-6 shrink-0 items-center gap-1.5 rounded-sm px-1.5 text-ink-2 hover:bg-ink/5 hover:text-ink'
  return (
    <>
      {onReset && (
        <button type="button" onClick={onReset} title="Back to what the model wrote" className={look}>
          Reset
        </button>
      )}
      <button type="button" onClick={onEdit} className={look}>
        <Pencil size={12} strokeWidth={1.75} aria-hidden />
        Edit
      </button>
    </>
  )
}

function Box({ title, note, copy, tools, children }: BoxProps) {
  return (
    <div className="overflow-hidden rounded-md border border-line bg-sunken text-sm">
      <div className="flex h-7.5 items-center gap-2 border-b border-line pr-1 pl-3 text-ink-2">
        <span className="mono-line min-w-0 truncate" title={title}>
          {title}
        </span>
        {note && <span className="shrink-0 text-ink-3">{note}</span>}
        <span className="ml-auto flex shrink-0 items-center">
          {tools}
          <CopyButton text={copy} label="Copy" />
        </span>
      </div>
      {children}
    </div>
  )
}

interface CommandProps {
  request: ApprovalRequest
  command: string
  cwd: string
  tools: ReactNode
}

function Command({ request, command, cwd, tools }: CommandProps) {
  const folder = argument(request, 'work_dir')
  const timeout = request.arguments.timeout
  const where = folder && folder !== '.' ? shortPath(folder, cwd) : cwd
  const note = typeof timeout === 'number' ? `at most ${formatSeconds(timeout)}` : ''
  return (
    <Box title={where} note={note} copy={command} tools={tools}>
      <div className="approval-height overflow-y-auto px-3 py-2">
        {/* Whoever approves a command has seen its end: it never runs out of sight to the right. */}
        <Code code={command} lang="bash" wrap />
      </div>
    </Box>
  )
}

interface ScriptProps {
  request: ApprovalRequest
  script: string
  tools: ReactNode
}

/** A script as it will run, and under it what it is run with. */
function Script({ request, script, tools }: ScriptProps) {
  const { script: _script, ...rest } = request.arguments
  const others = Object.entries(rest)
  return (
    <Box title="Script" note={plural(countLines(script), 'line')} copy={script} tools={tools}>
      <div className="approval-height overflow-y-auto px-3 py-2">
        <Code code={script} lang="python" wrap />
      </div>
      {others.length > 0 && (
        <dl className="approval-height grid grid-cols-[max-content_1fr] gap-x-4 gap-y-0.5 overflow-y-auto border-t border-line px-3 py-2">
          {others.map(([name, value]) => (
            <Fragment key={name}>
              <dt className="text-ink-3">{name}</dt>
              <dd className="mono-line wrap-anywhere">{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
            </Fragment>
          ))}
        </dl>
      )}
    </Box>
  )
}

interface ContentProps {
  path: string
  content: string
  first: number
  tools: ReactNode
}

function Content({ path, content, first, tools }: ContentProps) {
  const [all, setAll] = useState(false)
  const lines = countLines(content)
  const shown = useMemo(() => (all ? content : content.split('\n', first).join('\n')), [content, all, first])
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  return (
    <Box title={path} note={plural(lines, 'line')} copy={content} tools={tools}>
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

interface EditProps {
  path: string
  replacement: Replacement
  tools: ReactNode
}

function Edit({ path, replacement, tools }: EditProps) {
  const { before, after, everywhere } = replacement
  const patch = useMemo(() => patchOf(before, after), [before, after])
  return (
    <Box title={path} note={everywhere ? 'every occurrence' : undefined} copy={patch ?? after} tools={tools}>
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
