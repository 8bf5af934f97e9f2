import type { ApprovalRisk, Rule } from '@shared/approvals'
import { type Estimate, estimateCost, jobFlavor, type Prices, sandboxHardware } from '../compute/estimate'
import { round } from '../compute/prices'
import type { ApprovalFacts } from './types'

type Arguments = Readonly<Record<string, unknown>>

/** What of the settings and the session decides beside the arguments. */
export interface PolicyContext {
  confirm_cpu_jobs: boolean
  /** A sandbox runs already: asking for one gives that. */
  has_sandbox?: boolean
  prices?: Prices
}

/** How a service's tool stands to the user before any rule and mode. */
export interface BasePolicy {
  /** As rules name it. */
  operation: string
  /** Whether the operation by itself is one to ask for. The mode Ask asks for everything else that changes something too. */
  asks: boolean
  risk?: ApprovalRisk
  reason?: string
  /** For what costs money. */
  estimate?: Estimate
}

const SCHEDULES = 'Scheduled jobs run by themselves later: each is asked for'
const CPU_FLAVORS: ReadonlySet<string> = new Set(['cpu-basic', 'cpu-upgrade'])
/** Operations of hf_repo_git that ask, and whether they delete. The others only add, or can be taken back. */
const GIT_ASKS: Readonly<Record<string, ApprovalRisk | null>> = {
  delete_branch: 'hub_deletion',
  delete_tag: 'hub_deletion',
  merge_pr: null,
  create_repo: null,
  update_repo: null,
}

/** The base policy of the tools that act on services. Pure; any arguments. */
export function basePolicy(tool: string, args: Arguments, context: PolicyContext): BasePolicy {
  const operation = typeof args.operation === 'string' ? args.operation.trim().toLowerCase() : ''
  switch (tool) {
    case 'hf_jobs':
      return jobPolicy(operation, args, context)
    case 'sandbox_create': {
      const estimate = estimateCost(tool, args, context)
      if (sandboxHardware(args) === 'cpu-basic') return { operation: 'create', asks: false, estimate }
      return { operation: 'create', asks: true, risk: 'money', reason: 'Starts a sandbox that costs money', estimate }
    }
    case 'hf_repo_files': {
      if (operation === 'delete') {
        return { operation, asks: true, risk: 'hub_deletion', reason: 'Deletes files on the Hub' }
      }
      return operation === 'upload'
        ? { operation, asks: true, reason: 'Uploads to the Hub' }
        : { operation, asks: false }
    }
    case 'hf_repo_git': {
      const risk = Object.hasOwn(GIT_ASKS, operation) ? GIT_ASKS[operation] : undefined
      if (risk === undefined) return { operation, asks: false }
      return { operation, asks: true, reason: 'Changes a repository on the Hub', ...(risk ? { risk } : {}) }
    }
    default:
      return { operation: operation || 'use', asks: false }
  }
}

function jobPolicy(operation: string, args: Arguments, context: PolicyContext): BasePolicy {
  if (operation.startsWith('scheduled')) {
    // To look at a schedule changes nothing.
    if (/^scheduled (ps|inspect)$/.test(operation)) return { operation, asks: false }
    return { operation, asks: true, risk: 'schedule', reason: SCHEDULES }
  }
  if (operation !== 'run' && operation !== 'uv') return { operation: operation || 'use', asks: false }
  // Such a call is not run at all: its arguments do not fit the schema.
  if (typeof args.args === 'string') return { operation, asks: false }
  const estimate = estimateCost('hf_jobs', args, context)
  const asks = context.confirm_cpu_jobs || !CPU_FLAVORS.has(jobFlavor(args))
  return { operation, asks, risk: 'money', reason: `Starts a job on ${jobFlavor(args)} that costs money`, estimate }
}

/** Money that a mode which does not ask may still spend; amounts in US dollars. */
export interface Cap {
  /** Null: no cap. */
  cap_usd: number | null
  spent_usd: number
  /** For calls of the same reply that come before. */
  reserved_usd: number
}
export interface CapVerdict {
  fits: boolean
  /** Null: no cap. */
  remaining_usd: number | null
  /** Why it does not fit. */
  problem: string | null
}

/** Whether an estimate fits what is left of the cap. An unknown cost never does: a budget fails closed. */
export function withinCap({ usd, problem }: Estimate, { cap_usd, spent_usd, reserved_usd }: Cap): CapVerdict {
  const remaining_usd = cap_usd === null ? null : Math.max(0, round(cap_usd - spent_usd - reserved_usd))
  if (usd === null) return { fits: false, remaining_usd, problem: problem ?? 'What it costs is not known.' }
  if (remaining_usd === null || usd <= remaining_usd) return { fits: true, remaining_usd, problem: null }
  const reason = `Estimated cost $${usd.toFixed(2)} exceeds the remaining cap of $${remaining_usd.toFixed(2)}.`
  return { fits: false, remaining_usd, problem: reason }
}

/** Operations that only look, by tool. */
const READS: Readonly<Record<string, RegExp>> = {
  hf_jobs: /^(ps|logs|inspect|scheduled (ps|inspect))$/,
  hf_repo_files: /^(list|read)$/,
  hf_repo_git: /^(list_refs|list_prs|get_pr)$/,
}

/** For a tool's `effect`. */
export function serviceEffect(tool: string, args: Arguments): 'read' | 'write' {
  const operation = typeof args.operation === 'string' ? args.operation.trim().toLowerCase() : ''
  return Object.hasOwn(READS, tool) && READS[tool]?.test(operation) ? 'read' : 'write'
}

/** For a tool's `approval`. `text`: what it is done to, such as a repository; of a job or a sandbox its hardware comes first. */
export function serviceFacts(tool: string, args: Arguments, text: string, context: PolicyContext): ApprovalFacts {
  const { operation, risk, reason } = basePolicy(tool, args, context)
  const hardware = tool === 'sandbox_create' ? sandboxHardware(args) : operation === 'run' ? jobFlavor(args) : ''
  const subject = `${hardware} ${text}`.trim()
  return { subjects: [{ operation, text: subject }], ...(risk ? { risk } : {}), ...(reason ? { reason } : {}) }
}

/** What needs no question in the mode Ask: a free sandbox, and CPU jobs where the settings say so. */
export function settingRules({ confirm_cpu_jobs }: { confirm_cpu_jobs: boolean }): Rule[] {
  const sandbox: Rule = { effect: 'allow', tool: 'sandbox_create', operation: 'create', pattern: 'cpu-basic *' }
  if (confirm_cpu_jobs) return [sandbox]
  const job = (flavor: string): Rule => ({ effect: 'allow', tool: 'hf_jobs', operation: 'run', pattern: `${flavor} *` })
  return [sandbox, ...[...CPU_FLAVORS].map(job)]
}
