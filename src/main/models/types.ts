import type { Block } from '@shared/content'
import type { Effort } from '@shared/settings'

/** One client per model id, `<provider>/<model>`. Failures are values in the stream, never thrown. */
export interface ModelClient {
  /** Full id with the provider prefix, as it stands in settings and events. */
  readonly id: string
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelDelta>
  /** What is known about the model; null fields are unknown, never guessed. */
  info(): ModelInfo
  /** Input tokens of a request by the provider's own count; null: it cannot be had now. Throws the signal's reason. */
  countTokens?(request: ModelRequest, signal: AbortSignal): Promise<number | null>
  /** Forgets what the server was found to refuse; for a user who chooses the model again. */
  relearn?(): void
}

export interface ModelInfo {
  name: string
  /** Tokens, input and output together. */
  context_window: number | null
  /** Most tokens of one reply. */
  max_output: number | null
  price: { input: number; output: number; cache_read: number; cache_write: number } | null
  /** Levels of effort it takes, lowest first; empty: none; null or absent: nobody says. */
  efforts?: Effort[] | null
  /** Absent: nothing is known. */
  capabilities?: Capabilities
  /** What the user should know before using it, one sentence each. */
  notes?: string[]
}

/** Null where nobody says. */
export interface Capabilities {
  tools: boolean | null
  images: boolean | null
  reasoning: boolean | null
}

export interface ModelRequest {
  system: string
  messages: ModelMessage[]
  tools: ToolSpec[]
  effort: Effort | null
  /** False: one request without streaming, delivered as one delta. */
  streaming: boolean
  /** For providers that tell costs by session. */
  session_id?: string
  /** Most tokens of this reply, thinking included; absent: what the model may write. */
  max_tokens?: number
}

export type ModelMessage = { role: 'user'; content: UserContent[] } | { role: 'assistant'; content: Block[] }
export type UserContent =
  | { type: 'text'; text: string }
  | { type: 'tool_result'; tool_use_id: string; content: string; is_error: boolean }

export interface ToolSpec {
  name: string
  description: string
  input_schema: Record<string, unknown>
}

export type StopReason =
  | 'end_turn'
  | 'tool_use'
  | 'max_tokens'
  | 'stop_sequence'
  | 'pause_turn'
  | 'refusal'
  | 'context_overflow'

export interface TokenUsage {
  prompt_tokens: number
  completion_tokens: number
  cache_read_tokens: number
  cache_creation_tokens: number
}

export type ModelDelta =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  | {
      type: 'done'
      blocks: Block[]
      stop_reason: StopReason
      usage: TokenUsage
      /** The server did not count: `usage` is our own estimate. */
      usage_estimated?: true
      /** Where an effort was asked for: the level that was really used; null: the model took none. */
      effort?: Effort | null
      /** Model that really answered, without prefix. */
      model: string
      request_id?: string
      /** Refusal category and explanation, when the provider gives them. */
      refusal?: string
      /** The provider's name for the kind of refusal, such as `frontier_llm`. */
      refusal_category?: string
    }
  /** The last delta when the call failed: blocks that were already whole or partly there are kept. */
  | { type: 'failed'; failure: ModelFailure; blocks: Block[]; usage: TokenUsage | null }

export type FailureKind =
  | 'auth'
  | 'billing'
  | 'permission'
  | 'model_not_found'
  | 'rate_limit'
  | 'overloaded'
  | 'server'
  | 'network'
  | 'timeout'
  | 'context_overflow'
  | 'bad_request'
  | 'interrupted'

export interface ModelFailure {
  kind: FailureKind
  message: string
  /** What the user can do. */
  remedy: string
  /** Worth trying the same request again. */
  retryable: boolean
  /** The server's own wish, in milliseconds. */
  retry_after_ms: number | null
  status: number | null
  request_id?: string
}
