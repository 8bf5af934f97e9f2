import { EXIT, UserError, type UserErrorCode } from '../../errors'
import { type Command, parseCommand } from './args'
import type { CliIo } from './io'

/**
 * The whole command line but the process around it. Returns the exit code and never rejects. Each command's code is
 * loaded when it is asked for, so that a short run loads nothing else.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    return await dispatch(parseCommand(argv), io)
  } catch (error) {
    return report(error, io)
  }
}

async function dispatch(command: Command, io: CliIo): Promise<number> {
  switch (command.name) {
    case 'help': {
      const { HELP } = await import('./help')
      io.stdout.write(HELP)
      return EXIT.finished
    }
    case 'version':
      io.stdout.write(`${io.version}\n`)
      return EXIT.finished
    case 'window': {
      // Something is piped in: that is the prompt.
      if (io.stdin.isTTY !== true && command.open) {
        const { runPrompt } = await import('./run')
        const { cwd, config } = command
        return runPrompt(io, {
          name: 'run',
          prompt: null,
          continue: false,
          streaming: true,
          output_format: 'text',
          cwd,
          config,
        })
      }
      const { runServe } = await import('./serve')
      return runServe(io, command)
    }
    case 'serve': {
      const { runServe } = await import('./serve')
      return runServe(io, command)
    }
    case 'run': {
      const { runPrompt } = await import('./run')
      return runPrompt(io, command)
    }
    case 'chat': {
      const { runChat } = await import('../chat/run-chat')
      return runChat(io, command)
    }
    case 'demo': {
      const { runDemo } = await import('./run')
      return runDemo(io, command)
    }
    case 'sessions export':
    case 'sessions fork':
    case 'sessions upload': {
      const { runTransfer } = await import('./transfer')
      return runTransfer(io, command)
    }
    case 'sessions list':
    case 'sessions show':
    case 'sessions rm': {
      const { runSessions } = await import('./sessions')
      return runSessions(io, command)
    }
    case 'sessions search': {
      const { runSearch } = await import('./search')
      return runSearch(io, command)
    }
    case 'sessions import': {
      const { runImportSessions } = await import('./import')
      return runImportSessions(io, command)
    }
    case 'config import': {
      const { runImportConfig } = await import('./import')
      return runImportConfig(io, command)
    }
    case 'doctor': {
      const { runDoctorCommand } = await import('./doctor-command')
      return runDoctorCommand(io, command)
    }
  }
}

/** Errors that another command line, configuration or key would have avoided. */
const USAGE_CODES: ReadonlySet<UserErrorCode> = new Set<UserErrorCode>([
  'usage',
  'config',
  'no_credentials',
  'unknown_model',
  'not_found',
  'not_a_directory',
  'permission',
  'session_not_found',
])

function report(error: unknown, io: CliIo): number {
  const debug = io.env.ML_INTERN_LOG === 'debug'
  if (error instanceof UserError) {
    io.stderr.write(`ml-intern: ${error.message}\n${error.remedy ? `  ${error.remedy}\n` : ''}`)
    if (debug) io.stderr.write(`${error.stack ?? ''}\n${error.cause ? `Cause: ${String(error.cause)}\n` : ''}`)
    return USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.failed
  }
  const text = error instanceof Error ? error.message : String(error)
  io.stderr.write(`ml-intern: internal error: ${text}\n`)
  if (debug && error instanceof Error) io.stderr.write(`${error.stack ?? ''}\n`)
  else io.stderr.write('  This is a defect: please report it, with the output of ML_INTERN_LOG=debug.\n')
  return EXIT.failed
}
