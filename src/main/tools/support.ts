import type { z } from 'zod'
import { UserError } from '../errors'
import type { FileVersion } from '../workspace/files'
import type { FileTracker, Tool, ToolResult } from './types'

/**
 * Makes a tool with its own argument type one of the registry. Arguments are checked once more on the way in, so that no
 * caller can hand over something else; foreseeable errors (UserError) become error results.
 */
export function defineTool<S extends z.ZodType>(tool: Tool<S>): Tool {
  const { approval, cost, paths } = tool
  return {
    name: tool.name,
    description: tool.description,
    schema: tool.schema,
    concurrency: tool.concurrency,
    ...(approval ? { approval: (input, context) => approval(tool.schema.parse(input), context) } : {}),
    ...(paths ? { paths: (input, context) => paths(tool.schema.parse(input), context) } : {}),
    ...(cost ? { cost: (input) => cost(tool.schema.parse(input)) } : {}),
    effect: (input) => tool.effect(tool.schema.parse(input)),
    intent: (input) => tool.intent(tool.schema.parse(input)),
    run: async (input, context) => {
      try {
        return await tool.run(tool.schema.parse(input), context)
      } catch (error) {
        if (error instanceof UserError) return failure(error.message, error.remedy)
        throw error
      }
    },
  }
}

/** An error result that says what happened and what to do. */
export function failure(...sentences: string[]): ToolResult {
  return { output: `Error: ${sentences.filter((sentence) => sentence !== '').join(' ')}`, ok: false }
}

/**
 * Refuses a change of a file that the model has not seen as it is now. `path` as in messages, `target` the real path.
 * Throws UserError.
 */
export function requireFresh(files: FileTracker, target: string, path: string, current: FileVersion): void {
  const known = files.get(target)
  if (!known) {
    throw new UserError(
      'invalid_request',
      `${path} exists and has not been read in this session; nothing was changed.`,
      'Read it first, then make the change.',
    )
  }
  if (known.hash !== current.hash) {
    throw new UserError(
      'invalid_request',
      `${path} was changed by something else since it was last read here; nothing was changed now.`,
      'Read it again, then repeat the change on its present content.',
    )
  }
}

/** What stands for a secret in everything the model reads. */
const MARK = /\[REDACTED(?:_[A-Z_]+)?\]/g

/**
 * Refuses text that carries a mark the file does not have: the model saw the mark in the place of a secret, and writing
 * it back would destroy the secret. Throws UserError.
 */
export function requireNoMarks(text: string, before: string, path: string): void {
  const known = new Set(before.match(MARK) ?? [])
  const mark = (text.match(MARK) ?? []).find((found) => !known.has(found))
  if (mark === undefined) return
  throw new UserError(
    'invalid_request',
    `The new text holds ${mark}, which stands for a secret you cannot see; writing it to ${path} would destroy the secret. Nothing was changed.`,
    'Use edit on the lines around it, or read the secret from the environment in code.',
  )
}

/** One line of at most `max` characters. */
export function oneLine(text: string, max: number): string {
  const [first = '', ...rest] = text.trim().split('\n')
  const line = first.trimEnd()
  if (line.length > max) return `${line.slice(0, max - 1)}…`
  return rest.length > 0 ? `${line} …` : line
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
