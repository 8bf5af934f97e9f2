import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Files with their content below a folder. */
export async function tree(root: string, files: Record<string, string | Buffer>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }
}

/** Sets when a file was changed, in seconds. */
export function changedAt(root: string, path: string, seconds: number): Promise<void> {
  return utimes(join(root, path), seconds, seconds)
}

/** `folders` folders with `each` files in each. */
export async function largeTree(root: string, folders: number, each: number): Promise<void> {
  for (let i = 0; i < folders; i += 1) {
    const folder = join(root, `d${i % 20}`, `e${i}`)
    await mkdir(folder, { recursive: true })
    const files = Array.from({ length: each }, (_, j) => `f${j}.${j % 10 === 0 ? 'py' : 'txt'}`)
    await Promise.all(
      files.map((name, j) => writeFile(join(folder, name), `line ${i} ${j}\nneedle_${(i * each + j) % 997}\n`)),
    )
  }
}
