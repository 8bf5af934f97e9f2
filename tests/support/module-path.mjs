import { createHash } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { rolldown } from 'rolldown'

const ROOT = resolve(import.meta.dirname, '../..')
const OUT = join(ROOT, 'node_modules/.cache/ml-intern-workers')
const QUERY = '?modulePath'

/**
 * What electron-vite makes of `import path from './worker?modulePath'`, for the tests: a built file and its path.
 * Plain JavaScript, because the test runner's own configuration imports it.
 */
export function modulePath() {
  /** @type {Map<string, Promise<string>>} */
  const built = new Map()
  return {
    name: 'test-module-path',
    enforce: 'pre',
    async load(id) {
      if (!id.endsWith(QUERY)) return null
      const source = id.slice(0, -QUERY.length)
      const file = built.get(source) ?? bundleWorker(source)
      built.set(source, file)
      return `export default ${JSON.stringify(await file)}`
    },
  }
}

/** Bundles a worker's TypeScript into one file that plain Node runs, and returns its path. */
export async function bundleWorker(source) {
  const bundle = await rolldown({
    input: source,
    platform: 'node',
    external: /^(?!@shared\/)[a-z@]/,
    resolve: { alias: { '@shared': join(ROOT, 'src/shared') } },
  })
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false })
  await bundle.close()
  const { code } = output[0]
  await mkdir(OUT, { recursive: true })
  // Named by its content, and there whole or not at all: several test runs may make it at once.
  const file = join(OUT, `${createHash('sha256').update(code).digest('hex').slice(0, 16)}.mjs`)
  const temp = `${file}.${process.pid}`
  await writeFile(temp, code)
  await rename(temp, file)
  return file
}
