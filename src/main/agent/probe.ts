import { UserError } from '../errors'
import { type Probe, probeModel } from '../models/probe'
import { CallMeter } from './call-meter'
import { BudgetStop, holdMoney } from './spending'
import type { TurnContext } from './types'

/** The probe's own size: a word and its frame. */
const PROBE_SIZE = { prompt_tokens: () => 16, max_tokens: 64 }

/**
 * What the user should know about the model just chosen, as `notice` events: no live provider, no tools, an effort that it
 * does not take. Where an effort is asked for, one tiny call finds out; it is recorded as `llm_call` of kind `probe`.
 */
export async function probeChoice(turn: TurnContext, model: string): Promise<void> {
  for (const text of await notesOf(turn)) {
    if (turn.signal.aborted || turn.state().model !== model) return
    turn.emit('notice', { code: 'model', text })
  }
}

async function notesOf(turn: TurnContext): Promise<string[]> {
  const client = await turn.client()
  const { effort } = turn.state()
  const { notes = [], efforts } = client.info()
  // It says itself that it takes none, or nothing was asked for: no call is needed to know.
  if (effort === null || efforts?.length === 0) return notes
  try {
    const money = await holdMoney(turn, client, PROBE_SIZE)
    const meter = new CallMeter(turn, client, money, 'probe', { effort })
    let found: Probe | null = null
    try {
      found = await probeModel(client, effort, turn.signal)
      if (found.usage) meter.record(found.usage, 'probe')
    } finally {
      await money.end()
    }
    return found.notes
  } catch (error) {
    if (error instanceof BudgetStop) return notes
    if (error instanceof UserError) return [`${error.message} ${error.remedy}`.trim()]
    throw error
  }
}
