import { memo, type ReactNode } from 'react'
import {
  type Components,
  defaultRehypePlugins,
  defaultRemarkPlugins,
  type ExtraProps,
  Streamdown,
  type StreamdownProps,
} from 'streamdown'
import { CodeBlock } from './CodeBlock'
import { blockImages, breakTags, safeLink } from './markdown-rules'

type RehypePlugins = NonNullable<StreamdownProps['rehypePlugins']>
type RemarkPlugins = NonNullable<StreamdownProps['remarkPlugins']>

/**
 * What a model writes is data. HTML is shown as text, images are never loaded (their address alone would carry data
 * out), links exist for http and https only and show where they lead.
 */
const rehypePlugins: RehypePlugins = [
  pluginOf(defaultRehypePlugins.sanitize),
  blockImages,
  [
    functionOf(defaultRehypePlugins.harden),
    {
      allowedLinkPrefixes: ['*'],
      allowedImagePrefixes: [],
      allowedProtocols: [],
      allowDataImages: false,
      linkBlockPolicy: 'text-only',
      imageBlockPolicy: 'text-only',
    },
  ],
]
const remarkPlugins: RemarkPlugins = [pluginOf(defaultRemarkPlugins.gfm), breakTags]

type Pluggable = RehypePlugins[number]

function pluginOf(plugin: Pluggable | undefined): Pluggable {
  if (!plugin) throw new Error('streamdown no longer brings the plugin the reply view relies on')
  return plugin
}

function functionOf(plugin: Pluggable | undefined): Extract<Pluggable, (...args: never[]) => unknown> {
  const first = Array.isArray(plugin) ? plugin[0] : plugin
  if (typeof first !== 'function') throw new Error('streamdown no longer brings the plugin the reply view relies on')
  return first
}

const components: Components = {
  ...plainTags(),
  a: ({ href, children }) => {
    const target = safeLink(href)
    return target === null ? (
      <span>{children}</span>
    ) : (
      <a href={target} target="_blank" rel="noopener noreferrer" title={target}>
        {children}
      </a>
    )
  },
  img: ({ alt }) => <BlockedImage alt={alt ?? ''} source="" />,
  'blocked-image': ({ alt, source }) => <BlockedImage alt={String(alt ?? '')} source={String(source ?? '')} />,
  table: ({ children }) => (
    <div className="table-scroll">
      <table>{children}</table>
    </div>
  ),
  // Fences inside lists and quotations; all others are pieces of their own.
  pre: ({ node }) => {
    const code = node?.children[0]
    if (code?.type !== 'element') return null
    const name = classNames(code.properties.className).find((c) => c.startsWith('language-'))
    return <CodeBlock code={textOf(code).replace(/\n$/, '')} lang={name?.slice('language-'.length) ?? ''} />
  },
}

/** Plain elements, styled by chat.css, instead of the library's own look. */
function plainTags(): Components {
  const tags = [
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'p',
    'ul',
    'ol',
    'li',
    'blockquote',
    'hr',
    'strong',
    'code',
  ] as const
  const more = ['sup', 'sub', 'section', 'thead', 'tbody', 'tr', 'th', 'td'] as const
  return Object.fromEntries([...tags, ...more].map((tag) => [tag, tag]))
}

type HastElement = NonNullable<ExtraProps['node']>

function textOf(node: HastElement): string {
  return node.children
    .map((child) => (child.type === 'text' ? child.value : child.type === 'element' ? textOf(child) : ''))
    .join('')
}

function classNames(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function BlockedImage({ alt, source }: { alt: string; source: string }): ReactNode {
  return (
    <span className="blocked-image" title={source || undefined}>
      <span className="text-ink-3">Image not loaded:</span> {alt || source || 'without a description'}
    </span>
  )
}

interface MarkdownProps {
  text: string
  /** The text is still being written: half-finished marks at its end are completed for drawing. */
  growing?: boolean
}

/** One piece of a reply (see segments.ts). */
export const Markdown = memo(function Markdown({ text, growing = false }: MarkdownProps) {
  return (
    <Streamdown
      className="markdown"
      components={components}
      rehypePlugins={rehypePlugins}
      remarkPlugins={remarkPlugins}
      parseIncompleteMarkdown={growing}
      remend={remendOptions}
      controls={false}
    >
      {text}
    </Streamdown>
  )
})

const remendOptions: NonNullable<StreamdownProps['remend']> = { linkMode: 'text-only', images: false }
