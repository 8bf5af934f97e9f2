import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { rolldown } from 'rolldown'

const root = resolve(import.meta.dirname, '../..')

/** Makes one file that plain Node runs out of a TypeScript helper in tests/support. Returns its path. */
export async function bundleHelper(name: string, folder: string): Promise<string> {
  const bundle = await rolldown({
    input: join(root, 'tests/support', name),
    platform: 'node',
    resolve: { alias: { '@shared': join(root, 'src/shared') } },
  })
  const file = join(folder, name.replace(/\.ts$/, '.mjs'))
  try {
    await bundle.write({ file, format: 'esm', codeSplitting: false })
  } finally {
    await bundle.close()
  }
  return file
}

/** A helper process and the lines that it prints. */
export class LineProcess {
  readonly lines: string[] = []
  readonly child: ChildProcess
  /** Resolves when the process is gone and all that it printed has arrived. */
  readonly closed: Promise<void>
  #waiting: (() => void)[] = []

  constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.closed = once(this.child, 'close').then(() => this.#wake())
    if (!this.child.stdout) throw new Error('The helper has no output')
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.lines.push(line)
      this.#wake()
    })
  }

  /** Resolves with the first line (old or new) that matches; rejects when the process ends without one. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line))
      if (found !== undefined) return found
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        await this.closed
        const last = this.lines.find((line) => pattern.test(line))
        if (last !== undefined) return last
        throw new Error(`The helper ended without ${pattern}: ${this.lines.join(' | ')}`)
      }
      await new Promise<void>((wake) => this.#waiting.push(wake))
    }
  }

  /** Resolves when at least this many lines have come, or the process is gone. */
  async count(lines: number): Promise<void> {
    while (this.lines.length < lines && this.child.exitCode === null && this.child.signalCode === null) {
      await new Promise<void>((wake) => this.#waiting.push(wake))
    }
  }

  send(text: string): void {
    this.child.stdin?.write(text)
  }

  /** kill -9, and wait until it is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.closed
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
