import { commandsOf } from '@shared/commands'
import { Kbd } from '../../components/Kbd'
import { Modal } from '../../components/Modal'
import { SHORTCUTS } from '../../lib/keys'
import { showDialog, useUi } from '../../stores/ui'

export function ShortcutsDialog() {
  const open = useUi((ui) => ui.dialog === 'shortcuts')
  return (
    <Modal open={open} onClose={() => showDialog(null)} title="Keys and commands" width="520px">
      <div className="overflow-y-auto px-5 pb-5">
        {SHORTCUTS.map(({ group, items }) => (
          <section key={group} className="not-first:mt-4">
            <h3 className="mb-1 text-sm font-medium text-ink-3">{group}</h3>
            <dl>
              {items.map(({ keys, what }) => (
                <div key={what} className="flex items-center gap-4 border-line py-1.5 not-first:border-t">
                  <dt className="min-w-0 flex-1">{what}</dt>
                  <dd>
                    <Kbd keys={keys} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section className="mt-4">
          <h3 className="mb-1 text-sm font-medium text-ink-3">Commands, written in the composer</h3>
          <dl>
            {commandsOf('window').map(({ name, usage, summary }) => (
              <div key={name} className="grid grid-cols-[2fr_3fr] gap-4 border-line py-1.5 not-first:border-t">
                <dt className="font-mono text-sm break-words">{usage}</dt>
                <dd className="text-ink-2">{summary}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </Modal>
  )
}
