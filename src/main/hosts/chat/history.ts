import { appendFile, chmod, readFile } from 'node:fs/promises'
import { isNodeError } from '../../errors'
import { redactValue } from '../../redact'

export const MAX_ENTRIES = 1_000
/** Longer texts are pastes rather than something that is looked for again; UTF-16 units. */
const MAX_ENTRY_CHARS = 20_000

/**
 * What was typed before, oldest first, in a file of JSON strings that this user alone can read. Secrets are redacted
 * before anything is kept. A file that cannot be used costs the history and nothing else.
 */
export class History {
  readonly entries: string[] = []
  private writing: Promise<void> = Promise.resolve()
  /** Why the file could not be used; empty: it could. */
  fault = ''

  constructor(
    private readonly file: string,
    private readonly secrets: () => readonly string[],
  ) {}

  async load(): Promise<void> {
    try {
      const lines = (await readFile(this.file, 'utf8')).split('\n').filter((line) => line !== '')
      const entries = lines.flatMap(entryOf)
      this.entries.push(...entries.slice(-MAX_ENTRIES))
      // Not at every start: half as many again may gather first.
      if (lines.length > MAX_ENTRIES * 1.5) await this.rewrite()
    } catch (error) {
      if (!isNodeError(error) || error.code !== 'ENOENT') this.failed(error)
    }
  }

  /** What was typed twice in a row is kept once. */
  add(text: string): void {
    const entry = redactValue(text.trim(), this.secrets(), 'full')
    if (entry === '' || entry.length > MAX_ENTRY_CHARS || entry === this.entries.at(-1)) return
    this.entries.push(entry)
    if (this.entries.length > MAX_ENTRIES) this.entries.shift()
    this.writing = this.writing
      .then(async () => {
        await appendFile(this.file, `${JSON.stringify(entry)}\n`, { mode: 0o600 })
        // A file of somebody's umask, or of a backup, is no reason to show it to everybody.
        await chmod(this.file, 0o600)
      })
      .catch((error: unknown) => this.failed(error))
  }

  /** Resolves when everything is written. */
  settled(): Promise<void> {
    return this.writing
  }

  private async rewrite(): Promise<void> {
    const { default: writeFileAtomic } = await import('write-file-atomic')
    await writeFileAtomic(this.file, this.entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''), {
      mode: 0o600,
    })
  }

  private failed(error: unknown): void {
    this.fault = error instanceof Error ? error.message : String(error)
  }
}

function entryOf(line: string): string[] {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'string' && value !== '' ? [value] : []
  } catch {
    // Half a line of a process that was killed.
    return []
  }
}
