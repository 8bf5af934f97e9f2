import { z } from 'zod'
import { UserError } from '../errors'
import { diffTexts } from '../workspace/diff'
import { applyEdit, type EditOutcome, nearestLines } from '../workspace/edit-match'
import { formatBytes, loadFile, missingFile, resolveTarget, withFileLock, writeAtomic } from '../workspace/files'
import { displayPath, resolvePath } from '../workspace/paths'
import { pythonSyntaxWarning } from '../workspace/python-check'
import { fileFacts, openedPaths } from '../workspace/shell'
import { decodeUtf8 } from '../workspace/text'
import { counted, defineTool, failure, oneLine, requireFresh, requireNoMarks } from './support'
import type { ToolResult } from './types'

/** Larger files are data: matching them would hold up everything else, and a script does it better. */
const MAX_EDIT_BYTES = 1_000_000
/** Line numbers named in a message. */
const MAX_LINES_NAMED = 10

const schema = z.strictObject({
  path: z.string().min(1).describe('File to change: absolute, relative to the working folder, or starting with ~.'),
  old_str: z
    .string()
    .min(1)
    .describe(
      'The text to find, exactly as in the file (without the line numbers that read shows). ' +
        'It must occur once unless replace_all is true: include neighbouring lines to make it unique.',
    ),
  new_str: z.string().describe('The text to put in its place, or to insert; empty to delete old_str.'),
  replace_all: z.boolean().default(false).describe('Change every occurrence instead of requiring exactly one.'),
  mode: z
    .enum(['replace', 'append_after', 'prepend_before'])
    .default('replace')
    .describe(
      'replace: new_str takes the place of old_str. append_after and prepend_before: old_str stays, ' +
        'and new_str is inserted right behind or before its first occurrence.',
    ),
})

const description = `Changes part of a text file: finds old_str and replaces it, or inserts new_str next to it.

Use it for every change that leaves most of a file as it is. The file must have been read in this session and be unchanged \
since; otherwise the call is refused.

- If old_str is not found exactly, whole lines are compared again without surrounding whitespace and with typographic
  quotes, dashes and spaces made plain; the result says so. new_str is inserted as given, with its own indentation.
- Line endings (LF or CRLF), permissions and everything outside the match are kept.
- When old_str occurs more than once the call is refused and names the lines.`

export const editTool = defineTool({
  name: 'edit',
  description,
  schema,
  concurrency: 'serial',
  effect: () => 'write',
  approval: ({ path }, context) => fileFacts('edit', path, context.cwd, context),
  paths: ({ path }, { cwd }) => openedPaths(path, cwd),
  intent: ({ path, replace_all }) => `Edit ${path}${replace_all ? ' (every occurrence)' : ''}`,
  run: async ({ path, old_str, new_str, replace_all, mode }, context): Promise<ToolResult> => {
    if (mode === 'replace' && old_str === new_str)
      return failure('old_str and new_str are the same: nothing to change.')
    if (mode !== 'replace' && new_str === '') return failure('new_str is empty: nothing to insert.')
    const file = resolvePath(path, context.cwd)
    const name = displayPath(file, context.cwd)
    const target = await resolveTarget(file)

    const done = await withFileLock(target, async () => {
      const existing = await loadFile(target, MAX_EDIT_BYTES, context.signal)
      if (!existing) throw await missingFile(file)
      if (!existing.whole) {
        throw new UserError(
          'invalid_request',
          `${name} is too large to edit (${formatBytes(existing.version.size)}; the limit is ${formatBytes(MAX_EDIT_BYTES)}).`,
          'Change it with a script or sed.',
        )
      }
      const before = decodeUtf8(existing.bytes, name)
      requireFresh(context.files, target, name, existing.version)
      requireNoMarks(new_str, before, name)
      const outcome = await applyEdit({ content: before, old_str, new_str, mode, replace_all })
      if (!outcome.ok) return { changed: false as const, refusal: refuse(outcome, name, before, old_str) }
      context.signal.throwIfAborted()
      context.files.note(target, await writeAtomic(target, Buffer.from(outcome.content, 'utf8'), existing.stats))
      return { changed: true as const, outcome, before }
    })
    if (!done.changed) return done.refusal

    const { outcome, before } = done
    const diff = await diffTexts(name, before, outcome.content)
    const syntax = target.endsWith('.py') ? await pythonSyntaxWarning(outcome.content, context) : null
    const places = `${counted(outcome.replacements, 'place')}, line ${nameLines(outcome.lines)}`
    const others = outcome.matches > outcome.replacements ? ` (the first of ${outcome.matches} matches)` : ''
    const note = outcome.note ? ` ${outcome.note}` : ''
    return {
      output: [`Edited ${name}: ${places}${others}.${note}`, ...(syntax ? [syntax] : [])].join('\n'),
      ok: true,
      details: { kind: 'diff', path: file, ...diff, created: false },
    }
  },
})

function refuse(outcome: EditOutcome & { ok: false }, name: string, content: string, old_str: string): ToolResult {
  if (outcome.error === 'ambiguous') {
    return failure(
      `old_str occurs ${outcome.match_count} times in ${name} (lines ${nameLines(outcome.lines)}); nothing was changed.`,
      'Add neighbouring lines to old_str so that it names one place, or set replace_all to true.',
    )
  }
  const near = nearestLines(content, old_str).map(({ line, text }) => `line ${line}: ${oneLine(text, 160)}`)
  const hint = near.length > 0 ? `Similar: ${near.join('; ')}.` : ''
  return failure(
    `old_str was not found in ${name}; nothing was changed.`,
    hint,
    'Read the file and copy the text exactly, as whole lines.',
  )
}

function nameLines(lines: number[]): string {
  const named = lines.slice(0, MAX_LINES_NAMED).join(', ')
  return lines.length > MAX_LINES_NAMED ? `${named} and ${lines.length - MAX_LINES_NAMED} more` : named
}
