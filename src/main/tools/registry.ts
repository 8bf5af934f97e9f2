import { z } from 'zod'
import type { ToolSpec } from '../models/types'
import { bashTool, sandboxedBashTool } from './bash'
import { editTool } from './edit'
import { globTool } from './glob'
import { grepTool } from './grep'
import { listTool } from './list'
import { planTool } from './plan'
import { readTool } from './read'
import type { FileTracker, FileVersion, Tool } from './types'
import { writeTool } from './write'

/** The tools of a session, in the order the model sees them. */
export function createTools({ sandboxed = false } = {}): Tool[] {
  return [
    sandboxed ? sandboxedBashTool : bashTool,
    readTool,
    writeTool,
    editTool,
    listTool,
    globTool,
    grepTool,
    planTool,
  ]
}

const specs = new WeakMap<Tool, ToolSpec>()

/** What a model is told about tools. Made once for each tool, on first use. */
export function toolSpecs(tools: readonly Tool[]): ToolSpec[] {
  return tools.map((tool) => {
    const known = specs.get(tool)
    if (known) return known
    const spec = { name: tool.name, description: tool.description, input_schema: inputSchema(tool.schema) }
    specs.set(tool, spec)
    return spec
  })
}

function inputSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    // Arguments as the model writes them: fields with a default are optional.
    io: 'input',
    // zod bounds every integer by what JavaScript can hold; the model need not read that.
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    },
  })
  return rest
}

/** The versions of files that one session has read or written. Kept in memory: a resumed session reads again. */
export class SessionFileTracker implements FileTracker {
  readonly #versions = new Map<string, FileVersion>()

  note(path: string, version: FileVersion): void {
    this.#versions.set(path, version)
  }

  get(path: string): FileVersion | null {
    return this.#versions.get(path) ?? null
  }
}
