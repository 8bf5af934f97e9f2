import { spawn } from 'node:child_process'

/** Milliseconds; compiling a file of a megabyte takes a fraction of it. */
const LIMIT_MS = 5000
/** Characters; larger sources are not checked. */
const MAX_SOURCE_CHARS = 1_000_000

/** Prints the line and the message of a syntax error, and nothing for a valid source. */
const CHECKER = `
import sys, warnings
warnings.simplefilter('ignore')
try:
    compile(sys.stdin.buffer.read(), '<file>', 'exec', dont_inherit=True)
except SyntaxError as e:
    sys.stdout.buffer.write(f'{e.lineno or 1}:{e.msg}'.encode())
except ValueError as e:
    sys.stdout.buffer.write(f'1:{e}'.encode())
`

/** Configurations whose result is lost with the machine it was trained on unless it is pushed. */
const TRAINING_CONFIG =
  /\b(?:(?:SFT|DPO|GRPO|KTO|ORPO|CPO|PPO|RLOO|Reward|PRM|BCO|GKD|OnlineDPO)Config|(?:Seq2Seq)?TrainingArguments)\s*\(/

interface CheckOptions {
  env: NodeJS.ProcessEnv
  signal: AbortSignal
}

/** Advice on a Python file that was just written: a syntax error, or else a training run that saves nothing. */
export async function pythonWarnings(source: string, options: CheckOptions): Promise<string[]> {
  const syntax = await pythonSyntaxWarning(source, options)
  return syntax === null ? trainingWarnings(source) : [syntax]
}

export function trainingWarnings(source: string): string[] {
  if (!TRAINING_CONFIG.test(source)) return []
  const warnings: string[] = []
  if (!source.includes('push_to_hub')) {
    warnings.push("Training script warning: no 'push_to_hub' found — model may be lost when job ends")
  }
  if (!source.includes('hub_model_id')) warnings.push("Training script warning: no 'hub_model_id' found")
  return warnings
}

/** What the installed python3 says about a source; null when it is valid, or when there is no Python to ask. */
export async function pythonSyntaxWarning(source: string, options: CheckOptions): Promise<string | null> {
  if (source.length > MAX_SOURCE_CHARS) return null
  const answer = await runChecker(source, options)
  const [, line, message] = /^(\d+):(.*)/s.exec(answer) ?? []
  return line === undefined ? null : `Python syntax error at line ${line}: ${message ?? ''}`
}

/** Empty when Python is missing, fails, or takes too long: the check is advice, not a condition. */
function runChecker(source: string, { env, signal }: CheckOptions): Promise<string> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve('')
    const python = process.platform === 'win32' ? 'python' : 'python3'
    const child = spawn(python, ['-I', '-S', '-c', CHECKER], {
      env,
      signal,
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    })
    const pieces: Buffer[] = []
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    // No python3, or aborted: no advice.
    child.on('error', () => resolve(''))
    child.on('close', (code) => resolve(code === 0 ? Buffer.concat(pieces).toString('utf8') : ''))
    // It may end before it has read everything (EPIPE); `close` tells how.
    child.stdin.on('error', () => child.stdin.destroy())
    child.stdin.end(source)
  })
}
