import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Block } from '@shared/content'
import type { ModelClient, ModelMessage, UserContent } from '../../../src/main/models/types'

/** A loop and tools as small as can be, on a real folder with a real shell: what the script meets in the product. */
export interface Conversation {
  messages: ModelMessage[]
  /** Every call in order, as `name argument`. */
  calls: string[]
  plans: { content: string; status: string }[][]
  /** Text of the last reply. */
  final: string
}

export interface DriveOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
  /** Answers a call in the tool's place; null lets it run. */
  answer?: (call: string) => { content: string; is_error: boolean } | null
  /** Stops before a reply when true. */
  stop?: (conversation: Conversation) => boolean
}

export function conversation(): Conversation {
  return { messages: [], calls: [], plans: [], final: '' }
}

/** One turn: the user's text, then replies and tools until a reply without calls. */
export async function turn(
  client: ModelClient,
  text: string,
  options: DriveOptions,
  talk = conversation(),
): Promise<Conversation> {
  talk.messages.push({ role: 'user', content: [{ type: 'text', text }] })
  for (let replies = 0; replies < 30; replies++) {
    if (options.stop?.(talk)) return talk
    const blocks = await reply(client, talk.messages)
    talk.messages.push({ role: 'assistant', content: blocks })
    talk.final = blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('')
    const content: UserContent[] = []
    for (const block of blocks) {
      if (block.type !== 'tool_use') continue
      const call = `${block.name} ${block.input.command ?? block.input.path ?? ''}`.trim()
      talk.calls.push(call)
      const result = options.answer?.(call) ?? (await run(block.name, block.input, options, talk))
      content.push({ type: 'tool_result', tool_use_id: block.id, ...result })
    }
    if (content.length === 0) return talk
    talk.messages.push({ role: 'user', content })
  }
  throw new Error('the script did not come to an end in 30 replies')
}

export async function reply(client: ModelClient, messages: ModelMessage[]): Promise<Block[]> {
  const request = { system: '', messages, tools: [], effort: null, streaming: true }
  for await (const delta of client.stream(request, new AbortController().signal)) {
    if (delta.type === 'done') return delta.blocks
    if (delta.type === 'failed') throw new Error(delta.failure.message)
  }
  throw new Error('the stream ended without a result')
}

async function run(
  name: string,
  input: Record<string, unknown>,
  { cwd, env }: DriveOptions,
  talk: Conversation,
): Promise<{ content: string; is_error: boolean }> {
  const path = join(cwd, String(input.path))
  switch (name) {
    case 'plan_tool':
      talk.plans.push(input.todos as { content: string; status: string }[])
      return { content: 'Plan updated', is_error: false }
    case 'read':
      return readFile(path, 'utf8').then(
        (content) => ({ content, is_error: false }),
        (error: Error) => ({ content: error.message, is_error: true }),
      )
    case 'write':
      await writeFile(path, String(input.content))
      return { content: `Wrote ${input.path}`, is_error: false }
    case 'bash':
      return new Promise((resolve) => {
        execFile('/bin/bash', ['-c', String(input.command)], { cwd, env: env ?? process.env }, (error, out, err) => {
          resolve({ content: `${out}${err}\n[exit code ${error ? error.code : 0}]`, is_error: error !== null })
        })
      })
    default:
      throw new Error(`the script called an unknown tool: ${name}`)
  }
}
