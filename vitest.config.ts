import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'
import { modulePath } from './tests/support/module-path.mjs'

export default defineConfig({
  plugins: [modulePath()],
  resolve: {
    alias: {
      '@shared': resolve(import.meta.dirname, 'src/shared'),
      '@renderer': resolve(import.meta.dirname, 'src/renderer/src'),
    },
  },
  test: {
    include: ['tests/unit/**/*.test.ts', 'tests/integration/**/*.test.ts', 'tests/desktop/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 30_000,
    // Two cores: more workers only make process-heavy tests slower.
    maxWorkers: 2,
  },
})
