import {
  createCssVariablesTheme,
  createHighlighterCore,
  type GrammarState,
  type HighlighterCore,
  type ThemedToken,
} from 'shiki/core'
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript'
import bash from 'shiki/langs/bash.mjs'
import diff from 'shiki/langs/diff.mjs'
import json from 'shiki/langs/json.mjs'
import markdown from 'shiki/langs/markdown.mjs'
import python from 'shiki/langs/python.mjs'
import toml from 'shiki/langs/toml.mjs'
import typescript from 'shiki/langs/typescript.mjs'
import yaml from 'shiki/langs/yaml.mjs'
import { TOKEN_KINDS, type TokenLine, type WorkerReply, type WorkerRequest } from './protocol'

/**
 * Colours code away from the window's thread: compiling a grammar alone takes longer than a frame. The colours are
 * CSS variables, so a change of theme needs no second pass.
 */
const theme = 'css-variables'
const highlighter: Promise<HighlighterCore> = createHighlighterCore({
  themes: [createCssVariablesTheme({ name: theme, fontStyle: false })],
  langs: [bash, diff, json, markdown, python, toml, typescript, yaml],
  // Plain JavaScript regular expressions: the WebAssembly engine would need a weaker content security policy.
  engine: createJavaScriptRegexEngine({ forgiving: true }),
})

const kindOfVariable: Record<string, (typeof TOKEN_KINDS)[number]> = {
  'token-keyword': 'keyword',
  'token-string': 'string',
  'token-string-expression': 'string',
  'token-comment': 'comment',
  'token-constant': 'constant',
  'token-function': 'function',
  'token-parameter': 'parameter',
  'token-link': 'link',
  'token-inserted': 'added',
  'token-deleted': 'removed',
}

/** Grammar states before each leaf, by block: a block that grows is coloured on from where it was. */
const states = new Map<number, GrammarState[]>()

self.addEventListener('message', (event: MessageEvent<WorkerRequest>) => {
  const request = event.data
  if (request.type === 'forget') states.delete(request.block)
  else void colour(request)
})

async function colour({ block, lang, first, leaves }: Extract<WorkerRequest, { type: 'colour' }>): Promise<void> {
  const core = await highlighter
  const known = states.get(block) ?? []
  states.set(block, known)
  for (const [i, text] of leaves.entries()) {
    const leaf = first + i
    const tokens = core.codeToTokensBase(text, { lang, theme, grammarState: known[leaf], tokenizeMaxLineLength: 2_000 })
    const after = core.getLastGrammarState(tokens)
    if (after) known[leaf + 1] = after
    reply({ type: 'leaf', block, leaf, lines: tokens.map(compact) })
  }
  reply({ type: 'done', block })
}

function compact(line: ThemedToken[]): TokenLine {
  const result: TokenLine = []
  for (const { content, color } of line) {
    const variable = /^var\(--shiki-([a-z-]+)/.exec(color ?? '')?.[1] ?? ''
    const kind = TOKEN_KINDS.indexOf(kindOfVariable[variable] ?? '')
    const last = result.at(-1)
    // White space has no colour: it joins whatever is before it.
    if (last && (last[0] === kind || content.trim() === '')) last[1] += content
    else result.push([kind, content])
  }
  return result
}

function reply(message: WorkerReply): void {
  self.postMessage(message)
}
