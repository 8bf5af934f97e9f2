import { clsx } from 'clsx'
import { Fragment, memo, type ReactNode, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { CopyButton } from './CopyButton'
import { BlockColours } from './highlight/client'
import { LEAF_LINES, languageFor, leavesOf, TOKEN_KINDS, type TokenLine } from './highlight/protocol'

/** Leaves of longer blocks are laid out only near the screen. */
const LAZY_FROM_LEAVES = 4
/** Height of a line of code: 12 px at 1.6, as chat.css sets it. */
const LINE_PX = 19.2

interface CodeProps {
  code: string
  /** Name on the fence or extension of the file; may be unknown. */
  lang: string
  /** More is coming: the last line has no colours yet. */
  growing?: boolean
}

interface PlainCodeProps extends CodeProps {
  /** Long lines are broken instead of scrolled: nothing of them is out of sight. */
  wrap?: boolean
  className?: string
}

/** A block of code in a message: language, copy button, long lines scroll inside. */
export const CodeBlock = memo(function CodeBlock({ code, lang, growing = false }: CodeProps) {
  return (
    <figure className="group/code overflow-hidden rounded-md border border-line bg-sunken">
      <figcaption className="flex h-7.5 items-center justify-between border-b border-line pr-1 pl-3 text-xs text-ink-3">
        <span className="truncate">{lang || 'text'}</span>
        {!growing && <CopyButton text={code} label="Copy code" />}
      </figcaption>
      <Code code={code} lang={lang} growing={growing} className="px-3 py-2" />
    </figure>
  )
})

/** Coloured code without a frame. */
export const Code = memo(function Code({ code, lang, growing = false, wrap = false, className }: PlainCodeProps) {
  const leaves = useMemo(() => leavesOf(code), [code])
  const colours = useColours(leaves, lang, growing)
  return (
    <pre className={clsx('code-scroll', wrap && 'wrap-anywhere', className)}>
      <code className={wrap ? 'block' : 'block w-max min-w-full'}>{drawLeaves(leaves, colours)}</code>
    </pre>
  )
})

function drawLeaves(leaves: string[], colours: readonly TokenLine[][]): ReactNode[] {
  const lazy = leaves.length > LAZY_FROM_LEAVES
  let line = 0
  return leaves.map((text, i) => {
    const first = line
    line += LEAF_LINES
    return <Leaf key={first} text={text} lines={colours[i]} lazy={lazy} />
  })
}

function useColours(leaves: string[], lang: string, growing: boolean): readonly TokenLine[][] {
  const language = languageFor(lang)
  const [block, setBlock] = useState(() => (language ? { language, colours: new BlockColours(language) } : null))
  const stale = (block?.language ?? null) !== language
  if (stale) setBlock(language ? { language, colours: new BlockColours(language) } : null)
  const colours = block?.colours ?? null
  const known = useSyncExternalStore(colours?.subscribe ?? subscribeNothing, colours?.snapshot ?? noColours)
  useEffect(() => colours?.update(leaves, !growing), [colours, leaves, growing])
  return known
}

const subscribeNothing = () => () => {}
const empty: readonly TokenLine[][] = []
const noColours = () => empty

interface LeafProps {
  text: string
  lines: TokenLine[] | undefined
  lazy: boolean
}

const Leaf = memo(function Leaf({ text, lines, lazy }: LeafProps) {
  const rows = text.split('\n')
  const height = `${(text.endsWith('\n') ? rows.length - 1 : rows.length) * LINE_PX}px`
  const drawn: ReactNode[] = []
  let offset = 0
  for (const [i, row] of rows.entries()) {
    const tokens = lines?.[i]
    // Colours may be a step behind the text.
    drawn.push(<Fragment key={offset}>{tokens && joins(tokens, row) ? drawTokens(tokens) : row}</Fragment>)
    if (i < rows.length - 1) drawn.push('\n')
    offset += row.length + 1
  }
  return (
    <span
      className="block"
      style={lazy ? { contentVisibility: 'auto', containIntrinsicSize: `auto 100% auto ${height}` } : undefined}
    >
      {drawn}
    </span>
  )
})

function joins(tokens: TokenLine, row: string): boolean {
  let at = 0
  for (const [, text] of tokens) {
    if (!row.startsWith(text, at)) return false
    at += text.length
  }
  return at === row.length
}

function drawTokens(tokens: TokenLine): ReactNode[] {
  let at = 0
  return tokens.map(([kind, text]) => {
    const name = TOKEN_KINDS[kind]
    const key = at
    at += text.length
    return name ? (
      <span key={key} className={`hl-${name}`}>
        {text}
      </span>
    ) : (
      text
    )
  })
}
