import { Radio } from '@base-ui/react/radio'
import { RadioGroup } from '@base-ui/react/radio-group'
import type { SettingsPatch, Theme } from '@shared/settings'
import { useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { ChoiceMenu } from '../../components/ChoiceMenu'
import { Skeleton } from '../../components/Skeleton'
import { modelChoices, modelName } from '../../lib/models'
import { EFFORTS, MODES, modeLabel } from '../../lib/modes'
import { useApp } from '../../stores/app'
import { SettingRow } from './SettingRow'

const themes: { value: Theme; label: string }[] = [
  { value: 'system', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
]

const controlClass = 'h-7.5 w-48 shrink-0 justify-between border-line-strong bg-bg text-base! text-ink!'

export function GeneralSettings() {
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
      <SettingRow title="Theme" description="System follows light and dark of your desktop.">
        <RadioGroup
          aria-label="Theme"
          value={settings.theme}
          onValueChange={(theme: Theme) => void change({ theme })}
          className="flex w-48 shrink-0 rounded-md border border-line-strong bg-bg p-0.5"
        >
          {themes.map(({ value, label }) => (
            <Radio.Root
              key={value}
              value={value}
              aria-label={label}
              className="flex h-6 flex-1 items-center justify-center rounded-sm text-ink-2 hover:text-ink data-checked:bg-ink/8 data-checked:font-medium data-checked:text-ink"
            >
              {label}
            </Radio.Root>
          ))}
        </RadioGroup>
      </SettingRow>
      <SettingRow title="Model" description="For new sessions. Each session can change its own.">
        <ChoiceMenu
          label="Default model"
          value={settings.model}
          shown={modelName(settings.model, info)}
          choices={modelChoices(info, settings.model)}
          onChange={(model) => void change({ model })}
          className={controlClass}
        />
      </SettingRow>
      <SettingRow title="Mode" description="What new sessions may do without asking.">
        <ChoiceMenu
          label="Default mode"
          value={settings.mode}
          shown={modeLabel(settings.mode)}
          choices={MODES}
          onChange={(mode) => void change({ mode })}
          className={controlClass}
        />
      </SettingRow>
      <SettingRow title="Effort" description="How much the model thinks. More is slower and costs more.">
        <ChoiceMenu
          label="Effort"
          value={settings.effort ?? 'default'}
          shown={EFFORTS.find(({ value }) => value === (settings.effort ?? 'default'))?.label ?? ''}
          choices={EFFORTS}
          onChange={(effort) => void change({ effort: effort === 'default' ? null : effort })}
          className={controlClass}
        />
      </SettingRow>
      <p className="border-t border-line pt-3 text-sm text-ink-3">
        ML Intern {info.version}. Sessions and settings are in <span className="font-mono break-all">{info.home}</span>
      </p>
    </>
  )
}
