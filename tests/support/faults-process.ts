import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { rolldown } from 'rolldown'

const root = resolve(import.meta.dirname, '../..')
const RAW = '?raw'

/** One file that plain Node runs out of the real engine and `faults-agent.ts`. Returns its path. */
export async function bundleAgent(folder: string): Promise<string> {
  const bundle = await rolldown({
    input: join(root, 'tests/support/faults-agent.ts'),
    platform: 'node',
    // The keychain and workers are not part of it.
    external: ['keytar', 'electron'],
    resolve: { alias: { '@shared': join(root, 'src/shared') } },
    plugins: [
      {
        name: 'text-files',
        resolveId: (id, importer) => (id.endsWith(RAW) && importer ? resolve(importer, '..', id) : null),
        load: async (id) =>
          id.endsWith(RAW)
            ? `export default ${JSON.stringify(await readFile(id.slice(0, -RAW.length), 'utf8'))}`
            : null,
      },
      {
        name: 'no-workers',
        load: (id) => (id.endsWith('?modulePath') ? "export default ''" : null),
        resolveId: (id) => (id.endsWith('?modulePath') ? id : null),
      },
    ],
  })
  const file = join(folder, 'faults-agent.mjs')
  try {
    // A CommonJS package in it asks for its own name.
    const banner = "import { fileURLToPath as pathOf } from 'node:url'; const __filename = pathOf(import.meta.url);"
    await bundle.write({ file, format: 'esm', codeSplitting: false, banner })
  } finally {
    await bundle.close()
  }
  return file
}
