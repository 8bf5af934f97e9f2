import { useApp } from '../../stores/app'

/** Another process writes this session: here it can only be read. */
export function useReadOnly(id: string): boolean {
  return useApp((app) => app.sessions.find((session) => session.id === id)?.locked ?? false)
}
