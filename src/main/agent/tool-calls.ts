import type { ToolUseBlock } from '@shared/content'
import { messageOf } from '../errors'
import { StreamRedactor } from '../redact'
import type { Tool, ToolContext, ToolResult } from '../tools/types'
import type { GateDecision } from './approvals/gate'
import { bounded } from './bounded-result'
import { blockOf, failed, type Judged, judgeAll, type Prepared, prepare, type ReadyCall, settled } from './judge'
import { holdToolMoney } from './spending'
import type { TurnContext } from './types'

/** Time a tool has to end after an interrupt before it is left behind, in milliseconds. */
const ABORT_GRACE_MS = 5_000

export type CallsOutcome = 'done' | 'approval_unavailable'

/**
 * Runs the tool calls of one reply: all are validated and judged, what comes before the first question runs at once, the
 * rest when the user has answered (parallel calls together, a serial one alone). Every call gets exactly one result,
 * recorded in call order.
 */
export async function runToolCalls(turn: TurnContext, blocks: ToolUseBlock[]): Promise<CallsOutcome> {
  let left = blocks.map((block) => prepare(turn, block))
  while (left.length > 0) {
    // Judged anew each time: while a call ran or waited, the user may have changed the mode or the rules.
    const judged = await judgeAll(turn, left)
    // What comes before the first question is not held up by it: a plan is shown before its first step is approved.
    const asking = judged.findIndex(({ request }) => request !== null)
    if (asking !== 0) {
      const free = asking < 0 ? judged : judged.slice(0, asking)
      const [batch = []] = batches(free.map(({ call }) => call))
      await runBatch(turn, batch)
      left = left.slice(batch.length)
    } else if (turn.approvals === 'unavailable') {
      refuseAll(turn, judged)
      return 'approval_unavailable'
    } else left = await approve(turn, judged)
  }
  return 'done'
}

function refuseAll(turn: TurnContext, judged: Judged[]): void {
  for (const { call, request } of judged) {
    const why = request ? 'this call needs an approval' : 'a call before it needs an approval'
    announce(turn, call)
    record(turn, blockOf(call), failed(`Not run: ${why}, and nobody can give one here.`), 0)
  }
}

/** Asks for what must be asked. The answer keeps the order; denied calls carry their result. */
async function approve(turn: TurnContext, judged: Judged[]): Promise<Prepared[]> {
  const requests = judged.flatMap(({ request }) => request ?? [])
  const answers = new Map<string, GateDecision>()
  const waits = requests.map(async ({ tool_call_id }) => {
    answers.set(tool_call_id, await turn.gate.wait(tool_call_id, turn.signal))
  })
  // The gate is set before anybody hears of it: a host may answer while it is being told. What was asked before the
  // program ended is asked already.
  const known = new Set(
    turn
      .state()
      .items.flatMap((item) => (item.kind === 'tool' && item.state === 'waiting_approval' ? item.call_id : [])),
  )
  const fresh = requests.filter(({ tool_call_id }) => !known.has(tool_call_id))
  if (fresh.length > 0) {
    const tools = [...turn.state().pending_approvals, ...fresh]
    turn.emit('approval_required', { tools, count: tools.length })
  }
  await Promise.all(waits)
  return judged.map(({ call: p }): Prepared => {
    const answer = p.kind === 'ready' ? answers.get(p.call.block.id) : undefined
    if (p.kind === 'refused' || !answer) return p
    const { block, tool } = p.call
    const state = answer.approved ? 'approved' : answer.abandoned ? 'abandoned' : 'rejected'
    turn.emit('tool_state_change', { tool_call_id: block.id, tool: tool.name, state })
    return settled(turn, p.call, answer)
  })
}

/** Consecutive parallel calls form one batch; a serial call is a batch of its own. */
function batches(prepared: Prepared[]): Prepared[][] {
  const result: Prepared[][] = []
  let open: Prepared[] | null = null
  for (const p of prepared) {
    if (p.kind === 'ready' && p.call.tool.concurrency === 'serial') {
      result.push([p])
      open = null
    } else if (open) {
      open.push(p)
    } else {
      open = [p]
      result.push(open)
    }
  }
  return result
}

async function runBatch(turn: TurnContext, batch: Prepared[]): Promise<void> {
  for (const p of batch) announce(turn, p)
  if (turn.beforeChange && batch.some(changes)) await turn.beforeChange()
  // A crash must never leave an effect without its record.
  await turn.durable()
  const runs = batch.map((p) =>
    p.kind === 'ready' ? runOne(turn, p.call) : Promise.resolve({ result: p.result, ms: 0 }),
  )
  for (const [i, run] of runs.entries()) {
    const { result, ms } = await run
    const p = batch[i]
    if (p) record(turn, blockOf(p), result, ms)
  }
}

function changes(p: Prepared): boolean {
  return p.kind === 'ready' && p.call.tool.effect(p.call.input) !== 'read'
}

function announce(turn: TurnContext, p: Prepared): void {
  const block = blockOf(p)
  const shown = turn.state().items.some((item) => item.kind === 'tool' && item.call_id === block.id)
  if (shown) return
  turn.emit('tool_call', {
    tool: block.name,
    arguments: block.input,
    tool_call_id: block.id,
    intent: p.kind === 'ready' ? p.call.intent : '',
  })
}

async function runOne(turn: TurnContext, call: ReadyCall): Promise<{ result: ToolResult; ms: number }> {
  const { block, tool, input } = call
  const started = performance.now()
  const finish = (result: ToolResult): { result: ToolResult; ms: number } => ({
    result,
    ms: Math.round(performance.now() - started),
  })
  if (turn.signal.aborted) return finish(failed('Not run: the user stopped the turn.'))
  const redactors = { stdout: new StreamRedactor(turn.secrets), stderr: new StreamRedactor(turn.secrets) }
  // A call that was left behind may go on: what it says then belongs to no turn.
  let over = false
  const log = (text: string, stream: 'stdout' | 'stderr'): void => {
    if (text !== '' && !over) turn.emit('tool_log', { tool: tool.name, log: text, tool_call_id: block.id, stream })
  }
  const context: ToolContext = {
    call_id: block.id,
    cwd: turn.state().cwd,
    granted: [turn.outputs_dir],
    signal: turn.signal,
    mode: turn.state().mode,
    outputs_dir: turn.outputs_dir,
    data_folder: turn.data_folder,
    files: turn.files,
    log: (text, stream) => log(redactors[stream].push(text), stream),
    set_plan: (plan) => {
      if (!over) turn.emit('plan_update', { plan })
    },
    plan: () => turn.state().plan,
    env: turn.env,
    sandbox: turn.sandbox,
    secrets: turn.secrets,
  }
  const money = await holdToolMoney(turn, tool, input)
  if (money?.stop !== undefined) return finish(failed(`Not run: ${money.stop}`))
  if (turn.signal.aborted) {
    await money?.release()
    return finish(failed('Not run: the user stopped the turn.'))
  }
  const outcome = await untilAbandoned(attempt(tool, input, context), turn.signal)
  await money?.settle(block.id, outcome.spent)
  for (const stream of ['stdout', 'stderr'] as const) log(redactors[stream].flush(), stream)
  over = true
  const done = finish(call.note === '' ? outcome : { ...outcome, output: `${call.note}${outcome.output}` })
  // Siblings that are still running must not hide that this one is through.
  if (!turn.signal.aborted) {
    turn.emit('tool_state_change', {
      tool_call_id: block.id,
      tool: tool.name,
      state: outcome.ok ? 'completed' : 'failed',
    })
  }
  return done
}

async function attempt(tool: Tool, input: unknown, context: ToolContext): Promise<ToolResult> {
  try {
    return await bounded(await tool.run(input, context), tool.name, context)
  } catch (error) {
    return failed(`The tool failed: ${messageOf(error)}`)
  }
}

/** The tool's own result, or, when it keeps running long after an interrupt, one that says it was left behind. */
async function untilAbandoned(run: Promise<ToolResult>, signal: AbortSignal): Promise<ToolResult> {
  let timer: NodeJS.Timeout | undefined
  let onAbort = (): void => undefined
  const abandoned = new Promise<ToolResult>((resolve) => {
    onAbort = () => {
      const result = failed('Stopped by the user; the tool did not end in time and was left behind.')
      timer = setTimeout(() => resolve(result), ABORT_GRACE_MS)
    }
  })
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([run, abandoned])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function record(turn: TurnContext, block: ToolUseBlock, result: ToolResult, ms: number): void {
  turn.emit('tool_output', {
    tool: block.name,
    tool_call_id: block.id,
    output: result.output,
    success: result.ok,
    duration_ms: ms,
    spill: result.spill,
    details: result.details,
  })
}
