import { type BridgePush, type BridgeReply, IPC_PUSH, IPC_REQUEST } from '@shared/bridge'
import { type IpcMainInvokeEvent, ipcMain, type WebContents } from 'electron'
import type { Engine, EngineClient } from '../../engine-types'
import type { OwnOrigin } from './origin'

const FOREIGN_SENDER: BridgeReply = {
  ok: false,
  error: { code: 'forbidden', message: 'Only the window of ML Intern may call it.' },
}

/** One page of one window; a reload is a new page with no subscriptions. */
interface Page {
  client: EngineClient
  close(): void
}

/** Answers the calls of our own pages, and of nothing else. The engine checks method and input. */
export function serveIpc(engine: Pick<Engine, 'connect'>, origin: OwnOrigin): void {
  const pages = new Map<WebContents, Page>()

  const openPage = (contents: WebContents): Page => {
    let open = true
    const client = engine.connect((push: BridgePush) => {
      if (open && !contents.isDestroyed()) contents.send(IPC_PUSH, push)
    })
    const page: Page = {
      client,
      close: () => {
        open = false
        pages.delete(contents)
        client.close()
      },
    }
    pages.set(contents, page)
    return page
  }

  const watch = (contents: WebContents) => {
    const leave = () => pages.get(contents)?.close()
    contents.on('did-start-navigation', (details) => {
      if (details.isMainFrame && !details.isSameDocument) leave()
    })
    contents.on('render-process-gone', leave)
    contents.once('destroyed', leave)
  }

  const watched = new WeakSet<WebContents>()
  ipcMain.handle(IPC_REQUEST, async (event, method: unknown, input: unknown): Promise<BridgeReply> => {
    if (!isOwnFrame(event, origin)) return FOREIGN_SENDER
    if (!watched.has(event.sender)) {
      watched.add(event.sender)
      watch(event.sender)
    }
    const page = pages.get(event.sender) ?? openPage(event.sender)
    return page.client.request(String(method), input)
  })
}

/** The main frame of a window that shows our page; a frame that has gone in the meantime is nobody. */
function isOwnFrame({ senderFrame }: IpcMainInvokeEvent, origin: OwnOrigin): boolean {
  return senderFrame !== null && senderFrame.parent === null && origin.owns(senderFrame.url)
}
