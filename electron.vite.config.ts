import { resolve } from 'node:path'
import tailwind from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

const shared = resolve(import.meta.dirname, 'src/shared')

export default defineConfig({
  main: {
    resolve: { alias: { '@shared': shared } },
    build: {
      // The command line runs on plain Node, older than the one inside Electron.
      target: 'node20.19',
      // Pure JavaScript is bundled: one file read instead of hundreds is most of a short run's start-up time.
      externalizeDeps: { exclude: ['zod', '@anthropic-ai/sdk', 'diff', 'write-file-atomic', 'minisearch'] },
      rolldownOptions: {
        input: {
          index: resolve(import.meta.dirname, 'src/main/index.ts'),
          cli: resolve(import.meta.dirname, 'src/main/cli.ts'),
        },
      },
    },
  },
  preload: {
    resolve: { alias: { '@shared': shared } },
    build: {
      // A sandboxed renderer accepts one bundled CommonJS preload and nothing else.
      externalizeDeps: false,
      rolldownOptions: { output: { format: 'cjs', entryFileNames: '[name].cjs' } },
    },
  },
  renderer: {
    resolve: { alias: { '@shared': shared } },
    plugins: [react(), tailwind()],
    build: {
      minify: true,
      chunkSizeWarningLimit: 1500,
      // A font inlined as data: is refused by the content security policy.
      assetsInlineLimit: 0,
    },
  },
})
