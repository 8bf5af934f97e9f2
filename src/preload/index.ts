import type { Bridge, BridgePush } from '@shared/bridge'
import { contextBridge, type IpcRendererEvent, ipcRenderer } from 'electron'

/*
 * The types make these the same texts as in shared/bridge; importing the values would bring its schemas, and the whole
 * validation library, into every window's start.
 */
const REQUEST: typeof import('@shared/bridge').IPC_REQUEST = 'ml-intern:request'
const PUSH: typeof import('@shared/bridge').IPC_PUSH = 'ml-intern:push'

const bridge: Pick<Bridge, 'request' | 'onPush'> = {
  request: (method, input) => ipcRenderer.invoke(REQUEST, method, input),
  onPush: (listener) => {
    const forward = (_event: IpcRendererEvent, push: BridgePush) => listener(push)
    ipcRenderer.on(PUSH, forward)
    return () => ipcRenderer.removeListener(PUSH, forward)
  },
}

contextBridge.exposeInMainWorld('mlIntern', bridge)
