import type { BridgeInput, BridgeMethod, BridgePush, BridgeReply, BridgeResults } from '@shared/bridge'
import type { AnyEvent } from '@shared/events'
import type { Engine } from '../../src/main/engine-types'

/** One window of an engine, without a page: its calls, and what was pushed to it. */
export class TestWindow {
  readonly pushes: BridgePush[] = []
  private readonly client
  private readonly waiting: { accept: (push: BridgePush) => boolean; resolve: () => void }[] = []

  constructor(engine: Pick<Engine, 'connect'>) {
    this.client = engine.connect((push) => {
      this.pushes.push(push)
      for (const waiter of [...this.waiting]) {
        if (!waiter.accept(push)) continue
        this.waiting.splice(this.waiting.indexOf(waiter), 1)
        waiter.resolve()
      }
    })
  }

  /** The reply as it is, for calls that are wrong on purpose. */
  request(method: string, input: unknown): Promise<BridgeReply> {
    return this.client.request(method, input)
  }

  /** The value of a call that has to succeed. */
  async call<M extends BridgeMethod>(method: M, input: BridgeInput<M>): Promise<BridgeResults[M]> {
    const reply = (await this.client.request(method, input)) as BridgeReply<M>
    if (!reply.ok) throw new Error(`${method}: ${reply.error.code}: ${reply.error.message}`)
    return reply.value
  }

  /** The code of a call that has to fail. */
  async failure(method: string, input: unknown): Promise<string> {
    const reply = await this.request(method, input)
    if (reply.ok) throw new Error(`${method} succeeded`)
    return reply.error.code
  }

  /** Resolves at the first push from now on that fits. */
  next(accept: (push: BridgePush) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ accept, resolve })
    })
  }

  nextEvent(type: AnyEvent['type']): Promise<void> {
    return this.next((push) => push.kind === 'event' && push.event.type === type)
  }

  events(type: AnyEvent['type']): number {
    return this.pushes.filter((push) => push.kind === 'event' && push.event.type === type).length
  }

  close(): void {
    this.client.close()
  }
}
