import { useState } from 'react'
import { type BridgeFailure, call, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { Modal, ModalActions } from '../../components/Modal'
import { useApp } from '../../stores/app'
import { askAbout, type SessionDialog, useUi } from '../../stores/ui'
import { CopyButton } from '../chat/CopyButton'
import { UNTITLED } from './groups'

/** The questions about one session, wherever they were asked from. */
export function SessionDialogs() {
  const asked = useUi((ui) => ui.sessionDialog)
  const remove = useApp((app) => app.actions.remove)
  // What a dialog says must stay while it closes.
  const [last, setLast] = useState<SessionDialog | null>(asked)
  if (asked && asked !== last) setLast(asked)
  const question = useUi((ui) => ui.question)
  const [text, setText] = useState('')
  if (question && question.text !== text) setText(question.text)
  const close = (): void => askAbout(null)

  return (
    <>
      <ConfirmDialog
        open={question !== null}
        title="Are you sure?"
        confirm="Go on"
        onConfirm={async () => question?.answer(true)}
        onClose={() => useUi.getState().question?.answer(false)}
      >
        {text}
      </ConfirmDialog>
      {last && <About asked={asked} last={last} remove={remove} close={close} />}
    </>
  )
}

interface AboutProps {
  asked: SessionDialog | null
  last: SessionDialog
  remove: (id: string) => Promise<void>
  close: () => void
}

function About({ asked, last, remove, close }: AboutProps) {
  return (
    <>
      <ConfirmDialog
        open={asked?.kind === 'delete'}
        title="Delete this session?"
        confirm="Delete"
        onConfirm={() => remove(last.id)}
        onClose={close}
      >
        “{last.title || UNTITLED}” and its log are deleted. Files it made in its working folder stay.
      </ConfirmDialog>
      <Modal open={asked?.kind === 'upload'} onClose={close} title="Upload a trace of this session?" width="480px">
        <Upload key={last.id} id={last.id} title={last.title} onClose={close} />
      </Modal>
    </>
  )
}

function Upload({ id, title, onClose }: { id: string; title: string; onClose: () => void }) {
  const repo = useApp((app) => app.info?.settings.trace_repo ?? '')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const [done, setDone] = useState<{ url: string; repo: string } | null>(null)

  async function upload(): Promise<void> {
    setBusy(true)
    setFailure(null)
    try {
      setDone(await call('sessions.upload', { id }))
    } catch (thrown) {
      setFailure(failureOf(thrown))
    } finally {
      setBusy(false)
    }
  }

  if (done) {
    return (
      <>
        <div className="px-5 pb-2" role="status">
          <p>
            Uploaded to <span className="font-mono text-sm break-all">{done.repo}</span>. Only you can see it.
          </p>
          <div className="mt-3 flex items-center gap-1 rounded-md border border-line bg-sunken py-1 pr-1 pl-2.5">
            <span className="min-w-0 flex-1 font-mono text-sm break-all select-all">{done.url}</span>
            <CopyButton text={done.url} label="Copy address" />
          </div>
        </div>
        <ModalActions>
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        </ModalActions>
      </>
    )
  }
  return (
    <>
      <div className="overflow-y-auto px-5 pb-2">
        <dl className="grid grid-cols-[72px_1fr] gap-x-3 gap-y-2">
          <dt className="text-ink-3">What</dt>
          <dd className="break-words">
            All of “{title || UNTITLED}”: your messages, the replies and their reasoning, every tool call and its
            output.
          </dd>
          <dt className="text-ink-3">Where</dt>
          <dd>
            The dataset{' '}
            <span className="font-mono text-sm break-all">{repo.replace('{hf_user}', '<your account>')}</span> on
            Hugging Face.
          </dd>
          <dt className="text-ink-3">Who</dt>
          <dd>Only you. The dataset is private, and is made if it does not exist.</dd>
          <dt className="text-ink-3">Secrets</dt>
          <dd>
            Known keys and what looks like one are taken out. No filter finds everything: read the trace before you let
            others see it.
          </dd>
        </dl>
        {failure && <FailureBanner failure={failure} className="mt-3" />}
      </div>
      <ModalActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" disabled={busy} onClick={() => void upload()}>
          {busy ? 'Uploading…' : 'Upload'}
        </Button>
      </ModalActions>
    </>
  )
}
