import { Radio } from '@base-ui/react/radio'
import { RadioGroup } from '@base-ui/react/radio-group'
import type { SettingsPatch, Theme } from '@shared/settings'
import { useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { ChoiceMenu } from '../../components/ChoiceMenu'
import { Skeleton } from '../../components/Skeleton'
import { Toggle } from '../../components/Toggle'
import { effortChoices, findModel } from '../../lib/models'
import { effortLabel, MODES, modeLabel } from '../../lib/modes'
import { useApp } from '../../stores/app'
import { CapForm } from '../usage/CapForm'
import { SettingRow } from './SettingRow'

const themes: { value: Theme; label: string }[] = [
  { value: 'system', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
]

export const controlClass = 'h-7.5 w-48 shrink-0 justify-between border-line-strong bg-bg text-base! text-ink!'

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
          shown={effortLabel(settings.effort)}
          choices={effortChoices(findModel(settings.model, info), settings.effort)}
          onChange={(effort) => void change({ effort: effort === 'default' ? null : effort })}
          className={controlClass}
        />
      </SettingRow>
      <SettingRow title="Titles" description="A model names a session after its first turn.">
        <Toggle
          label="Titles by a model"
          checked={settings.auto_titles}
          onChange={(auto_titles) => void change({ auto_titles })}
        />
      </SettingRow>
      <CapForm
        label={<CapLabel title="Cap of a session">What a session may spend that has no cap of its own.</CapLabel>}
        cap={settings.max_cost_usd}
        className="border-t border-line py-3"
        onSet={(max_cost_usd) => update({ max_cost_usd })}
      />
      <CapForm
        label={<CapLabel title="Cap of a day">For all sessions together, until midnight.</CapLabel>}
        cap={settings.max_cost_per_day_usd}
        className="border-t border-line py-3"
        onSet={(max_cost_per_day_usd) => update({ max_cost_per_day_usd })}
      />
      <SettingRow
        title="Models without a known price"
        description="Under a cap they do not run. Allowed, what they cost is not counted."
      >
        <Toggle
          label="Allow models without a known price under a cap"
          checked={settings.allow_unknown_price}
          onChange={(allow_unknown_price) => void change({ allow_unknown_price })}
        />
      </SettingRow>
      <p className="border-t border-line pt-3 text-sm text-ink-3">ML Intern {info.version}</p>
    </>
  )
}

function CapLabel({ title, children }: { title: string; children: string }) {
  return (
    <>
      <span className="block font-medium text-ink">{title}</span>
      <span className="block text-sm">{children}</span>
    </>
  )
}
