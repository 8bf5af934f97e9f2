import type { IncomingHttpHeaders } from 'node:http'
import { signatureOf } from './anthropic-script'

/**
 * What the fake Anthropic server insists on. Each problem is a sentence; the real API answers most of them with a 400,
 * and the rest (a thinking block that was changed, a key in the wrong header) costs the user quality or safety without a
 * word.
 */
type Fields = Record<string, unknown>

/** The body parameters of MessageCreateParamsBase (SDK 1.11). Sampling parameters are gone since API 2026-10-21. */
const TOP_LEVEL = new Set([
  'model',
  'max_tokens',
  'messages',
  'cache_control',
  'container',
  'diagnostics',
  'inference_geo',
  'metadata',
  'output_config',
  'service_tier',
  'speed',
  'stop_sequences',
  'stream',
  'system',
  'thinking',
  'tool_choice',
  'tools',
])
const COUNTED = new Set([
  'model',
  'messages',
  'cache_control',
  'output_config',
  'system',
  'thinking',
  'tool_choice',
  'tools',
])
const EFFORTS = new Set(['low', 'medium', 'high', 'xhigh', 'max'])

export function checkHeaders(headers: IncomingHttpHeaders, method: string): string[] {
  const problems: string[] = []
  const authorization = headers.authorization ?? ''
  if (!/^Bearer \S+$/.test(authorization)) problems.push('the key is not sent as "Authorization: Bearer <key>"')
  if (headers['x-api-key'] !== undefined) problems.push('x-api-key is no longer the header of the key')
  const version = headers['anthropic-version']
  if (version !== '2026-10-21') problems.push(`anthropic-version is ${version ?? 'missing'}, not 2026-10-21`)
  if (method === 'POST' && headers['content-type'] !== 'application/json') {
    problems.push(`content-type is ${headers['content-type'] ?? 'missing'}, not application/json`)
  }
  return problems
}

export interface Issued {
  /** The thinking blocks, as JSON in order, of the reply that made a tool call. */
  thinkingOfCall: Map<string, string[]>
  /** Signatures that the script chose itself, with their thinking. */
  signatures: Map<string, string>
  redacted: Set<string>
  /** JSON of the content of replies that stopped with pause_turn: only these may end a conversation. */
  paused: Set<string>
}

export function checkBody(body: unknown, issued: Issued, counting: boolean): string[] {
  if (!isFields(body)) return ['the body is not a JSON object']
  const allowed = counting ? COUNTED : TOP_LEVEL
  const problems = Object.keys(body)
    .filter((name) => !allowed.has(name))
    .map((name) => `${name}: extra inputs are not permitted`)
  if (typeof body.model !== 'string' || body.model === '') problems.push('model: a string is required')
  if (body.model !== undefined && String(body.model).includes('/')) problems.push('model: still has a provider prefix')
  if (!counting) {
    const max = body.max_tokens
    if (typeof max !== 'number' || !Number.isInteger(max) || max < 1)
      problems.push('max_tokens: a positive integer is required')
  }
  problems.push(...checkSystem(body.system), ...checkSettings(body), ...checkTools(body.tools))
  problems.push(...checkMessages(body.messages, issued), ...checkMarkers(body))
  return problems
}

function checkSystem(system: unknown): string[] {
  if (system === undefined) return []
  if (typeof system === 'string') return system.trim() === '' ? ['system: must have visible characters'] : []
  if (!Array.isArray(system) || system.length === 0) return ['system: must be a string or a list of text blocks']
  return system.flatMap((block: unknown, i) => {
    const fields = isFields(block) ? block : {}
    if (fields.type !== 'text') return [`system.${i}: must be a text block`]
    return checkText(`system.${i}`, fields)
  })
}

/** Four markers a request, and the one at its top counts. */
function checkMarkers(body: Fields): string[] {
  const { system, tools, messages } = body
  const blocks = [system, tools, ...listOf(messages).map((message) => (isFields(message) ? message.content : null))]
  const marked = [...blocks.flatMap(listOf), body].filter(isFields).flatMap(({ cache_control }) => cache_control ?? [])
  const wrong = marked.filter((marker) => !isFields(marker) || marker.type !== 'ephemeral')
  const problems = wrong.map(() => 'cache_control: type must be ephemeral')
  if (marked.length > 4) {
    problems.push(`A maximum of 4 blocks with cache_control may be provided. Found ${marked.length}.`)
  }
  return problems
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function checkSettings(body: Fields): string[] {
  const problems: string[] = []
  const { thinking, output_config } = body
  if (thinking !== undefined) {
    const { type, display, ...rest } = isFields(thinking) ? thinking : {}
    if (type !== 'adaptive') problems.push(`thinking.type: ${String(type)} is not taken by the current models`)
    if (display !== undefined && display !== 'summarized' && display !== 'omitted')
      problems.push('thinking.display: unknown')
    problems.push(...Object.keys(rest).map((name) => `thinking.${name}: extra inputs are not permitted`))
  }
  if (output_config !== undefined) {
    const { effort, ...rest } = isFields(output_config) ? output_config : {}
    if (!EFFORTS.has(String(effort))) problems.push(`output_config.effort: ${String(effort)} is unknown`)
    problems.push(...Object.keys(rest).map((name) => `output_config.${name}: not used by this program`))
  }
  return problems
}

function checkTools(tools: unknown): string[] {
  if (tools === undefined) return []
  if (!Array.isArray(tools) || tools.length === 0) return ['tools: must be a list that is not empty']
  const problems: string[] = []
  const names = new Set<string>()
  tools.forEach((tool: unknown, i) => {
    const { name, description, input_schema, cache_control: _marker, ...rest } = isFields(tool) ? tool : {}
    if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,128}$/.test(name)) problems.push(`tools.${i}.name: not a name`)
    if (names.has(String(name))) problems.push(`tools.${i}.name: ${String(name)} is there twice`)
    names.add(String(name))
    if (typeof description !== 'string' || description === '') problems.push(`tools.${i}.description: missing`)
    if (!isFields(input_schema) || input_schema.type !== 'object')
      problems.push(`tools.${i}.input_schema: not an object schema`)
    problems.push(...Object.keys(rest).map((field) => `tools.${i}.${field}: extra inputs are not permitted`))
  })
  return problems
}

function checkMessages(messages: unknown, issued: Issued): string[] {
  if (!Array.isArray(messages) || messages.length === 0) return ['messages: must be a list that is not empty']
  const problems: string[] = []
  const callIds = new Set<string>()
  let open: string[] = []
  messages.forEach((message: unknown, i) => {
    const at = `messages.${i}`
    const { role, content, ...rest } = isFields(message) ? message : {}
    problems.push(...Object.keys(rest).map((name) => `${at}.${name}: extra inputs are not permitted`))
    if (role !== (i % 2 === 0 ? 'user' : 'assistant')) {
      problems.push(`${at}.role: roles must alternate, beginning with user; got ${String(role)}`)
    }
    if (!Array.isArray(content) || content.length === 0) {
      problems.push(`${at}.content: must be a list that is not empty`)
      return
    }
    const blocks = content.filter(isFields)
    if (blocks.length !== content.length) problems.push(`${at}.content: holds something that is no block`)
    if (role === 'user') problems.push(...checkUser(at, blocks, open))
    else problems.push(...checkAssistant(at, blocks, issued, callIds))
    open = blocks.filter((b) => role === 'assistant' && b.type === 'tool_use').map((b) => String(b.id))
  })
  const last: unknown = messages.at(-1)
  if (isFields(last) && last.role === 'assistant' && !issued.paused.has(contentKey(last.content))) {
    problems.push('messages: the conversation must end with a user message (no prefill)')
  }
  return problems
}

function checkUser(at: string, blocks: Fields[], open: string[]): string[] {
  const problems: string[] = []
  const answered: string[] = []
  let seenOther = false
  blocks.forEach((block, i) => {
    if (block.type === 'tool_result') {
      const { type: _type, tool_use_id, content, is_error, cache_control: _marker, ...rest } = block
      if (seenOther) problems.push(`${at}.content.${i}: tool_result blocks must come first`)
      answered.push(String(tool_use_id))
      if (content !== undefined && typeof content !== 'string')
        problems.push(`${at}.content.${i}.content: not a string`)
      if (is_error !== undefined && typeof is_error !== 'boolean')
        problems.push(`${at}.content.${i}.is_error: not a boolean`)
      problems.push(...Object.keys(rest).map((name) => `${at}.content.${i}.${name}: extra inputs are not permitted`))
      return
    }
    seenOther = true
    problems.push(
      ...(block.type === 'text'
        ? checkText(`${at}.content.${i}`, block)
        : [`${at}.content.${i}: ${String(block.type)} is not expected here`]),
    )
  })
  for (const id of open) {
    const count = answered.filter((answer) => answer === id).length
    if (count !== 1) problems.push(`${at}: tool_use ${id} of the message before has ${count} tool_results`)
  }
  for (const id of answered) {
    if (!open.includes(id)) problems.push(`${at}: tool_result ${id} answers no tool_use of the message before`)
  }
  return problems
}

function checkAssistant(at: string, blocks: Fields[], issued: Issued, callIds: Set<string>): string[] {
  const problems: string[] = []
  const thinking: string[] = []
  blocks.forEach((block, i) => {
    const here = `${at}.content.${i}`
    switch (block.type) {
      case 'text':
        problems.push(...checkText(here, block))
        return
      case 'thinking':
        thinking.push(thinkingKey(block))
        if (!isIssued(block, issued))
          problems.push(`${here}: thinking that this server did not sign, or that was changed`)
        return
      case 'redacted_thinking':
        thinking.push(thinkingKey(block))
        if (!issued.redacted.has(String(block.data))) problems.push(`${here}: redacted thinking that was not issued`)
        return
      case 'tool_use': {
        const { id, name, input } = block
        if (typeof id !== 'string' || !/^[a-zA-Z0-9_-]+$/.test(id)) problems.push(`${here}.id: not an id`)
        if (callIds.has(String(id))) problems.push(`${here}.id: ${String(id)} is used twice`)
        callIds.add(String(id))
        if (typeof name !== 'string' || name === '') problems.push(`${here}.name: missing`)
        if (!isFields(input)) problems.push(`${here}.input: not an object`)
        return
      }
      case 'document':
      case 'tool_result':
        problems.push(`${here}: ${block.type} is not allowed in an assistant message`)
    }
  })
  for (const block of blocks) {
    const expected = block.type === 'tool_use' ? issued.thinkingOfCall.get(String(block.id)) : undefined
    if (expected && !expected.every((key) => thinking.includes(key))) {
      problems.push(`${at}: the thinking that led to ${String(block.id)} did not come back`)
    }
  }
  return problems
}

function checkText(at: string, block: Fields): string[] {
  const problems: string[] = []
  if (typeof block.text !== 'string' || block.text.trim() === '') {
    problems.push(`${at}: text content blocks must contain non-whitespace text`)
  } else if (/\p{Surrogate}/u.test(block.text)) problems.push(`${at}: half a surrogate pair`)
  for (const name of Object.keys(block)) {
    if (name !== 'type' && name !== 'text' && name !== 'cache_control') problems.push(`${at}.${name}: not permitted`)
  }
  return problems
}

function isIssued({ thinking, signature }: Fields, issued: Issued): boolean {
  if (typeof thinking !== 'string' || typeof signature !== 'string') return false
  return issued.signatures.has(signature)
    ? issued.signatures.get(signature) === thinking
    : signature === signatureOf(thinking)
}

/** Remembers what a later request must bring back unchanged. */
export function noteIssued(content: Fields[], stopReason: unknown, issued: Issued): void {
  const thinking = content.filter((block) => block.type === 'thinking' || block.type === 'redacted_thinking')
  for (const block of thinking) {
    if (block.type === 'thinking') issued.signatures.set(String(block.signature), String(block.thinking))
    else issued.redacted.add(String(block.data))
  }
  for (const block of content) {
    if (block.type === 'tool_use') issued.thinkingOfCall.set(String(block.id), thinking.map(thinkingKey))
  }
  if (stopReason === 'pause_turn') issued.paused.add(contentKey(content))
}

function thinkingKey({ type, thinking, signature, data }: Fields): string {
  return JSON.stringify([type, thinking, signature, data])
}

/** The fields of a block that a client must send back. */
function contentKey(content: unknown): string {
  if (!Array.isArray(content)) return ''
  const key = (block: unknown) =>
    isFields(block) ? [block.type, block.text, block.thinking, block.data, block.id, block.input] : null
  return JSON.stringify(content.map(key))
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
