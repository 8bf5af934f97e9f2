import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { exportSession } from '../../../src/main/session/export'
import { markdownHtml, safeLink, splitMarkdown } from '../../../src/main/session/export/html-text'
import { makeEvent, SESSION, userMessage } from '../../support/log-events'
import { sampleLog } from '../../support/sample-log'

const rendered = (text: string): string => [...markdownHtml(text)].join('')

async function page(events: Parameters<typeof foldEvents>[1]): Promise<string> {
  let text = ''
  const state = foldEvents(initialState(SESSION), events)
  for await (const piece of exportSession({ state, log_file: '', secrets: [] }, 'html')) text += piece
  return text
}

/** Every tag of the page, without its attributes' values. */
function tags(html: string): Set<string> {
  return new Set(Array.from(html.matchAll(/<([a-z][a-z0-9]*)/gi), ([, name]) => (name ?? '').toLowerCase()))
}

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<iframe src="https://evil.example"></iframe>',
  '</pre></details></main><style>*{display:none}</style>',
  '<svg/onload=alert(1)>',
  '" onmouseover="alert(1)',
  '<meta http-equiv=refresh content=0>',
].join('\n\n')

describe('text of a model as HTML', () => {
  it('shows raw HTML as text, inside paragraphs too, and keeps only line breaks', () => {
    const html = rendered(`${HOSTILE}\n\ntext <b onclick=x>bold</b> and <br> end`)
    expect([...tags(html)].sort()).toEqual(['br', 'p'])
    expect(html).toContain('&lt;script&gt;')
    expect(html).not.toMatch(/<[^>]*\son\w+=/i)
  })

  it('loads no image: it is named, and its address is a link', () => {
    const html = rendered('![a "chart"](https://evil.example/x.png "t") ![](data:image/png;base64,AAAA)')
    expect(html).not.toContain('<img')
    expect(html).not.toContain('src=')
    expect(html).toContain('Image: a &quot;chart&quot;')
    expect(html).toContain('rel="noopener noreferrer"')
    expect(html).not.toContain('data:image')
  })

  it.each([
    ['javascript:alert(1)'],
    ['JaVaScRiPt:alert(1)'],
    ['&#106;avascript:alert(1)'],
    ['data:text/html,x'],
    ['file:///etc/passwd'],
    ['//evil.example'],
    ['train.py'],
    ['vbscript:x'],
  ])('makes no link of %s', (href) => {
    expect(rendered(`[here](<${href}>)`)).not.toContain('href')
    expect(rendered(`[here](<${href}>)`)).toContain('here')
  })

  it('keeps links to the web and to mail, with nothing that breaks out of the attribute', () => {
    expect(rendered('[a](https://x.example/?a=1&b=2)')).toContain('href="https://x.example/?a=1&amp;b=2"')
    expect(rendered('<mailto:me@x.example>')).toContain('href="mailto:me@x.example"')
    expect(rendered('[a](https://x.example "t\\" onclick=\\"x")')).not.toMatch(/" onclick="/)
    expect(safeLink('https://')).toBeNull()
  })

  it('does not let the name of a language leave its attribute', () => {
    expect(rendered('```py"onload="x\n1 < 2\n```')).toBe('<pre data-language="py"><code>1 &lt; 2</code></pre>\n')
  })

  it('shows what would exhaust the parser as it is written', () => {
    for (const text of ['>'.repeat(5_000), 'a.'.repeat(20_000)]) {
      expect(rendered(text)).toMatch(/^<pre class="plain">/)
    }
  })
})

describe('a long text in parts', () => {
  it('loses nothing and cuts no code block, list or table', () => {
    const blocks = [
      'A paragraph.\n\n',
      '```py\nx = 1\n\nA line in code\n\n```\n\n',
      '- one\n\n  more of one\n\n- two\n\n',
      '| a | b |\n|---|---|\n| 1 | 2 |\n\n',
    ]
    const text = blocks.join('').repeat(400)
    const parts = splitMarkdown(text)
    expect(parts.length).toBeGreaterThan(3)
    expect(parts.join('')).toBe(text)
    for (const part of parts) expect((part.match(/^```/gm) ?? []).length % 2).toBe(0)
    expect(rendered(text)).toBe(blocks.map(rendered).join('').repeat(400))
  })

  it('keeps a code block whole that never ends', () => {
    const text = `${'Text.\n\n'.repeat(2_000)}\`\`\`\n${'code\n\n'.repeat(3_000)}`
    const parts = splitMarkdown(text)
    expect(parts.at(-1)).toMatch(/```\n(?:code\n\n){3000}$/)
  })
})

describe('the page', () => {
  it('allows nothing to be loaded or to run, whatever the session holds', async () => {
    const tool = { tool: HOSTILE, tool_call_id: 'c1' }
    const html = await page([
      makeEvent(1, 'session_update', { title: HOSTILE, cwd: HOSTILE, model: HOSTILE }),
      userMessage(2, HOSTILE),
      makeEvent(3, 'plan_update', { plan: [{ id: '1', content: HOSTILE, status: 'pending' }] }),
      makeEvent(4, 'assistant_message', {
        id: 'a',
        content: HOSTILE,
        blocks: [{ type: 'reasoning', text: HOSTILE }],
        model: HOSTILE,
        stop_reason: 'x',
      }),
      makeEvent(5, 'tool_call', { ...tool, arguments: { [HOSTILE]: HOSTILE }, intent: HOSTILE }),
      makeEvent(6, 'tool_output', {
        ...tool,
        output: HOSTILE,
        success: false,
        duration_ms: 1,
        spill: { file: HOSTILE, bytes: 1, omitted_chars: 1 },
        details: {
          kind: 'diff',
          path: HOSTILE,
          patch: `+${HOSTILE}`,
          added: 1,
          removed: 0,
          created: true,
          truncated: true,
        },
      }),
      makeEvent(7, 'guard', { kind: HOSTILE, content: HOSTILE }),
      makeEvent(8, 'error', { error: HOSTILE, code: HOSTILE, remedy: HOSTILE }),
    ])
    const found = tags(html)
    for (const tag of ['script', 'img', 'iframe', 'svg', 'link', 'object', 'form', 'base'])
      expect(found).not.toContain(tag)
    expect(html.match(/<style/g)).toHaveLength(1)
    expect(html.match(/<meta/g)).toHaveLength(5)
    expect(html).not.toMatch(/<[^>]*\son\w+=/i)
    expect(html).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"`,
    )
    expect(html).not.toMatch(/url\(|@import/)
    expect(html.match(/<details/g)).toHaveLength(html.match(/<\/details>/g)?.length ?? 0)
  })

  it('has everything a session can hold, and its elements are closed', async () => {
    const html = await page(sampleLog())
    for (const text of [
      'Train a classifier\non data.csv',
      'Accuracy 0.97.',
      'head data.csv',
      'line 0\nline 1',
      'Stopped by you',
    ]) {
      expect(html).toContain(text)
    }
    for (const tag of ['div', 'section', 'article', 'details', 'pre', 'span', 'table', 'aside', 'main']) {
      const open = html.match(new RegExp(`<${tag}[ >]`, 'g'))?.length ?? 0
      expect(`${tag} ${html.match(new RegExp(`</${tag}>`, 'g'))?.length ?? 0}`).toBe(`${tag} ${open}`)
    }
    expect(html).toContain('prefers-color-scheme: dark')
    expect(html).toContain('@media print')
  })

  it('shows output of a program without its control sequences', async () => {
    const esc = String.fromCharCode(27)
    const html = await page([
      makeEvent(1, 'tool_output', {
        tool: 'bash',
        tool_call_id: 'c',
        output: `${esc}[31mred${esc}[0m\r\nnext`,
        success: true,
        duration_ms: 1,
      }),
    ])
    expect(html).toContain('<pre class="output">red\nnext</pre>')
  })

  it('says so when nothing was said', async () => {
    expect(await page([])).toContain('Nothing was said yet.')
  })
})
