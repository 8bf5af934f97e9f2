import { z } from 'zod'

/**
 * One block of an assistant reply, independent of the provider but without loss: reasoning keeps the provider's
 * signature byte for byte, and what we do not know is carried as `opaque` and sent back unchanged.
 */
export const blockSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({
    type: z.literal('reasoning'),
    text: z.string(),
    signature: z.string().optional(),
    /** Encrypted reasoning whose text the provider withholds. */
    redacted: z.string().optional(),
  }),
  z.object({
    type: z.literal('tool_use'),
    id: z.string(),
    name: z.string(),
    input: z.record(z.string(), z.unknown()),
    /** Set when the model's arguments were not a JSON object: the raw text, for the error result. */
    malformed: z.string().optional(),
  }),
  z.object({ type: z.literal('opaque'), provider: z.string(), value: z.unknown() }),
])
export type Block = z.infer<typeof blockSchema>
export type ToolUseBlock = Extract<Block, { type: 'tool_use' }>

export const planItemSchema = z.looseObject({
  id: z.string(),
  content: z.string(),
  status: z.enum(['pending', 'in_progress', 'completed']),
})
export type PlanItem = z.infer<typeof planItemSchema>

/** What the window needs to draw a result well. The model never sees it. */
export const toolDetailsSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('command'),
    command: z.string(),
    cwd: z.string(),
    /** Null when a signal ended the process. */
    exit_code: z.number().int().nullable(),
    signal: z.string().nullable(),
    timed_out: z.boolean(),
  }),
  z.object({
    kind: z.literal('diff'),
    path: z.string(),
    /** Unified diff, capped; `truncated` says so. */
    patch: z.string(),
    added: z.number().int(),
    removed: z.number().int(),
    created: z.boolean(),
    truncated: z.boolean(),
  }),
  z.object({ kind: z.literal('file'), path: z.string(), first_line: z.number().int(), last_line: z.number().int() }),
])
export type ToolDetails = z.infer<typeof toolDetailsSchema>

/** Output too large for the log: it lies in `<session>/outputs/<file>`; the event carries head and tail. */
export const spillSchema = z.object({
  file: z.string(),
  /** UTF-8 bytes in the file. */
  bytes: z.number().int(),
  /** Characters left out of the event's `output`. */
  omitted_chars: z.number().int(),
})
export type Spill = z.infer<typeof spillSchema>
