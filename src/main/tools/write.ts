import { dirname } from 'node:path'
import { z } from 'zod'
import { makeFolders } from '../home'
import { diffTexts } from '../workspace/diff'
import { fileProblem, type LoadedFile, loadFile, resolveTarget, withFileLock, writeAtomic } from '../workspace/files'
import { displayPath, resolvePath } from '../workspace/paths'
import { pythonWarnings } from '../workspace/python-check'
import { fileFacts, openedPaths } from '../workspace/shell'
import { BOM, countLines, dominantEol, withEol } from '../workspace/text'
import { counted, defineTool, requireFresh, requireNoMarks } from './support'

/** Bytes of an existing file that are kept for the diff and its line endings. */
const KEEP_BYTES = 1_000_000

const schema = z.strictObject({
  path: z.string().min(1).describe('File to write: absolute, relative to the working folder, or starting with ~.'),
  content: z.string().describe('The complete new content of the file.'),
})

const description = `Creates a text file, or replaces the whole content of one.

Use it for new files and complete rewrites; for a change of some lines use edit, which is shorter and safer.

- An existing file must have been read in this session and be unchanged since; otherwise the call is refused.
- Missing folders are created. The file is replaced as a whole or not at all, and keeps its permissions, its line endings
  (LF or CRLF) and its byte order mark.
- A Python file is checked after writing; warnings come with the result and the file is written nevertheless.`

export const writeTool = defineTool({
  name: 'write',
  description,
  schema,
  concurrency: 'serial',
  effect: () => 'write',
  approval: ({ path }, context) => fileFacts('write', path, context.cwd, context),
  paths: ({ path }, { cwd }) => openedPaths(path, cwd),
  intent: ({ path, content }) => `Write ${path} (${counted(countLines(content), 'line')})`,
  run: async ({ path, content }, context) => {
    const file = resolvePath(path, context.cwd)
    const name = displayPath(file, context.cwd)
    const target = await resolveTarget(file)

    const { bytes, before } = await withFileLock(target, async () => {
      const existing = await loadFile(target, KEEP_BYTES, context.signal)
      // In an empty file there is nothing to lose.
      if (existing && existing.version.size > 0) requireFresh(context.files, target, name, existing.version)
      requireNoMarks(content, existing ? textOf(existing) : '', name)
      const encoded = Buffer.from(existing ? likeBefore(content, existing) : content, 'utf8')
      if (!existing) await makeParent(target)
      context.signal.throwIfAborted()
      context.files.note(target, await writeAtomic(target, encoded, existing?.stats ?? null))
      return { bytes: encoded.length, before: existing }
    })

    const diff = before?.whole === false ? UNKNOWN_DIFF : await diffTexts(name, before ? textOf(before) : null, content)
    const warnings = target.endsWith('.py') ? await pythonWarnings(content, context) : []
    const size = `${counted(bytes, 'byte')}, ${counted(countLines(content), 'line')}`
    return {
      output: [`${before ? 'Replaced' : 'Created'} ${name} (${size}).`, ...warnings].join('\n'),
      ok: true,
      details: { kind: 'diff', path: file, ...diff, created: before === null },
    }
  },
})

const UNKNOWN_DIFF = { patch: '', added: 0, removed: 0, truncated: true }

function textOf({ bytes }: LoadedFile): string {
  return bytes.toString('utf8')
}

/** The new content with the line endings and the byte order mark that the file has. */
function likeBefore(content: string, existing: LoadedFile): string {
  const old = textOf(existing)
  const text = withEol(content, dominantEol(old))
  return old.startsWith(BOM) && !text.startsWith(BOM) ? BOM + text : text
}

async function makeParent(target: string): Promise<void> {
  const folder = dirname(target)
  try {
    await makeFolders(folder)
  } catch (error) {
    throw await fileProblem(error, folder)
  }
}
