import type { ModelRole, SettingsPatch } from '@shared/settings'
import { useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { Skeleton } from '../../components/Skeleton'
import { useApp } from '../../stores/app'
import { ModelButton } from '../models/ModelButton'
import { controlClass } from './GeneralSettings'
import { SettingRow } from './SettingRow'

const roles: { role: ModelRole; title: string; description: string; automatic: string }[] = [
  {
    role: 'research',
    title: 'Research',
    description: 'Reads papers, docs and code beside the conversation.',
    automatic: 'The model of the session.',
  },
  {
    role: 'title',
    title: 'Titles',
    description: 'Names sessions, in a few words.',
    automatic: 'A small model of the same provider, where there is one.',
  },
  {
    role: 'compaction',
    title: 'Summaries',
    description: 'Summarises a long conversation before it goes on.',
    automatic: 'The model of the session.',
  },
]

/** Which model does what. */
export function ModelSettings() {
  const info = useApp((app) => app.info)
  const update = useApp((app) => app.actions.updateSettings)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  if (!info) return <Skeleton className="my-3 h-40" />
  const { settings } = info

  async function change(patch: SettingsPatch): Promise<void> {
    setFailure(null)
    try {
      await update(patch)
    } catch (thrown) {
      setFailure(failureOf(thrown))
    }
  }

  return (
    <>
      {failure && <FailureBanner failure={failure} className="mb-2" />}
      <SettingRow title="Conversation" description="For new sessions. Each session can change its own.">
        <ModelButton
          label="Default model"
          value={settings.model}
          onChange={(model) => model !== null && void change({ model })}
          className={controlClass}
        />
      </SettingRow>
      {roles.map(({ role, title, description, automatic }) => (
        <SettingRow key={role} title={title} description={description}>
          <ModelButton
            label={`Model for ${title.toLowerCase()}`}
            value={settings.role_models[role]}
            automatic={automatic}
            onChange={(model) => void change({ role_models: { ...settings.role_models, [role]: model } })}
            className={controlClass}
          />
        </SettingRow>
      ))}
    </>
  )
}
