import { join, resolve } from 'node:path'

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, '../..')
export const CLI = join(ROOT, 'out/main/cli.js')
