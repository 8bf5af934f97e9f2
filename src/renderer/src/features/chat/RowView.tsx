import type { SessionState } from '@shared/state'
import { memo } from 'react'
import { ApprovalCard } from '../approvals/ApprovalCard'
import { ActivityLine } from './ActivityLine'
import { CodeBlock } from './CodeBlock'
import { Markdown } from './Markdown'
import { ReplyFooter, UserMessage } from './messages'
import { GuardNotice, Notice } from './notices'
import { Reasoning } from './Reasoning'
import type { Row } from './rows'
import { ToolRow } from './ToolRow'

interface RowViewProps {
  row: Row
  /** Live output of the row's tool while it runs. */
  log: string | undefined
  /** Only for rows that show what is going on: all others must not be drawn again with every event. */
  state: SessionState | null
}

/** One row in the reading column. */
export const RowView = memo(function RowView({ row, log, state }: RowViewProps) {
  return (
    <div data-row={row.key} className="mx-auto w-full max-w-180 px-6 max-md:px-3" style={{ paddingTop: row.gap }}>
      <Content row={row} log={log} state={state} />
    </div>
  )
})

function Content({ row, log, state }: RowViewProps) {
  switch (row.kind) {
    case 'user':
      return <UserMessage item={row.item} />
    case 'reasoning':
      return <Reasoning id={row.id} text={row.text} live={row.live} />
    case 'markdown':
    case 'code':
      return (
        <div className="hover-host">
          {row.kind === 'code' ? (
            <CodeBlock code={row.text} lang={row.lang} growing={row.growing} />
          ) : (
            <Markdown text={row.text} growing={row.growing} />
          )}
          {row.reply && <ReplyFooter reply={row.reply} explained={row.explained} ends={row.ends} newest={row.newest} />}
        </div>
      )
    case 'tool':
      return <ToolRow item={row.item} first={row.first} last={row.last} log={log} />
    case 'guard':
      return <GuardNotice item={row.item} />
    case 'notice':
      return <Notice item={row.item} newest={row.newest} />
    case 'approval':
      return state && <ApprovalCard session={state.id} cwd={state.cwd} requests={row.requests} />
    case 'activity':
      return state && <ActivityLine state={state} />
  }
}

/** The rows that follow the whole state. */
export function followsState(row: Row): boolean {
  return row.kind === 'activity' || row.kind === 'approval'
}
