import type { Rule } from '@shared/approvals'
import type { Settings } from '@shared/settings'
import { useMemo } from 'react'
import { useApp } from '../../stores/app'
import { getSessionState, submit, useSessionPart } from '../../stores/sessions'
import { useReadOnly } from '../chat/useReadOnly'
import { putFolder } from './rules'

/** Rules that hold in the same place. */
export interface RuleSet {
  key: string
  title: string
  /** The folder, the title of the session. */
  detail: string
  /** The detail is a path. */
  mono: boolean
  /** Said where there are none. */
  empty: string
  rules: readonly Rule[]
  editable: boolean
  /** The rules at this moment. */
  current: () => readonly Rule[]
  /** Throws BridgeFailure. */
  save: (rules: Rule[]) => Promise<void>
}

const none: readonly Rule[] = []

/** The user's rules, those of folders, and those of the open session. */
export function useRuleSets(settings: Settings): RuleSet[] {
  const session = useApp((app) => app.activeId)
  const connected = useApp((app) => app.connection === 'connected')
  const cwd = useSessionPart(session, (state) => state?.cwd ?? '')
  const title = useSessionPart(session, (state) => state?.title ?? '')
  const own = useSessionPart(session, (state) => state?.rules ?? none)
  const loaded = useSessionPart(session, (state) => state !== undefined)
  const readOnly = useReadOnly(session ?? '')
  const { approval_rules, project_rules } = settings

  return useMemo(() => {
    const folders = Object.keys(project_rules).sort()
    if (cwd && !folders.includes(cwd)) folders.unshift(cwd)
    return [
      {
        key: 'always',
        title: 'Every session',
        detail: '',
        mono: false,
        empty: 'No rules. “Always” on an approval card makes one, or add it here.',
        rules: approval_rules,
        editable: connected,
        current: () => settingsNow()?.approval_rules ?? [],
        save: (rules) => useApp.getState().actions.updateSettings({ approval_rules: rules }),
      },
      ...folders.map(
        (folder): RuleSet => ({
          key: `folder ${folder}`,
          title: 'Project',
          detail: folder,
          mono: true,
          empty: 'No rules for sessions in this folder.',
          rules: project_rules[folder] ?? none,
          editable: connected,
          current: () => settingsNow()?.project_rules[folder] ?? [],
          save: (rules) => {
            const all = settingsNow()?.project_rules ?? {}
            return useApp.getState().actions.updateSettings({ project_rules: putFolder(all, folder, rules) })
          },
        }),
      ),
      ...(session && loaded ? [sessionSet(session, title, own, connected && !readOnly)] : []),
    ]
  }, [approval_rules, project_rules, cwd, session, loaded, title, own, connected, readOnly])
}

function sessionSet(id: string, title: string, rules: readonly Rule[], editable: boolean): RuleSet {
  return {
    key: `session ${id}`,
    title: 'This session',
    detail: title,
    mono: false,
    empty: 'No rules of its own.',
    rules,
    editable,
    current: () => getSessionState(id)?.rules ?? [],
    save: async (next) => {
      await submit(id, { op: 'set_rules', rules: next })
    },
  }
}

function settingsNow(): Settings | undefined {
  return useApp.getState().info?.settings
}
