import { useState } from 'react'
import { Button } from '../../components/Button'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { Skeleton } from '../../components/Skeleton'
import { anthropicKey } from '../../lib/models'
import { useApp } from '../../stores/app'
import { showDialog } from '../../stores/ui'
import { keyPlace } from './keyPlace'
import { SettingRow } from './SettingRow'

export function KeySettings() {
  const info = useApp((app) => app.info)
  const removeKey = useApp((app) => app.actions.removeKey)
  const [confirming, setConfirming] = useState(false)
  if (!info) return <Skeleton className="my-3 h-16" />
  const status = anthropicKey(info)
  const fromEnvironment = status?.source === 'environment'

  return (
    <>
      <SettingRow
        title="Anthropic"
        description={
          status?.present ? (
            <>
              {keyPlace(status)} {status.hint && <span className="font-mono">…{status.hint}</span>}
              {status.note && <span className="mt-1 block text-warn">{status.note}</span>}
              {fromEnvironment && (
                <span className="mt-1 block">To change it, change the environment and start ML Intern again.</span>
              )}
            </>
          ) : (
            <>No key. Claude models need one. {status?.note && <span className="mt-1 block">{status.note}</span>}</>
          )
        }
      >
        {status?.present && !fromEnvironment && <Button onClick={() => setConfirming(true)}>Remove…</Button>}
        {!fromEnvironment && (
          <Button look={status?.present ? 'plain' : 'primary'} onClick={() => showDialog('key')}>
            {status?.present ? 'Replace' : 'Add key'}
          </Button>
        )}
      </SettingRow>
      <p className="border-t border-line pt-3 text-sm text-ink-3">
        A key goes to its own provider and nowhere else. It is never written to a file of ML Intern, and never shown
        again: the last four characters are there to recognise it.
      </p>
      <ConfirmDialog
        open={confirming}
        title="Remove the Anthropic key?"
        confirm="Remove"
        onConfirm={removeKey}
        onClose={() => setConfirming(false)}
      >
        Sessions with Claude models stop working until there is a key again. The key itself stays valid at Anthropic.
      </ConfirmDialog>
    </>
  )
}
