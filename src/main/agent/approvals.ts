import type { ApprovalDecision } from '@shared/operations'
import type { ApprovalMode } from '@shared/settings'

export type Verdict =
  | { kind: 'allow' }
  | { kind: 'ask'; reason: string }
  /** Refused without asking; the model reads `reason`. */
  | { kind: 'deny'; reason: string }

export interface CallFacts {
  tool: string
  effect: 'read' | 'write' | 'execute'
}

/**
 * Whether a call may run. Reading is always free. Commands are not sandboxed in this version, so in Ask mode every
 * command asks, as every change of a file does.
 */
export function decide(call: CallFacts, mode: ApprovalMode, allowedTools: readonly string[]): Verdict {
  if (call.effect === 'read') return { kind: 'allow' }
  switch (mode) {
    case 'plan':
      return {
        kind: 'deny',
        reason: 'Plan mode is read-only: describe what you would do. The user can switch the mode to let you do it.',
      }
    case 'ask':
      if (allowedTools.includes(call.tool)) return { kind: 'allow' }
      // That a file is changed is what is asked; a command deserves a word more.
      return { kind: 'ask', reason: call.effect === 'execute' ? 'Runs a command outside a sandbox' : '' }
    case 'auto':
    case 'full':
      return { kind: 'allow' }
  }
}

/** Decisions of the user for calls that wait; one gate a turn. */
export class ApprovalGate {
  private readonly waiting = new Map<string, (decision: ApprovalDecision) => void>()

  /** Ids that still wait. */
  pending(): string[] {
    return [...this.waiting.keys()]
  }

  /** Resolves with the decision; rejects when the signal aborts first. */
  wait(callId: string, signal: AbortSignal): Promise<ApprovalDecision> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.waiting.delete(callId)
        reject(signal.reason)
      }
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      this.waiting.set(callId, (decision) => {
        signal.removeEventListener('abort', onAbort)
        this.waiting.delete(callId)
        resolve(decision)
      })
    })
  }

  /** Hands a decision to the call that waits for it; false when none does. */
  resolve(decision: ApprovalDecision): boolean {
    const waiter = this.waiting.get(decision.tool_call_id)
    waiter?.(decision)
    return waiter !== undefined
  }
}
