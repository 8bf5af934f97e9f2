import { useState } from 'react'
import { Button } from '../../components/Button'
import { modelName } from '../../lib/models'
import { useApp } from '../../stores/app'
import { noteChosen } from '../../stores/models'
import { submit, useSessionPart } from '../../stores/sessions'
import { reportFailure } from '../../stores/ui'
import { otherFamilies } from './catalogue'
import { ModelButton } from './ModelButton'

/** The answer of another model to the same message: switches to it and asks again. Under a refusal, or on demand. */
export function OtherModels({ session }: { session: string }) {
  const info = useApp((app) => app.info)
  const current = useSessionPart(session, (state) => state?.model ?? '')
  const idle = useSessionPart(session, (state) => state?.status === 'idle')
  const [busy, setBusy] = useState(false)
  const offers = otherFamilies(info?.models ?? [], current)
  const locked = useApp((app) => app.sessions.some((other) => other.id === session && other.locked))
  const connected = useApp((app) => app.connection === 'connected')
  const disabled = busy || !idle || !connected

  if (locked) return null

  async function answerWith(model: string): Promise<void> {
    setBusy(true)
    try {
      await submit(session, { op: 'set_model', model })
      await submit(session, { op: 'regenerate' })
    } catch (thrown) {
      reportFailure('The message was not answered again.', thrown)
    } finally {
      setBusy(false)
    }
  }

  return (
    <div className="mt-2 flex flex-wrap items-center gap-1.5">
      {offers.map((model) => (
        <Button
          key={model.id}
          size="sm"
          disabled={disabled}
          title={model.id}
          onClick={() => {
            noteChosen(model.id)
            void answerWith(model.id)
          }}
        >
          <span className="max-w-52 truncate">Ask {modelName(model.id, info)}</span>
        </Button>
      ))}
      <ModelButton
        label="Answer again with another model"
        shown="Answer again with…"
        value={current}
        disabled={disabled}
        align="start"
        onChange={(model) => model !== null && void answerWith(model)}
        className="bg-raised text-ink!"
      />
    </div>
  )
}
