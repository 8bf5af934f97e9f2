import { spawn } from 'node:child_process'

/** Shows a page in the default browser. False when there is none, or no screen to show it on. Never rejects. */
export function openUrl(url: string, env: NodeJS.ProcessEnv, platform: NodeJS.Platform): Promise<boolean> {
  const command = opener(env, platform)
  if (!command) return Promise.resolve(false)
  const [file, ...args] = command
  return new Promise((resolve) => {
    const child = spawn(file, [...args, url], { stdio: 'ignore', detached: true, env })
    child.once('error', () => resolve(false))
    child.once('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
}

function opener(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): [string, ...string[]] | null {
  if (platform === 'darwin') return ['open']
  // `start` would read "&" in an address as the end of a command.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  // An editor on another machine sets BROWSER to a helper that opens it there; xdg-open knows it.
  return env.DISPLAY || env.WAYLAND_DISPLAY || env.BROWSER ? ['xdg-open'] : null
}
