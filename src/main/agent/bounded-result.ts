import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf } from '../errors'
import { StreamRedactor } from '../redact'
import type { ToolContext, ToolResult } from '../tools/types'
import { isHighSurrogate, OutputWindow } from '../workspace/output'
import { SpillWriter } from '../workspace/spill'

/** Our own tools stay below it: the longest, read, returns 200,000 characters with its line numbers. */
const MAX_RESULT_CHARS = 400_000
/** Redacted and written in one step: about 2 ms of work. */
const PIECE_CHARS = 64 * 1024

/**
 * A result that a tool did not bound itself, cut as that of a command is: beginning and end stay, the whole goes to a
 * file. Without this one call could make a log, a request and a window of many megabytes.
 */
export async function bounded(result: ToolResult, name: string, context: ToolContext): Promise<ToolResult> {
  const { output } = result
  if (output.length <= MAX_RESULT_CHARS) return result
  const window = new OutputWindow()
  const spill = new SpillWriter(context.outputs_dir, `${name}-${context.call_id}`)
  const redactor = new StreamRedactor(context.secrets)
  const take = async (text: string): Promise<void> => {
    window.add(text)
    await spill.push(Buffer.from(text))
  }
  for (let at = 0; at < output.length; ) {
    const border = Math.min(output.length, at + PIECE_CHARS)
    const end = isHighSurrogate(output[border - 1]) ? Math.min(output.length, border + 1) : border
    await take(redactor.push(output.slice(at, end)))
    await nextTurn()
    at = end
  }
  await take(redactor.flush())
  const kept = await spill.finish(true)
  const where = kept
    ? `The whole result is in ${kept.path}: search it with grep, or read parts of it.`
    : `It could not be kept: ${messageOf(spill.error)}.`
  const shown = window.render((left) => `\n\n[${left} of ${window.total} characters are left out here. ${where}]\n\n`)
  return {
    ...result,
    output: shown.text,
    ...(kept ? { spill: { file: kept.file, bytes: kept.bytes, omitted_chars: shown.omitted } } : {}),
  }
}
