import { Tabs } from '@base-ui/react/tabs'
import { useEffect, useState } from 'react'
import { Modal } from '../../components/Modal'
import { showDialog, useUi } from '../../stores/ui'
import { Diagnostics } from '../doctor/Diagnostics'
import { GeneralSettings } from './GeneralSettings'
import { KeySettings } from './KeySettings'

type Page = 'general' | 'keys' | 'diagnostics'

const pages: { value: Page; label: string }[] = [
  { value: 'general', label: 'General' },
  { value: 'keys', label: 'Keys' },
  { value: 'diagnostics', label: 'Diagnostics' },
]

export function SettingsDialog() {
  const dialog = useUi((ui) => ui.dialog)
  const [page, setPage] = useState<Page>('general')
  useEffect(() => {
    if (dialog === 'settings') setPage('general')
    if (dialog === 'diagnostics') setPage('diagnostics')
  }, [dialog])

  return (
    <Modal
      open={dialog === 'settings' || dialog === 'diagnostics'}
      onClose={() => showDialog(null)}
      title="Settings"
      width="680px"
    >
      <Tabs.Root
        value={page}
        onValueChange={(next: Page) => setPage(next)}
        orientation="vertical"
        className="flex h-110 min-h-0 shrink border-t border-line max-md:flex-col"
      >
        <Tabs.List
          aria-label="Pages"
          activateOnFocus
          className="flex w-38 shrink-0 flex-col gap-px border-r border-line bg-bg p-2 max-md:w-full max-md:flex-row max-md:border-r-0 max-md:border-b"
        >
          {pages.map(({ value, label }) => (
            <Tabs.Tab
              key={value}
              value={value}
              className="row-hover flex h-7.5 items-center rounded-md px-2.5 text-ink-2 data-active:bg-ink/6 data-active:font-medium data-active:text-ink"
            >
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="general" className="min-w-0 flex-1 overflow-y-auto px-5 py-3">
          <GeneralSettings />
        </Tabs.Panel>
        <Tabs.Panel value="keys" className="min-w-0 flex-1 overflow-y-auto px-5 py-3">
          <KeySettings />
        </Tabs.Panel>
        <Tabs.Panel value="diagnostics" className="flex min-w-0 flex-1 flex-col overflow-hidden">
          <Diagnostics />
        </Tabs.Panel>
      </Tabs.Root>
    </Modal>
  )
}
