import { Tabs } from '@base-ui/react/tabs'
import { type ComponentType, useEffect, useState } from 'react'
import { Modal } from '../../components/Modal'
import { type DialogName, showDialog, useUi } from '../../stores/ui'
import { Diagnostics } from '../doctor/Diagnostics'
import { RulesSettings } from '../rules/RulesSettings'
import { DataSettings } from './DataSettings'
import { GeneralSettings } from './GeneralSettings'
import { KeySettings } from './KeySettings'
import { ModelSettings } from './ModelSettings'

type Page = 'general' | 'models' | 'approvals' | 'data' | 'keys' | 'diagnostics'

const pages: { value: Page; label: string; Content: ComponentType }[] = [
  { value: 'general', label: 'General', Content: GeneralSettings },
  { value: 'models', label: 'Models', Content: ModelSettings },
  { value: 'approvals', label: 'Approvals', Content: RulesSettings },
  { value: 'data', label: 'Data', Content: DataSettings },
  { value: 'keys', label: 'Keys', Content: KeySettings },
]

/** The page that each name of a dialog opens. */
const entrances: Partial<Record<DialogName, Page>> = {
  settings: 'general',
  models: 'models',
  approvals: 'approvals',
  data: 'data',
  diagnostics: 'diagnostics',
}

export function SettingsDialog() {
  const dialog = useUi((ui) => ui.dialog)
  const entrance = dialog === null ? undefined : entrances[dialog]
  const [page, setPage] = useState<Page>('general')
  useEffect(() => {
    if (entrance) setPage(entrance)
  }, [entrance])

  return (
    <Modal open={entrance !== undefined} onClose={() => showDialog(null)} title="Settings" width="720px">
      <Tabs.Root
        value={page}
        onValueChange={(next: Page) => setPage(next)}
        orientation="vertical"
        className="flex h-130 min-h-0 shrink border-t border-line max-md:flex-col"
      >
        <Tabs.List
          aria-label="Pages"
          activateOnFocus
          className="flex w-38 shrink-0 flex-col gap-px border-r border-line bg-bg p-2 max-md:w-full max-md:flex-row max-md:border-r-0 max-md:border-b"
        >
          {[...pages, { value: 'diagnostics' as const, label: 'Diagnostics' }].map(({ value, label }) => (
            <Tabs.Tab
              key={value}
              value={value}
              className="row-hover flex h-7.5 items-center rounded-md px-2.5 text-ink-2 data-active:bg-ink/6 data-active:font-medium data-active:text-ink"
            >
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {pages.map(({ value, Content }) => (
          <Tabs.Panel key={value} value={value} className="min-w-0 flex-1 overflow-y-auto px-5 py-3">
            <Content />
          </Tabs.Panel>
        ))}
        <Tabs.Panel value="diagnostics" className="flex min-w-0 flex-1 flex-col overflow-hidden">
          <Diagnostics />
        </Tabs.Panel>
      </Tabs.Root>
    </Modal>
  )
}
