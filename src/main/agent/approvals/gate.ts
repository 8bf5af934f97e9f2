import type { ApprovalDecision } from '@shared/approvals'

export interface GateDecision extends ApprovalDecision {
  /** The user went on with a message instead of deciding. */
  abandoned?: boolean
}

/** Decisions of the user for calls that wait; one gate a turn. */
export class ApprovalGate {
  private readonly waiting = new Map<string, (decision: GateDecision) => void>()
  private readonly early: Map<string, GateDecision>

  /** `decided`: what was decided before the turn could wait for it. */
  constructor(decided: readonly GateDecision[] = []) {
    this.early = new Map(decided.map((decision) => [decision.tool_call_id, decision]))
  }

  /** Ids that still wait. */
  pending(): string[] {
    return [...this.waiting.keys()]
  }

  /** Resolves with the decision; rejects when the signal aborts first. */
  wait(callId: string, signal: AbortSignal): Promise<GateDecision> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.waiting.delete(callId)
        reject(signal.reason)
      }
      if (signal.aborted) return onAbort()
      const known = this.early.get(callId)
      this.early.delete(callId)
      if (known) return resolve(known)
      signal.addEventListener('abort', onAbort, { once: true })
      this.waiting.set(callId, (decision) => {
        signal.removeEventListener('abort', onAbort)
        this.waiting.delete(callId)
        resolve(decision)
      })
    })
  }

  /** Hands a decision to the call that waits for it; false when none does yet: it is kept until one does. */
  resolve(decision: GateDecision): boolean {
    const waiter = this.waiting.get(decision.tool_call_id)
    if (waiter) waiter(decision)
    else this.early.set(decision.tool_call_id, decision)
    return waiter !== undefined
  }
}
