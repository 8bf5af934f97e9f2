import type { Bridge, BridgeError, BridgeInput, BridgeMethod, BridgeResults } from '@shared/bridge'
import { openSocketBridge } from './websocket'

declare global {
  interface Window {
    /** Put there by the preload; absent in the browser host. */
    readonly mlIntern?: PreloadBridge
  }
}

type PreloadBridge = Pick<Bridge, 'request' | 'onPush'>

/** A refused call: `message` says what happened, `remedy` what to do (may be empty). */
export class BridgeFailure extends Error {
  override readonly name = 'BridgeFailure'
  readonly code: string
  readonly remedy: string
  constructor(error: BridgeError) {
    super(error.message)
    this.code = error.code
    this.remedy = error.remedy ?? ''
  }
}

let bridge: Bridge | null = null

/** The one way to the engine. Made on first use; the same object afterwards. */
export function getBridge(): Bridge {
  bridge ??= window.mlIntern ? fromPreload(window.mlIntern) : openSocketBridge()
  return bridge
}

/** Like `request`, but a refusal is thrown as BridgeFailure. */
export async function call<M extends BridgeMethod>(method: M, input: BridgeInput<M>): Promise<BridgeResults[M]> {
  const reply = await getBridge().request(method, input)
  if (!reply.ok) throw new BridgeFailure(reply.error)
  return reply.value
}

/** Whatever was thrown, in the shape the window shows. */
export function failureOf(thrown: unknown): BridgeFailure {
  if (thrown instanceof BridgeFailure) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new BridgeFailure({ code: 'internal', message, remedy: 'Reload the window. If it happens again, report it.' })
}

/** The preload lives in the same program: it is always connected, and its calls come back as values. */
function fromPreload(preload: PreloadBridge): Bridge {
  return {
    request: async (method, input) => {
      try {
        return await preload.request(method, input)
      } catch (thrown) {
        const message = thrown instanceof Error ? thrown.message : String(thrown)
        return { ok: false, error: { code: 'internal', message, remedy: 'Restart ML Intern.' } }
      }
    },
    onPush: (listener) => preload.onPush(listener),
    onConnection: (listener) => {
      listener('connected')
      return () => undefined
    },
  }
}
