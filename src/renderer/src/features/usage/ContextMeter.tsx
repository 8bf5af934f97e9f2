import { COMPACTION_SHARE } from '@shared/compaction'
import { lazy } from 'react'
import { formatTokens } from '../../lib/format'
import { useSessionPart } from '../../stores/sessions'
import { Bar } from './Bar'
import { Meter } from './Meter'

const ContextPanel = lazy(async () => ({ default: (await import('./ContextPanel')).ContextPanel }))

export function ContextMeter({ id }: { id: string }) {
  const context = useSessionPart(id, (state) => state?.context)
  if (!context || context.used_tokens === 0) return null
  const { used_tokens: used, window } = context
  const share = window ? used / window : null
  const percent = share === null ? null : share > 0 && share < 0.01 ? '< 1' : String(Math.round(share * 100))
  return (
    <Meter
      name="context"
      label="Context"
      className="w-84"
      tip={
        window
          ? `${used.toLocaleString('en')} of ${window.toLocaleString('en')} tokens`
          : 'The size of this model’s context window is not known.'
      }
      shown={
        share === null ? (
          `Context ${formatTokens(used)} tokens`
        ) : (
          <>
            Context
            <Bar
              share={share}
              level={share > COMPACTION_SHARE ? 'near' : 'calm'}
              className="mx-1.5 inline-block! h-1 w-13.5 align-middle"
            />
            {percent} % · {formatTokens(used)}
          </>
        )
      }
    >
      {(close) => <ContextPanel id={id} onClose={close} />}
    </Meter>
  )
}
