import { Kbd } from '../../components/Kbd'
import { Modal } from '../../components/Modal'
import { SHORTCUTS } from '../../lib/keys'
import { showDialog, useUi } from '../../stores/ui'

export function ShortcutsDialog() {
  const open = useUi((ui) => ui.dialog === 'shortcuts')
  return (
    <Modal open={open} onClose={() => showDialog(null)} title="Keyboard shortcuts" width="460px">
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
      </div>
    </Modal>
  )
}
