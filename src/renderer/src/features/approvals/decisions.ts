import type { ApprovalRequest } from '@shared/events'
import type { ApprovalDecision } from '@shared/operations'
import { argument, toolName } from '../chat/tool-text'

export type Choice = { approved: true; scope: 'once' | 'session' } | { approved: false; feedback: string }
export type Choices = Readonly<Record<string, Choice>>

/** The engine takes at most this much of a reason (operations.ts). */
export const MAX_FEEDBACK = 10_000

/** What goes to the engine: one decision for each request, in their order; null while one is missing. */
export function decisionsOf(requests: ApprovalRequest[], choices: Choices): ApprovalDecision[] | null {
  const decisions: ApprovalDecision[] = []
  for (const { tool_call_id } of requests) {
    const choice = choices[tool_call_id]
    if (!choice) return null
    if (choice.approved) {
      decisions.push({ tool_call_id, approved: true, scope: choice.scope })
    } else {
      const feedback = choice.feedback.trim().slice(0, MAX_FEEDBACK)
      decisions.push({ tool_call_id, approved: false, ...(feedback ? { feedback } : {}) })
    }
  }
  return decisions
}

export function choiceForAll(requests: ApprovalRequest[], choice: Choice): Choices {
  return Object.fromEntries(requests.map((request) => [request.tool_call_id, choice]))
}

/** The question, in the user's terms. */
export function questionOf(request: ApprovalRequest): string {
  switch (request.tool) {
    case 'bash':
      return 'Run this command?'
    case 'write':
      return 'Write this file?'
    case 'edit':
      return 'Change this file?'
    default:
      return `Allow “${toolName(request.tool)}”?`
  }
}

/** "any command", "every edit": what approving for the session allows from then on. */
export function sessionScopeOf(tool: string): string {
  switch (tool) {
    case 'bash':
      return 'Every command of this session then runs without asking'
    case 'write':
      return 'Every file this session writes is then written without asking'
    case 'edit':
      return 'Every edit of this session is then made without asking'
    default:
      return `“${toolName(tool)}” then runs without asking for the rest of this session`
  }
}

export interface Replacement {
  before: string
  after: string
  everywhere: boolean
  mode: string
}

/** The arguments of an edit; null when they are not those of an edit. */
export function replacementOf(request: ApprovalRequest): Replacement | null {
  const before = argument(request, 'old_str')
  const after = argument(request, 'new_str')
  if (request.tool !== 'edit' || (!before && !after)) return null
  const mode = argument(request, 'mode') || 'replace'
  const everywhere = request.arguments.replace_all === true || mode === 'replace_all'
  if (mode === 'append_after') return { before, after: before + after, everywhere, mode }
  if (mode === 'prepend_before') return { before, after: after + before, everywhere, mode }
  return { before, after, everywhere, mode: 'replace' }
}
