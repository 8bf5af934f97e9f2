import type { CredentialStatus } from '@shared/bridge'
import { type FormEvent, useId, useRef, useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { Banner, FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { Modal, ModalActions } from '../../components/Modal'
import { TextField } from '../../components/TextField'
import { useApp } from '../../stores/app'
import { showDialog, useUi } from '../../stores/ui'
import { keyPlace } from './keyPlace'

/** Shorter is not a key; the bridge refuses it too. */
const MIN_KEY_CHARS = 8

export function KeyDialog() {
  const open = useUi((ui) => ui.dialog === 'key')
  const field = useRef<HTMLInputElement>(null)
  return (
    <Modal
      open={open}
      onClose={() => showDialog(null)}
      title="Add an Anthropic key"
      description="It goes to Anthropic only. It is kept in your system’s keychain or, where there is none, in memory until ML Intern ends."
      initialFocus={field}
    >
      <KeyForm field={field} />
    </Modal>
  )
}

function KeyForm({ field }: { field: React.RefObject<HTMLInputElement | null> }) {
  const setKey = useApp((app) => app.actions.setKey)
  const [secret, setSecret] = useState('')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const [stored, setStored] = useState<CredentialStatus | null>(null)
  const id = useId()

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setFailure(null)
    try {
      const status = await setKey(secret.trim())
      setSecret('')
      if (status.source === 'keychain' && !status.note) showDialog(null)
      else setStored(status)
    } catch (thrown) {
      setFailure(failureOf(thrown))
    } finally {
      setBusy(false)
    }
  }

  if (stored) {
    return (
      <>
        <div className="px-5">
          <Banner tone={stored.source === 'keychain' ? 'info' : 'warn'} title={keyPlace(stored)}>
            {stored.note}
          </Banner>
        </div>
        <div className="pt-2" />
        <ModalActions>
          <Button look="primary" onClick={() => showDialog(null)}>
            Done
          </Button>
        </ModalActions>
      </>
    )
  }
  return (
    <form onSubmit={(event) => void save(event)}>
      <div className="flex flex-col gap-1.5 px-5 pb-2">
        <label htmlFor={id} className="font-medium">
          Key
        </label>
        <TextField
          id={id}
          ref={field}
          type="password"
          autoComplete="off"
          value={secret}
          maxLength={512}
          placeholder="sk-ant-…"
          className="font-mono"
          onChange={(event) => setSecret(event.target.value)}
        />
        {failure && <FailureBanner failure={failure} className="mt-2" />}
      </div>
      <ModalActions>
        <Button onClick={() => showDialog(null)}>Cancel</Button>
        <Button type="submit" look="primary" disabled={busy || secret.trim().length < MIN_KEY_CHARS}>
          {busy ? 'Saving…' : 'Save key'}
        </Button>
      </ModalActions>
    </form>
  )
}
