import { type Learned, paramsOf } from './anthropic-request'
import type { Sdk } from './anthropic-sdk'
import type { Catalogue } from './catalogue'
import type { ModelRequest } from './types'

/** A count is a help and not a need: one that takes longer than this, in milliseconds, is done without. */
const TIMEOUT_MS = 10_000

/**
 * What the request would be counted as, in input tokens, by POST /v1/messages/count_tokens (free of charge, with a rate limit
 * of its own). Null: the count cannot be had now. Throws the signal's reason.
 */
export async function countTokens(
  sdk: Sdk,
  options: { model: string; catalogue: Catalogue },
  learned: Learned,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<number | null> {
  const { model, messages, system, tools, thinking, output_config } = paramsOf(options, request, learned).params
  const body = {
    model,
    messages,
    ...(system === undefined ? {} : { system }),
    ...(tools === undefined ? {} : { tools }),
    ...(thinking === undefined ? {} : { thinking }),
    ...(output_config === undefined ? {} : { output_config }),
  }
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
    const { input_tokens } = await sdk.messages.countTokens(body, { signal: limit })
    return Number.isSafeInteger(input_tokens) && input_tokens > 0 ? input_tokens : null
  } catch {
    // A gateway without the endpoint, a rate limit, no connection: the call itself says what is wrong.
    signal.throwIfAborted()
    return null
  }
}
