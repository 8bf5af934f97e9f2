import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type FakeAnthropic, type Script, startFakeAnthropic } from '../support/fake-anthropic'

/**
 * Measures the built command line as whole processes against a model on loopback, and prints medians with their range.
 * Targets: docs/PERFORMANCE.md. Usage: npm run bench [-- NAME ...] [--runs N]
 */
const root = resolve(process.env.BENCH_ROOT ?? '.')
const cli = join(root, 'out/main/cli.js')
const KEY = 'sk-ant-bench-0000000000000000'

interface Run {
  wallMs: number
  /** Highest resident set of the process, MB (getrusage). */
  peakMb: number
}

const text = (value: string, chunks = 1) => ({ blocks: [{ type: 'text' as const, text: value, chunks }] })

async function measure(server: FakeAnthropic, folder: string): Promise<Run> {
  const report = join(folder, 'usage')
  // Written when the process ends: no sampling that would disturb what it measures.
  const probe = join(folder, 'probe.mjs')
  await writeFile(
    probe,
    `import { writeFileSync } from 'node:fs'\nprocess.on('exit', () => writeFileSync(${JSON.stringify(report)}, String(process.resourceUsage().maxRSS)))\n`,
  )
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', probe, cli, 'Say hello', '--output-format', 'stream-json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      ML_INTERN_HOME: join(folder, 'home'),
      ANTHROPIC_API_KEY: KEY,
      ANTHROPIC_BASE_URL: server.url,
    },
  })
  let errors = ''
  child.stdout.resume()
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    errors += piece
  })
  const [code] = (await once(child, 'close')) as [number]
  const wallMs = performance.now() - started
  if (code !== 0) throw new Error(`the command line exited with ${code}: ${errors}`)
  return { wallMs, peakMb: Number(await readFile(report, 'utf8')) / 1024 }
}

async function runs(
  count: number,
  script: () => Script,
  after?: (server: FakeAnthropic) => Promise<void>,
): Promise<Run[]> {
  const results: Run[] = []
  // The first run warms the file cache and is not counted.
  for (let i = 0; i <= count; i++) {
    const folder = await mkdtemp(join(tmpdir(), 'ml-intern-bench-'))
    const server = await startFakeAnthropic(script())
    const result = await measure(server, folder)
    await after?.(server)
    await server.close()
    await rm(folder, { recursive: true, force: true })
    if (i > 0) results.push(result)
  }
  return results
}

function row(name: string, values: number[], unit: string, target: number): void {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
  const median = at(0.5)
  const verdict = median <= target ? 'reached' : 'MISSED'
  const digits = unit === 's' ? 3 : 1
  const range = `${at(0).toFixed(digits)}–${at(1).toFixed(digits)}`
  const share = `${(median / target).toFixed(2)}×`
  console.log(
    `${name.padEnd(44)} ${median.toFixed(digits).padStart(8)} ${unit.padEnd(3)} ${range.padStart(16)}  target ${target} ${unit}  ${share}  ${verdict}`,
  )
}

const benches: Record<string, (count: number) => Promise<void>> = {
  async 'short-reply'(count) {
    const results = await runs(count, () => [text('Hello. I am ready.')])
    row(
      'one short reply, whole process',
      results.map((r) => r.wallMs / 1000),
      's',
      0.4,
    )
    row(
      'one short reply, peak resident memory',
      results.map((r) => r.peakMb),
      'MB',
      110,
    )
  },
  async 'tool-turns'(count) {
    const gaps: number[] = []
    for (let run = 0; run <= Math.max(1, Math.floor(count / 3)); run++) {
      const arrived: number[] = []
      const over: number[] = []
      const script: Script = (request) => {
        arrived[request.index] = performance.now()
        void request.closed.then(() => {
          over[request.index] = performance.now()
        })
        if (request.index === 40) return text('Done.')
        // Each one different: forty equal steps would earn a note from the guard against loops.
        const input = { command: `echo ${request.index}`, description: 'say a number' }
        return { blocks: [{ type: 'tool_use', name: 'bash', input }] }
      }
      await runs(0, () => script)
      if (run > 0) for (let i = 1; i <= 40; i++) gaps.push((arrived[i] ?? 0) - (over[i - 1] ?? 0))
    }
    row('tool turn (echo), 40 in a row, server side', gaps, 'ms', 8)
  },
  async 'long-reply'(count) {
    const size = 203_000
    const results = await runs(count, () => [text('lorem ipsum dolor '.repeat(size / 18), 10_145)])
    row(
      '203 kB reply in 10,145 chunks, whole process',
      results.map((r) => r.wallMs / 1000),
      's',
      0.6,
    )
    row(
      '203 kB reply, peak resident memory',
      results.map((r) => r.peakMb),
      'MB',
      150,
    )
  },
}

const args = process.argv.slice(2)
const at = args.indexOf('--runs')
const count = at >= 0 ? Number(args[at + 1]) : 15
const names = args.filter((arg, i) => !arg.startsWith('--') && i !== at + 1)
if (!Number.isInteger(count) || count < 1) throw new Error('--runs takes a whole number from 1')
console.log(`Node ${process.version}, ${availableParallelism()} cores, ${count} runs, median (fastest–slowest)\n`)
for (const [name, bench] of Object.entries(benches)) {
  if (names.length === 0 || names.includes(name)) await bench(count)
}
