import type { Plugin } from 'vite'

export function modulePath(): Plugin
export function bundleWorker(source: string): Promise<string>
