/** The parts of the library that are used here; its own types are for another name and leave `open` out. */
declare module 'node-pty' {
  import type { ReadStream } from 'node:tty'

  interface Options {
    cols: number
    rows: number
    /** Null: bytes. */
    encoding?: null
  }
  interface SpawnOptions extends Options {
    cwd: string
    env: NodeJS.ProcessEnv
    name: string
  }
  interface Opened {
    master: ReadStream
    slave: ReadStream
    ptsName: string
    resize(cols: number, rows: number): void
  }
  interface Spawned {
    pid: number
    resize(cols: number, rows: number): void
    write(data: string): void
    pause(): void
    resume(): void
    kill(signal?: string): void
    onData(listener: (data: string) => void): void
    onExit(listener: (exit: { exitCode: number; signal?: number }) => void): void
    /** Private there; absent on Windows. */
    _socket?: ReadStream
    _pty?: string
    _emittedClose?: boolean
  }
  export function open(options: Options): Opened
  export function spawn(file: string, args: string[], options: SpawnOptions): Spawned
}
