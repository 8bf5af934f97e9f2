/** Escape sequences: CSI; OSC, DCS, SOS, PM and APC strings with their end; two-byte escapes. */
const ESCAPES = new RegExp(
  [
    '(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]',
    '(?:\\u001b[\\]PX^_]|[\\u0090\\u0098\\u009d-\\u009f])[\\s\\S]*?(?:\\u0007|\\u001b\\\\|\\u009c|$)',
    '\\u001b[ -/]*[0-~]',
  ].join('|'),
  'g',
)
/** Control characters other than newline and tab. */
const CONTROLS = /[^\P{Cc}\n\t]/gu

/**
 * Output of a command as a block of text: colours and other control sequences are taken out, and of a line that was
 * written over (progress bars) only what it ended as is left.
 */
export function plainOutput(text: string): string {
  const bare = text.replace(ESCAPES, '').replace(/\r+\n/g, '\n')
  const settled = bare.includes('\r') ? bare.replace(/^[^\n]*\r(?=[^\r\n])/gm, '').replace(/\r/g, '') : bare
  return settled.replace(CONTROLS, '')
}

/** The last `count` lines, and how many are before them. */
export function lastLines(text: string, count: number): { text: string; before: number } {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text
  let at = body.length
  for (let i = 0; i < count; i++) {
    at = body.lastIndexOf('\n', at - 1)
    if (at < 0) return { text: body, before: 0 }
  }
  let before = 1
  for (let i = body.indexOf('\n'); i >= 0 && i < at; i = body.indexOf('\n', i + 1)) before += 1
  return { text: body.slice(at + 1), before }
}

export function countLines(text: string): number {
  if (text === '') return 0
  let lines = text.endsWith('\n') ? 0 : 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}

/** Milliseconds as "12 ms", "0.4 s", "21 s", "1 min 20 s", "2 h 5 min". */
export function formatDuration(ms: number): string {
  if (ms < 100) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 9_950) return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`
  return formatSeconds(Math.round(ms / 1_000))
}

/** Whole seconds: for times that are still running, where tenths would only flicker. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return joined(minutes, 'min', Math.floor(seconds % 60), 's')
  return joined(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** Bytes as "812 B", "24 kB", "1.2 MB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  if (bytes < 999_500) return `${Math.round(bytes / 1_000)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const dayAndClock = new Intl.DateTimeFormat('en', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

/** "14:03" today, "Mar 4, 14:03" before. `now` in milliseconds since the epoch. */
export function formatTime(iso: string, now: number): string {
  const time = new Date(iso)
  if (Number.isNaN(time.getTime())) return ''
  return time.toDateString() === new Date(now).toDateString() ? clock.format(time) : dayAndClock.format(time)
}

/** A path inside the working folder without that folder. */
export function shortPath(path: string, cwd: string): string {
  const folder = cwd.endsWith('/') ? cwd : `${cwd}/`
  return cwd && path.startsWith(folder) ? path.slice(folder.length) : path
}
