/// <reference path="./node-pty.d.ts" />
import { spawn } from 'node:child_process'
import { closeSync, constants, openSync, readdirSync, readlinkSync } from 'node:fs'
import { constants as os } from 'node:os'
import type { ReadStream } from 'node:tty'
import { forgetDescriptor, hideFromChildren, withoutTerminals } from './inherit'

export interface PtyOptions {
  file: string
  args: readonly string[]
  /** Absolute path of an existing directory. */
  cwd: string
  env: NodeJS.ProcessEnv
  cols: number
  rows: number
  /** The program and its children do not die when the terminal is hung up. */
  ignore_hangup: boolean
}

export interface PtyExit {
  /** Null when a signal ended the program. */
  exit_code: number | null
  signal: NodeJS.Signals | null
}

/** A pseudo terminal with a program in it, its two ends open. */
export interface Backend {
  pid: number
  /** `/dev/pts/3`. */
  tty: string
  /** The controlling end: what the program prints comes out here. */
  stream: ReadStream
  /** The program's end, opened without blocking and kept open. */
  held: number
  resize: (cols: number, rows: number) => void
  exited: Promise<PtyExit>
  close: () => void
}

/** As a shell script: takes the terminal `$1` as its own and becomes the program. The leader of a new session gets it. */
const TAKE_TERMINAL = 'exec 0<>"$1" 1>&0 2>&0; shift; exec "$@"'
const TAKE_AND_IGNORE_HANGUP = `trap '' HUP; ${TAKE_TERMINAL}`

/**
 * Linux. The library only opens the pair; Node starts the program: quicker, with errors that are reported, and without
 * the other terminals' descriptors (see inherit.ts). Rejects with the system's error.
 */
export async function startByNode(options: PtyOptions): Promise<Backend> {
  const { open } = await import('node-pty')
  const pair = open({ cols: options.cols, rows: options.rows, encoding: null })
  const master = descriptorOf(pair.master)
  hideFromChildren(master)
  const held = heldEnd(pair)
  // The library reads from the program's end too, which would take away its input.
  pair.slave.destroy()
  // Its own handler expects a terminal that it started itself.
  pair.master.removeAllListeners('error')
  let closed = false
  const close = () => {
    if (closed) return
    closed = true
    pair.master.once('close', () => forgetDescriptor(master))
    pair.master.destroy()
    closeSync(held)
  }
  pair.master.on('error', () => close())
  return new Promise((resolve, reject) => {
    const script = options.ignore_hangup ? TAKE_AND_IGNORE_HANGUP : TAKE_TERMINAL
    let exit = (_: PtyExit) => {}
    const exited = new Promise<PtyExit>((done) => {
      exit = done
    })
    const fail = (error: unknown) => {
      close()
      reject(error)
    }
    try {
      const child = spawn('sh', ['-c', script, 'sh', pair.ptsName, options.file, ...options.args], {
        cwd: options.cwd,
        env: options.env,
        detached: true,
        stdio: withoutTerminals(['ignore', 'ignore', 'ignore']),
      })
      child.once('error', fail)
      child.once('exit', (exit_code, signal) => exit({ exit_code, signal }))
      child.once('spawn', () => {
        child.off('error', fail)
        // Errors of signals that come too late; ours are sent by process id.
        child.on('error', () => {})
        const resize = (cols: number, rows: number) => pair.resize(cols, rows)
        resolve({ pid: child.pid ?? 0, tty: pair.ptsName, stream: pair.master, held, resize, exited, close })
      })
    } catch (error) {
      fail(error)
    }
  })
}

/**
 * macOS. The library starts the program, because there a terminal has to be asked for as one's own in a way that a shell
 * cannot. It would close the terminal 200 ms after the program's end, read or not: that is switched off.
 */
export async function startByLibrary(options: PtyOptions): Promise<Backend> {
  const { spawn: start } = await import('node-pty')
  const wrapped = options.ignore_hangup
    ? ['/bin/sh', '-c', `trap '' HUP; exec "$@"`, 'sh', options.file, ...options.args]
    : [options.file, ...options.args]
  const [file = 'sh', ...args] = wrapped
  const { cwd, env, cols, rows } = options
  const pty = start(file, args, { cwd, env, cols, rows, encoding: null, name: env.TERM ?? 'xterm-256color' })
  const { _socket: stream, _pty: tty } = pty
  if (!stream || !tty) throw new Error('node-pty has no terminal inside')
  pty._emittedClose = true
  const master = descriptorOf(stream)
  hideFromChildren(master)
  // In the same step as the start: from here on the program's end is never closed while output waits.
  const held = openEnd(tty)
  let closed = false
  const close = () => {
    if (closed) return
    closed = true
    stream.once('close', () => forgetDescriptor(master))
    stream.destroy()
    closeSync(held)
  }
  stream.on('error', () => close())
  const exited = new Promise<PtyExit>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      const name = signal ? signalName(signal) : null
      resolve({ exit_code: name === null ? exitCode : null, signal: name })
    })
  })
  return { pid: pty.pid, tty, stream, held, resize: (c, r) => pty.resize(c, r), exited, close }
}

function descriptorOf(stream: ReadStream): number {
  const { _handle: handle } = stream as unknown as { _handle: { fd: number } }
  return handle.fd
}

/** Opening a device does not wait, and the program must not end before it is open. */
function openEnd(tty: string): number {
  return openSync(tty, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
}

/**
 * The descriptor of the program's end that `open()` made: Node works on a copy of it and would leave it open for ever
 * (libuv, uv_tty_init). It is what has to be held.
 */
function heldEnd(pair: { slave: ReadStream; ptsName: string }): number {
  const copy = descriptorOf(pair.slave)
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name)
    if (fd !== copy && linkOf(name) === pair.ptsName) return fd
  }
  return openEnd(pair.ptsName)
}

function linkOf(name: string): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${name}`)
  } catch {
    // The descriptor that listed the folder is closed by now.
    return null
  }
}

function signalName(number: number): NodeJS.Signals | null {
  const found = Object.entries(os.signals).find(([, value]) => value === number)
  return found ? (found[0] as NodeJS.Signals) : null
}
