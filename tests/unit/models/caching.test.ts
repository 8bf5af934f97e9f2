import { describe, expect, it } from 'vitest'
import { cacheFields, cacheKind, sessionHeader, withCacheHints } from '../../../src/main/models/openai/caching'
import type { MessageParam } from '../../../src/main/models/openai/messages'
import vectors from '../../fixtures/prompt_caching.json'

interface Vector {
  name: string
  kind: string
  params: { model: string; extra_headers?: Record<string, string> }
  session_id?: string | null
  messages?: unknown
  tools?: object[] | null
  expected: unknown
}
const all: Vector[] = vectors.vectors
/** The reference's client library wants `openai/` before every model of the router; ours has no such prefix. */
const nameOf = ({ params }: Vector) => params.model.replace(/^openai\//, '')
/** The vectors hold an image whose address is left out; nothing here looks at it. */
const messagesOf = ({ messages }: Vector) => messages as MessageParam[]

describe('the acceptance vectors', () => {
  it.each(all.filter(({ kind }) => kind === 'params').map((vector) => [vector.name, vector] as const))(
    '%s',
    (_name, vector) => {
      const body = cacheFields(nameOf(vector), vector.session_id ?? null)
      const headers = { ...vector.params.extra_headers, ...sessionHeader(vector.session_id) }
      expect({
        ...vector.params,
        ...(Object.keys(body).length === 0 ? {} : { extra_body: body }),
        ...(Object.keys(headers).length === 0 ? {} : { extra_headers: headers }),
      }).toEqual(vector.expected)
    },
  )

  it.each(all.filter(({ kind }) => kind === 'messages').map((vector) => [vector.name, vector] as const))(
    '%s, and what was given is not changed',
    (_name, vector) => {
      const before = structuredClone(vector)
      const given = { messages: messagesOf(vector), tools: vector.tools ?? null }
      expect(withCacheHints(nameOf(vector), given.messages, given.tools)).toEqual(vector.expected)
      expect(vector).toEqual(before)
    },
  )
})

describe('which models', () => {
  it.each([
    ['anthropic/claude-opus-4.8:fal-ai', 'anthropic'],
    ['openai/gpt-5.5:fal-ai', 'openai'],
    ['openai/gpt-5.5-mini:fal-ai', 'openai'],
    ['openai/gpt-5.55:fal-ai', null],
    ['openai/gpt-5:fal-ai', null],
    ['anthropic/claude-opus-4.8:novita', null],
    ['someone/anthropic-like:fal-ai', null],
  ])('%s: %s', (model, kind) => {
    expect(cacheKind(model)).toBe(kind)
  })
})

describe('the session header', () => {
  it('is at most 256 visible characters, and absent without any', () => {
    expect(sessionHeader(`s\n${'x'.repeat(400)}`)).toEqual({ 'X-HF-Session-id': `s${'x'.repeat(255)}` })
    expect(sessionHeader('\n')).toEqual({})
    expect(sessionHeader(null)).toEqual({})
  })
})
