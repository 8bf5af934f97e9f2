import template from '../../../resources/prompts/explain.md?raw'
import { renderItems } from './compaction/record'
import { shorten } from './compaction/text'
import { render } from './prompts'
import { sideCall } from './side-call'
import { BudgetStop } from './spending'
import type { TurnContext } from './types'

const MAX_WORDS = 180
/** Estimated tokens of the call's arguments and of the conversation before it. */
const CALL_TOKENS = 8_000
const HISTORY_TOKENS = 6_000
/** Newest items of the conversation that are shown. */
const HISTORY_ITEMS = 30
const MAX_TOKENS = 3_000

/**
 * What the session's model says about a waiting call, or why it says nothing: a question of the user is always answered.
 * Throws the signal's reason when it is stopped.
 */
export async function explainCall(turn: TurnContext, tool_call_id: string): Promise<string> {
  const state = turn.state()
  const request = state.pending_approvals.find((one) => one.tool_call_id === tool_call_id)
  if (!request) return ''
  const history = renderItems(state.items.slice(-HISTORY_ITEMS), HISTORY_TOKENS)
  const call = shorten(JSON.stringify(request.arguments, null, 2), CALL_TOKENS, () => '\n[…]\n')
  const text = [
    `# The conversation before it\n\n${history}`,
    `# The call\n\nTool: ${request.tool}\nFolder: ${state.cwd}\nArguments:\n${call}`,
    '# Now explain the call.',
  ].join('\n\n')
  try {
    const reply = await sideCall(turn, {
      kind: 'explain',
      request: {
        system: render(template, { max_words: String(MAX_WORDS) }),
        messages: [{ role: 'user', content: [{ type: 'text', text }] }],
        tools: [],
        effort: 'low',
        streaming: true,
        max_tokens: MAX_TOKENS,
      },
    })
    turn.signal.throwIfAborted()
    return reply.kind === 'text' ? reply.text : noAnswer(reply.kind === 'none' ? (reply.failure?.message ?? '') : '')
  } catch (error) {
    if (error instanceof BudgetStop) return `${error.message} ${error.remedy}`
    throw error
  }
}

function noAnswer(why: string): string {
  const what = why === '' ? 'The model gave no explanation.' : `The model gave no explanation: ${why}`
  return `${what} Decide from what is shown, or deny the call with a question.`
}
