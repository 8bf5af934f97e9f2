import type { SessionState, SessionSummary } from '@shared/state'
import type { Engine } from '../../engine-types'
import { EXIT, UserError } from '../../errors'
import type { Command } from './args'
import { confirmed } from './confirm'
import { findSession } from './find-session'
import type { CliIo } from './io'
import { prepare, startEngine } from './setup'
import { clip, count, dollars, modelLabel, oneLine, type Style, styleFor, tildePath } from './style'
import { Writer } from './writer'

type SessionsCommand = Exclude<
  Extract<Command, { name: `sessions ${string}` }>,
  { name: 'sessions search' | 'sessions import' | 'sessions export' | 'sessions fork' | 'sessions upload' }
>

/** `ml-intern sessions …`. Returns the exit code. Throws UserError. */
export async function runSessions(io: CliIo, command: SessionsCommand): Promise<number> {
  const engine = await startEngine(io, await prepare(io, command), 'headless')
  try {
    const out = new Writer(io.stdout)
    const code = await perform(io, engine, command, out)
    await out.finish()
    return code
  } finally {
    await engine.close()
  }
}

async function perform(io: CliIo, engine: Engine, command: SessionsCommand, out: Writer): Promise<number> {
  switch (command.name) {
    case 'sessions list':
      await list(io, engine, command.json, out)
      return EXIT.finished
    case 'sessions show': {
      const [id, { transcript }] = await Promise.all([findSession(engine, command.id), import('./export')])
      const state = await engine.readSession(id)
      const style = styleFor(io.stdout, io.env)
      out.write(`${header(state, style, io.env.HOME)}${transcript(state, style)}`)
      return EXIT.finished
    }
    case 'sessions rm':
      return remove(io, engine, command.ids, command.yes)
  }
}

async function list(io: CliIo, engine: Engine, json: boolean, out: Writer): Promise<void> {
  const sessions = await engine.listSessions()
  if (json) {
    out.write(`${JSON.stringify(sessions, null, 2)}\n`)
    return
  }
  if (sessions.length === 0) {
    io.stderr.write('No sessions yet. Start one with ml-intern "prompt", or try ml-intern demo.\n')
    return
  }
  const style = styleFor(io.stdout, io.env)
  const columns = io.stdout.isTTY ? Math.max(60, io.stdout.columns ?? 80) : 160
  const length = idLength(sessions.map(({ id }) => id))
  for (const session of sessions) out.write(`${row(session, length, columns, style, io.env.HOME)}\n`)
}

/** Enough characters of the ids to tell all of them apart, at least eight. */
function idLength(ids: readonly string[]): number {
  for (let length = 8; length < 36; length++) {
    if (new Set(ids.map((id) => id.slice(0, length))).size === ids.length) return length
  }
  return 36
}

function row(s: SessionSummary, length: number, columns: number, style: Style, home: string | undefined): string {
  const time = localTime(s.updated_at)
  const state = s.locked ? 'in use' : s.status === 'idle' ? (s.last_outcome ?? 'new') : s.status
  const turns = `${s.turns} ${s.turns === 1 ? 'turn' : 'turns'}`
  const title = oneLine(s.title) || '(untitled)'
  const left = `${s.id.slice(0, length)}  ${time}  ${state.padEnd(10)}  ${turns.padStart(8)}  `
  const folder = `  ${tildePath(oneLine(s.cwd), home)}`
  const room = Math.max(16, columns - left.length - folder.length - 1)
  return `${style.cyan(s.id.slice(0, length))}${left.slice(length)}${clip(title, room)}${style.dim(folder)}`
}

/** The reader's own time, to the minute: 2026-11-20 18:47. */
function localTime(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return '                '
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

function header(state: SessionState, style: Style, home: string | undefined): string {
  const { prompt_tokens, completion_tokens, calls, unpriced_calls, cost_usd } = state.usage
  const rows: [string, string][] = [
    ['session', state.id],
    ['folder', tildePath(oneLine(state.cwd), home)],
    ['model', modelLabel(state.model)],
    ['mode', state.mode],
    ['began', localTime(state.created_at)],
    ['changed', localTime(state.updated_at)],
    ['turns', `${state.turns}${state.last_outcome ? `, the last ${state.last_outcome}` : ''}`],
    [
      'usage',
      `${count(calls)} calls, ${count(prompt_tokens)} tokens in, ${count(completion_tokens)} out, ` +
        (unpriced_calls > 0 ? 'cost unknown' : dollars(cost_usd)),
    ],
  ]
  const lines = rows.map(([name, value]) => `${style.dim(name.padEnd(8))} ${value}`)
  return `${style.bold(oneLine(state.title) || '(untitled)')}\n${lines.join('\n')}\n`
}

async function remove(io: CliIo, engine: Engine, given: readonly string[], yes: boolean): Promise<number> {
  const ids = [...new Set(await Promise.all(given.map((id) => findSession(engine, id))))]
  const terminal = io.stdin.isTTY === true && io.stderr.isTTY === true
  if (!yes && !terminal) {
    throw new UserError('usage', 'Deleting needs a confirmation, and there is no terminal to ask on.', 'Add --yes.')
  }
  // Read first: of several ids, none is deleted when one of them does not exist.
  const states = await Promise.all(ids.map((id) => engine.readSession(id)))
  if (!yes) {
    for (const state of states) io.stderr.write(`  ${state.id}  ${oneLine(state.title) || '(untitled)'}\n`)
    const what = ids.length === 1 ? 'this session' : `these ${ids.length} sessions`
    if (!(await confirmed(io, `Delete ${what} with all outputs? [y/N] `))) {
      io.stderr.write('Nothing was deleted.\n')
      return EXIT.failed
    }
  }
  for (const id of ids) await engine.removeSession(id)
  io.stderr.write(`Deleted ${ids.length === 1 ? 'one session' : `${ids.length} sessions`}.\n`)
  return EXIT.finished
}
