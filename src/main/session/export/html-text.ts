import { Marked, type Tokens } from 'marked'

/** Larger texts are rendered in parts, so that no part holds the event loop for long. In characters. */
const PART_CHARS = 8_000
/** A part that has no place to be cut in this many characters is shown as it is written. */
const MAX_PART_CHARS = 32_000
/** The parser looks for addresses in a time that grows with the square of a word: 200 ms for 16,000 characters. */
const MAX_WORD_CHARS = 2_000

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** For text and for quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char)
}

/** The address of a link that may stay one; null: it is shown as its text. */
export function safeLink(href: string): string | null {
  if (!/^(?:https?:\/\/|mailto:)/i.test(href) || !URL.canParse(href)) return null
  return new URL(href).href
}

function link(href: string, inner: string, title: string): string {
  const address = safeLink(href)
  if (address === null) return inner
  return `<a href="${escapeHtml(address)}" rel="noopener noreferrer" title="${escapeHtml(title || address)}">${inner}</a>`
}

const marked = new Marked({
  gfm: true,
  async: false,
  renderer: {
    // `<br>` is the one tag that models need, in table cells. All other HTML is shown as it is written.
    html: ({ text }: Tokens.HTML | Tokens.Tag) => (/^<br\s*\/?>$/i.test(text.trim()) ? '<br>' : escapeHtml(text)),
    link({ href, title, tokens }: Tokens.Link) {
      return link(href, this.parser.parseInline(tokens), title ?? '')
    },
    // An image would be fetched from wherever the text says, and tell there that the page was opened.
    image: ({ href, text }: Tokens.Image) => {
      const name = `Image: ${escapeHtml(text || 'without a description')}`
      return `<span class="image">${link(href, name, '')}</span>`
    },
    code: ({ text, lang }: Tokens.Code) => {
      const language = lang?.match(/^[\w+#.-]{1,30}/)?.[0] ?? ''
      const label = language ? ` data-language="${escapeHtml(language)}"` : ''
      return `<pre${label}><code>${escapeHtml(text)}</code></pre>\n`
    },
    checkbox: ({ checked }: Tokens.Checkbox) => (checked ? '☑ ' : '☐ '),
  },
})

/** Markdown of a model as HTML that loads nothing and runs nothing, part by part. */
export function* markdownHtml(text: string): Generator<string> {
  for (const part of splitMarkdown(text)) yield render(part)
}

function render(text: string): string {
  const word = (given: string): boolean => given.length > MAX_WORD_CHARS
  if (text.length > MAX_PART_CHARS || text.split(/\s+/).some(word)) return asWritten(text)
  try {
    return marked.parse(text, { async: false })
  } catch (error) {
    // Thousands of quotes in each other exceed the stack; whatever it is, the text itself is not lost.
    if (error instanceof Error) return asWritten(text)
    throw error
  }
}

function asWritten(text: string): string {
  return `<pre class="plain">${escapeHtml(text)}</pre>\n`
}

/** Cut where a paragraph begins at the margin: not inside a code block, a list, a quote or a table. */
export function splitMarkdown(text: string): string[] {
  if (text.length <= PART_CHARS) return [text]
  const parts: string[] = []
  let start = 0
  let fence = ''
  let blank = false
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    const next = newline < 0 ? text.length : newline + 1
    // The beginning of a line is all that matters.
    const line = text.slice(at, Math.min(next, at + 80))
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (mark && fence === '') fence = mark
    else if (mark?.startsWith(fence) && /^\s*[`~]+\s*$/.test(line)) fence = ''
    else if (
      fence === '' &&
      blank &&
      at - start >= PART_CHARS &&
      /^(?:#{1,6} |[A-Za-z"'(*_`[])/.test(line) &&
      !/^[*] /.test(line)
    ) {
      parts.push(text.slice(start, at))
      start = at
    }
    blank = line.trim() === ''
    at = next
  }
  return [...parts, text.slice(start)]
}
