import type { AssistantItem, NoticeItem, SessionState, ToolItem, TranscriptItem } from '@shared/state'
import { CARDS_STYLE } from './cards-style'
import { escapeHtml as h, markdownHtml } from './html-text'
import { PAGE_STYLE } from './page-style'
import type { Redact } from './redact'
import {
  duration,
  EditTracker,
  exitFacts,
  factsOf,
  oneLine,
  readable,
  spillText,
  TOOL_STATES,
  titleOf,
  USAGE_HEAD,
  unpricedText,
  usageRows,
} from './words'

/** Nothing is loaded and nothing runs, whatever a conversation holds. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
const PLAN_WORDS = { pending: 'to do', in_progress: 'in progress', completed: 'done' } as const

/** One page that reads like the window's transcript: no network, no script, light and dark, fit for paper. */
export function* html(state: SessionState, redact: Redact): Generator<string> {
  const head = redact.head(state)
  const title = titleOf(head)
  yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
  yield `<meta http-equiv="Content-Security-Policy" content="${POLICY}">\n`
  yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
  yield '<meta name="color-scheme" content="light dark">\n'
  yield `<title>${h(title)} · ML Intern</title>\n<style>\n${PAGE_STYLE}${CARDS_STYLE}</style>\n</head>\n<body>\n<main>\n`
  yield header(head, title)
  yield* plan(head)
  const edits = new EditTracker()
  yield '<section class="transcript" aria-label="Conversation">\n'
  let tools = false
  for (const item of state.items) {
    const shown = redact.item(item)
    const asked = edits.see(shown)
    if (shown.kind === 'tool' && !tools) yield '<div class="tools">\n'
    if (shown.kind !== 'tool' && tools && !isEmpty(shown)) yield '</div>\n'
    if (shown.kind === 'tool' || !isEmpty(shown)) tools = shown.kind === 'tool'
    yield* transcriptItem(shown, asked)
  }
  if (tools) yield '</div>\n'
  if (head.draft) {
    const { text, reasoning, started_at } = head.draft
    yield* assistant({ text, reasoning, time: started_at, note: 'unfinished' })
  }
  if (state.items.length === 0 && !head.draft) yield '<p class="quiet">Nothing was said yet.</p>\n'
  yield '</section>\n'
  yield usage(head)
  yield `<footer>Session ${h(head.id)}, exported from ML Intern. Known secrets were taken out; read it before you share it.</footer>\n`
  yield '</main>\n</body>\n</html>\n'
}

function header(state: SessionState, title: string): string {
  const rows = factsOf(state).map(({ name, value, code }) => {
    const shown = code ? `<code>${h(oneLine(value))}</code>` : /^\d{4}-\d\d-\d\dT/.test(value) ? time(value) : h(value)
    return `<div><dt>${h(name)}</dt><dd>${shown}</dd></div>`
  })
  return `<header>\n<h1>${h(title)}</h1>\n<dl>${rows.join('')}</dl>\n</header>\n`
}

function* plan({ plan: steps }: SessionState): Generator<string> {
  if (steps.length === 0) return
  const done = steps.filter(({ status }) => status === 'completed').length
  yield `<section class="plan" aria-label="Plan">\n<h2>Plan <span class="quiet">${done} of ${steps.length}</span></h2>\n<ol>\n`
  for (const { status, content } of steps) {
    yield `<li class="${status}"><span class="box" role="img" aria-label="${PLAN_WORDS[status]}"></span>${h(oneLine(content))}</li>\n`
  }
  yield '</ol>\n</section>\n'
}

function* transcriptItem(item: TranscriptItem, asked: Record<string, unknown> | null): Generator<string> {
  switch (item.kind) {
    case 'user': {
      const note = item.source === 'steer' ? '<p class="quiet">while the turn was running</p>\n' : ''
      yield `<article class="user" aria-label="User">${time(item.time)}\n<div class="said">${h(readable(item.text).trim())}</div>\n${note}</article>\n`
      return
    }
    case 'assistant':
      if (!isEmpty(item)) yield* assistant({ ...item, note: item.partial ? 'cut off' : '' })
      return
    case 'tool':
      yield* tool(item, asked)
      return
    case 'guard':
      yield `<aside class="note guard"><strong>Guard</strong> <span class="quiet">${h(oneLine(item.guard).replaceAll('_', ' '))}, a note to the model</span><p>${h(readable(item.text))}</p></aside>\n`
      return
    case 'notice':
      yield notice(item)
  }
}

/** A reply of tool calls alone: the calls follow. */
function isEmpty(item: TranscriptItem): boolean {
  return item.kind === 'assistant' && !item.text.trim() && !item.reasoning.trim()
}

type Said = Pick<AssistantItem, 'text' | 'reasoning' | 'time'> & { note: string }

function* assistant({ text, reasoning, time: at, note }: Said): Generator<string> {
  // The time of a message from the user tells when; one before every reply would be noise.
  yield `<article class="assistant" aria-label="Assistant" title="${h(at)}">\n`
  if (reasoning.trim()) {
    yield `<details class="reasoning"><summary>Reasoning</summary><div class="said">${h(readable(reasoning).trim())}</div></details>\n`
  }
  if (text.trim()) {
    yield '<div class="prose">\n'
    yield* markdownHtml(readable(text).trim())
    yield '</div>\n'
  }
  yield `${note ? `<p class="quiet">${h(note)}</p>\n` : ''}</article>\n`
}

function* tool(item: ToolItem, asked: Record<string, unknown> | null): Generator<string> {
  const { details } = item
  const facts = exitFacts(details).filter((fact) => fact !== 'exit code 0')
  if (item.state !== 'ok') facts.unshift(TOOL_STATES[item.state])
  if (asked) facts.unshift('edited by the user')
  if (item.duration_ms !== null) facts.push(duration(item.duration_ms))
  const command = details?.kind === 'command' ? oneLine(details.command) : ''
  // The intent says what the model had asked for, and that is not what ran.
  const about = asked ? command : oneLine(item.intent) || command
  yield `<details class="tool ${item.state}"><summary><span class="state" role="img" aria-label="${TOOL_STATES[item.state]}"></span>`
  yield `<b>${h(oneLine(item.tool))}</b> <span class="about">${h(about)}</span> <span class="facts">${h(facts.join(' · '))}</span></summary>\n`
  if (asked) yield `${block('The model had asked for', JSON.stringify(asked, null, 2))}<p class="label">What ran</p>\n`
  if (details?.kind === 'command') yield block('', readable(details.command), 'command')
  else if (details?.kind === 'diff') yield `<p class="label"><code>${h(oneLine(details.path))}</code></p>\n`
  else if (Object.keys(item.arguments).length > 0) yield block('', JSON.stringify(item.arguments, null, 2))
  if (details?.kind === 'diff' && details.patch) {
    yield diff(readable(details.patch))
    if (details.truncated) yield '<p class="label">The diff is longer than what was kept.</p>\n'
  }
  if (item.has_output)
    yield item.output ? block('', readable(item.output), 'output') : '<p class="label">No output.</p>\n'
  const spill = spillText(item)
  if (spill) yield `<p class="label">${h(spill.text)} <code>${h(spill.file)}</code></p>\n`
  yield '</details>\n'
}

function block(label: string, text: string, kind = 'arguments'): string {
  const before = label ? `<p class="label">${h(label)}</p>\n` : ''
  return `${before}<pre class="${kind}">${h(text.replace(/\n$/, ''))}</pre>\n`
}

function diff(patch: string): string {
  const lines = patch
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const kind = /^(?:\+\+\+ |--- |diff |index )/.test(line)
        ? 'meta'
        : line.startsWith('@@')
          ? 'hunk'
          : line.startsWith('+')
            ? 'added'
            : line.startsWith('-')
              ? 'removed'
              : ''
      return `<span${kind ? ` class="${kind}"` : ''}>${h(line)}\n</span>`
    })
  return `<pre class="diff">${lines.join('')}</pre>\n`
}

function notice({ notice: kind, text, remedy }: NoticeItem): string {
  const after = remedy ? `<p>${h(readable(remedy))}</p>` : ''
  return `<aside class="note ${kind}"><p>${h(readable(text))}</p>${after}</aside>\n`
}

function usage(state: SessionState): string {
  if (state.usage.calls === 0) return ''
  const cells = (row: readonly string[], tag: string): string =>
    row.map((cell, at) => `<${tag}${at > 1 ? ' class="number"' : ''}>${h(cell)}</${tag}>`).join('')
  const rows = usageRows(state)
  const body = rows.slice(0, -1).map((row) => `<tr>${cells(row, 'td')}</tr>\n`)
  const unpriced = unpricedText(state)
  return (
    `<section class="usage" aria-label="Usage">\n<h2>Usage</h2>\n<div class="wide"><table>\n<thead><tr>${cells(USAGE_HEAD, 'th')}</tr></thead>\n` +
    `<tbody>${body.join('')}</tbody>\n<tfoot><tr>${cells(rows.at(-1) ?? [], 'td')}</tr></tfoot>\n</table></div>\n` +
    `${unpriced ? `<p class="quiet">${h(unpriced)}</p>\n` : ''}</section>\n`
  )
}

/** To the minute, in UTC: a page without a script does not know the reader's own clock. */
function time(iso: string): string {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(iso)) return h(iso)
  return `<time datetime="${h(iso)}">${h(`${iso.slice(0, 10)} ${iso.slice(11, 16)}`)} UTC</time>`
}
