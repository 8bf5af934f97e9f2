import { stat } from 'node:fs/promises'
import { z } from 'zod'
import { messageOf, UserError } from '../errors'
import { ByteRedactor, StreamRedactor } from '../redact'
import { fileProblem, formatBytes } from '../workspace/files'
import { LiveLog } from '../workspace/live-log'
import { AnsiStripper, OutputWindow } from '../workspace/output'
import { resolvePath } from '../workspace/paths'
import { type OutputStream, runShell, type ShellOutcome } from '../workspace/process'
import { commandFacts } from '../workspace/shell'
import { type SpillResult, SpillWriter } from '../workspace/spill'
import { Utf8Splitter } from '../workspace/utf8'
import { pythonEnvironment } from './python-env'
import { wrapCommand } from './sandboxed'
import { defineTool, oneLine } from './support'
import type { ApprovalContext, ApprovalFacts, ToolContext, ToolResult } from './types'

const DEFAULT_TIMEOUT_S = 120
/** Ten hours. */
const MAX_TIMEOUT_S = 36_000

const schema = z.strictObject({
  command: z
    .string()
    .trim()
    .min(1)
    .describe('The shell command. Several commands that depend on each other go into one call, joined with &&.'),
  description: z.string().optional().describe('What the command is for, in a few words. Shown to the user.'),
  work_dir: z
    .string()
    .default('.')
    .describe('Folder to run in: absolute, or relative to the session’s working folder, which is the default.'),
  timeout: z
    .number()
    .positive()
    .max(MAX_TIMEOUT_S)
    .default(DEFAULT_TIMEOUT_S)
    .describe('Seconds until the command and all its child processes are stopped.'),
})

const description = `Runs a shell command (bash -c) on the user's machine and returns its output and exit code.

Use it to inspect data and the system, install packages, run scripts, train, evaluate and test. To look at or change text \
files use read, write and edit instead: they keep track of versions.

- Every call is a new shell: variables and cd do not last. Use work_dir, or join commands with &&.
- The command has no input and no terminal. Pass what it would ask for as options (-y, --yes, --no-input).
- Standard output and standard error come back together, in the order they were written. The user sees them live.
- Output above 25,000 characters is cut in the middle; the whole is kept in a file that the result names.
- Bash calls of one reply run at the same time. Put commands that need each other's results into one call or into
  successive replies.
- The default timeout is 120 seconds. For training set timeout to a generous estimate (up to 36000). To go on working
  meanwhile, start it as \`nohup python train.py > train.log 2>&1 &\` and look at the log with later calls.`

const sandboxedSchema = schema.extend({
  unsandboxed: z
    .boolean()
    .default(false)
    .describe(
      'Run outside of the sandbox. The user is asked: only where the sandbox has just kept the command from working.',
    ),
  network: z
    .array(z.string().trim().min(1).max(253))
    .max(20)
    .default([])
    .describe('Hosts beyond the allow-list that the command needs, such as data.example.org. The user is asked.'),
})

const SANDBOX_NOTE = `
- Commands run in a sandbox: they write in the working folder and in /tmp only, cannot read credentials, and reach the
  Hugging Face Hub, PyPI, conda and GitHub. What it forbids is said with the result; ask for more with unsandboxed or network.`

/** Against programs that would wait for somebody to page, type or confirm. */
const NON_INTERACTIVE = {
  PYTHONUNBUFFERED: '1',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  MANPAGER: 'cat',
  GIT_TERMINAL_PROMPT: '0',
  GIT_EDITOR: 'true',
  PIP_NO_INPUT: '1',
  DEBIAN_FRONTEND: 'noninteractive',
}

const common = { name: 'bash', concurrency: 'parallel', effect: () => 'execute' as const, intent: intentOf } as const

export const bashTool = defineTool({
  ...common,
  description,
  schema,
  approval: factsOf,
  run: (input, context) => runCommand(input, NO_WISHES, false, context),
})

/** The same where commands are sandboxed: they can ask for more. */
export const sandboxedBashTool = defineTool({
  ...common,
  description: description + SANDBOX_NOTE,
  schema: sandboxedSchema,
  approval: (input, context) => boundFacts(factsOf(input, context), input),
  run: (input, context) => runCommand(input, input, true, context),
})

type Input = z.output<typeof schema>

function factsOf({ command, work_dir }: Input, { cwd, own }: ApprovalContext): ApprovalFacts {
  return commandFacts(command, { cwd, work_dir, own })
}

// A script typed into the command line says less than what it is for.
function intentOf({ command, description: what }: Input): string {
  return what && command.includes('\n') ? what : oneLine(command, 120)
}

/** What a call asks for beyond the sandbox. */
interface Wishes {
  unsandboxed: boolean
  network: readonly string[]
}

const NO_WISHES: Wishes = { unsandboxed: false, network: [] }

function boundFacts(facts: ApprovalFacts, { unsandboxed, network }: Wishes): ApprovalFacts {
  if (unsandboxed) return { ...facts, reason: facts.reason ?? 'Runs outside of the sandbox' }
  if (network.length === 0) return { ...facts, sandboxed: true }
  const hosts = network.map((host) => ({ operation: 'network', text: host }))
  const reason = facts.reason ?? `Reaches ${network.join(', ')} from the sandbox`
  return { ...facts, subjects: [...facts.subjects, ...hosts], reason }
}

async function runCommand(
  { command, work_dir, timeout }: Input,
  { unsandboxed, network }: Wishes,
  sandboxed: boolean,
  context: ToolContext,
): Promise<ToolResult> {
  const cwd = resolvePath(work_dir, context.cwd)
  await requireFolder(cwd)
  const python = await pythonEnvironment(command, context)
  const env = { ...python.env, ...NON_INTERACTIVE }
  const bounds = sandboxed && !unsandboxed ? await wrapCommand(command, { cwd, env, network }, context) : null
  const output = new CommandOutput(context)
  let outcome: ShellOutcome
  try {
    outcome = await runShell({
      command,
      cwd,
      env,
      wrapped: bounds?.wrapped,
      timeout_ms: Math.ceil(timeout * 1000),
      signal: context.signal,
      onData: (chunk, stream) => output.add(chunk, stream),
    })
  } finally {
    await output.end()
    await bounds?.ended()
  }
  if (outcome.exit_code === 0) await python.installed()
  const { text, spill } = output.render()
  const { exit_code, signal } = outcome
  const timed_out = outcome.ended_by === 'timeout'
  const ok = outcome.ended_by === 'exit' && exit_code === 0
  const denied = ok ? [] : (bounds?.explain(outcome, text) ?? [])
  return {
    output: [text, ...statusLines(outcome, timeout), ...denied].join('\n'),
    ok,
    details: { kind: 'command', command, cwd, exit_code, signal, timed_out },
    spill,
  }
}

async function requireFolder(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) return
  } catch (error) {
    throw await fileProblem(error, path)
  }
  throw new UserError('not_a_directory', `work_dir ${path} is a file, not a folder.`)
}

function statusLines(outcome: ShellOutcome, timeout: number): string[] {
  const lines: string[] = []
  if (outcome.ended_by === 'abort') {
    lines.push('Interrupted by the user: the command and everything it started were stopped.')
  } else if (outcome.ended_by === 'timeout') {
    lines.push(
      `Timed out after ${timeout} s: the command and everything it started were stopped. For longer work raise timeout ` +
        `(up to ${MAX_TIMEOUT_S}), or start it with nohup COMMAND > run.log 2>&1 & and look at run.log with later calls.`,
    )
  } else if (outcome.signal !== null) {
    lines.push(`Ended by signal ${outcome.signal}${outcome.signal === 'SIGKILL' ? ` (${OUT_OF_MEMORY})` : ''}.`)
  }
  if (outcome.exit_code !== null && outcome.exit_code !== 0) {
    // A shell reports a command ended by signal N as 128 + N; 9 is SIGKILL.
    lines.push(`Exit code: ${outcome.exit_code}${outcome.exit_code === 137 ? ` (killed; ${OUT_OF_MEMORY})` : ''}`)
  }
  if (outcome.pipes_held) {
    lines.push(
      'Note: the shell has ended, but a background process it started still runs and holds its output, which is no longer ' +
        'read. Start background work with nohup COMMAND > FILE 2>&1 & to keep it running and its output readable.',
    )
  }
  return lines
}

const OUT_OF_MEMORY = 'often the system ran out of memory'

/** What becomes of a command's output: live to the terminal, cut for the model, and whole to a file when it is long. */
class CommandOutput {
  readonly #live: LiveLog
  readonly #window = new OutputWindow()
  readonly #spill: SpillWriter
  /** One for both streams, in the order they are written to the file. */
  readonly #redactor: ByteRedactor
  readonly #streams: Record<OutputStream, StreamParts>
  #kept: SpillResult | null = null

  constructor(context: ToolContext) {
    this.#live = new LiveLog(context.log)
    this.#spill = new SpillWriter(context.outputs_dir, `bash-${context.call_id}`)
    this.#redactor = new ByteRedactor(context.secrets)
    this.#streams = { stdout: newStream(context), stderr: newStream(context) }
  }

  add(chunk: Buffer, stream: OutputStream): Promise<void> | undefined {
    return this.#take(this.#streams[stream].splitter.push(chunk), stream)
  }

  async end(): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#take(this.#streams[stream].splitter.end(), stream)
      this.#show(this.#streams[stream].redactor.flush(), stream)
      this.#window.add(this.#streams[stream].stripper.end())
    }
    this.#spill.push(this.#redactor.flush())
    this.#live.end()
    this.#kept = await this.#spill.finish(this.#window.truncated)
  }

  render(): Pick<ToolResult, 'spill'> & { text: string } {
    const kept = this.#kept
    const { text, omitted } = this.#window.render((left) => {
      const where = kept ? whereIsTheRest(kept) : `It could not be kept: ${messageOf(this.#spill.error)}.`
      return `\n\n[${left} of ${this.#window.total} characters are left out here. ${where}]\n\n`
    })
    const shown = text.trim() === '' ? '(no output)' : text.replace(/\r?\n$/, '')
    const spill = kept ? { file: kept.file, bytes: kept.bytes, omitted_chars: omitted } : undefined
    return { text: shown, spill }
  }

  #take(bytes: Buffer, stream: OutputStream): Promise<void> | undefined {
    if (bytes.length === 0) return undefined
    // Before anything is cut out of the middle: half a key would not be known as one.
    this.#show(this.#streams[stream].redactor.push(bytes.toString('utf8')), stream)
    return this.#spill.push(this.#redactor.push(bytes))
  }

  #show(text: string, stream: OutputStream): void {
    this.#live.push(text, stream)
    this.#window.add(this.#streams[stream].stripper.push(text))
  }
}

interface StreamParts {
  splitter: Utf8Splitter
  redactor: StreamRedactor
  stripper: AnsiStripper
}

function newStream({ secrets }: ToolContext): StreamParts {
  return { splitter: new Utf8Splitter(), redactor: new StreamRedactor(secrets), stripper: new AnsiStripper() }
}

function whereIsTheRest({ path, bytes, capped }: SpillResult): string {
  const what = capped ? `The first ${formatBytes(bytes)} are` : `The whole output (${formatBytes(bytes)}) is`
  return `${what} in ${path}: search it with grep, or read parts of it with the read tool (offset, limit).`
}
