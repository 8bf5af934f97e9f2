export function desktopObstacle(platform?: string, env?: NodeJS.ProcessEnv, user_id?: number): string | null
export function findElectron(env?: NodeJS.ProcessEnv): Promise<string | null>
export function fetchElectron(options?: { signal?: AbortSignal; env?: NodeJS.ProcessEnv }): Promise<string | null>
