import type { CliIo } from './io'

/** A question on the terminal; anything but yes, the end of the input too, is a no. */
export async function confirmed(io: CliIo, question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline')
  io.stderr.write(question)
  const reader = createInterface({ input: io.stdin, terminal: false })
  try {
    const answer = await new Promise<string>((resolve) => {
      reader.once('line', resolve)
      reader.once('close', () => resolve(''))
    })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    reader.close()
  }
}
