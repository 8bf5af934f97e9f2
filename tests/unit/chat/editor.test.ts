import { emitKeypressEvents } from 'node:readline'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Editor } from '../../../src/main/hosts/chat/editor'
import { type Key, KeyReader } from '../../../src/main/hosts/chat/keys'

/** Presses what a terminal sends; `|` in `start` is the cursor. Gives the text with the cursor, and what was asked. */
function press(start: string, sent: string, history: string[] = []) {
  const editor = new Editor(history)
  const at = start.indexOf('|')
  editor.set(start.replace('|', ''), at < 0 ? undefined : at)
  const events: string[] = []
  const reader = new KeyReader((key: Key) => {
    const event = editor.key(key)
    if (event && event !== 'changed') events.push(event)
  })
  const stream = new PassThrough()
  emitKeypressEvents(stream)
  stream.on('keypress', reader.press)
  stream.emit('data', Buffer.from(sent))
  stream.removeAllListeners()
  return { shown: `${editor.text.slice(0, editor.cursor)}|${editor.text.slice(editor.cursor)}`, events, editor }
}
const ESC = '\u001b'
const [left, right, up, down] = [`${ESC}[D`, `${ESC}[C`, `${ESC}[A`, `${ESC}[B`]
const FAMILY = '👩‍👩‍👧'
const E_ACUTE = 'e\u0301'

describe('keys of the line editor', () => {
  it.each<[string, string, string, string]>([
    ['writes at the cursor', 'ab|c', 'xy', 'abxy|c'],
    ['left and right', 'abc|', `${left}${left}${right}`, 'ab|c'],
    ['left over an emoji of several parts', `a${FAMILY}|`, left, `a|${FAMILY}`],
    ['backspace takes a letter with its accent', `caf${E_ACUTE}|`, '\u007f', 'caf|'],
    ['delete takes a wide character whole', '|你好', `${ESC}[3~`, '|好'],
    ['nothing before the start', '|a', `${left}\u007f`, '|a'],
    ['Home and End', 'ab|c', `${ESC}[H<${ESC}[F>`, '<abc>|'],
    ['Ctrl+A and Ctrl+E stay in their line', 'one\ntw|o', '\u0001<\u0005>', 'one\n<two>|'],
    ['Ctrl+U to the start of the line', 'one\ntw|o', '\u0015', 'one\n|o'],
    ['Ctrl+K to its end', 'o|ne\ntwo', '\u000b', 'o|\ntwo'],
    ['Ctrl+K at its end joins', 'one|\ntwo', '\u000b', 'one|two'],
    ['Ctrl+W a word up to white space', 'rm data/x.csv  |', '\u0017', 'rm |'],
    ['Ctrl+Y puts it back', 'a b|', '\u0017\u0017\u0019', 'a |'],
    ['Alt+B and Alt+F by words', 'data/train.csv|', `${ESC}b${ESC}b<${ESC}f>`, 'data/<train>|.csv'],
    ['Ctrl+left and Ctrl+right', 'aa bb|', `${ESC}[1;5D<${ESC}[1;5C>`, 'aa <bb>|'],
    ['Alt+Enter is a new line', 'a|b', `${ESC}\r`, 'a\n|b'],
    ['Ctrl+J is a new line', 'a|', '\n', 'a\n|'],
    ['a backslash at the end is a new line', 'a\\|', '\r', 'a\n|'],
    ['up and down within the text, in the same column', 'abcd\nxy\nefgh|', `${up}<${up}>`, 'abc>|d\nxy<\nefgh'],
    ['down to a shorter line', 'abc|d\nx\n', `${down}${down}`, 'abcd\nx\n|'],
    ['a control character writes nothing', 'a|', '\u0000\u001f', 'a|'],
  ])('%s', (_name, start, sent, expected) => {
    expect(press(start, sent).shown).toBe(expected)
  })

  it.each<[string, string, string, string[]]>([
    ['Enter', 'a|', '\r', ['submit']],
    ['a backslash that is not at the end', 'a\\|b', '\r', ['submit']],
    ['Alt+Q', 'a|', `${ESC}q`, ['queue']],
    ['Ctrl+C', 'a|', '\u0003', ['interrupt']],
    ['Ctrl+D on an empty line', '|', '\u0004', ['eof']],
    ['Ctrl+D in a text deletes', '|ab', '\u0004', []],
    ['Tab', '/mo|', '\t', ['complete']],
    ['Ctrl+L', '|', '\u000c', ['clear']],
  ])('%s', (_name, start, sent, expected) => {
    expect(press(start, sent).events).toEqual(expected)
  })

  it('takes a paste as one input, its line ends as line ends, and nothing of its escape sequences', () => {
    const { shown, events } = press('a|z', `${ESC}[200~one\r\ntwo\rthree\t${ESC}[31m!${ESC}[201~b`)
    expect(shown).toBe('aone\ntwo\nthree\t!b|z')
    expect(events).toEqual([])
  })
})

describe('history', () => {
  const entries = ['train it', 'evaluate on test', 'train again']
  it('goes back and forth, and gives the unfinished text back', () => {
    expect(press('new|', up, entries).shown).toBe('train again|')
    expect(press('new|', up + up + up + up, entries).shown).toBe('train it|')
    expect(press('new|', up + up + down + down, entries).shown).toBe('new|')
  })

  it.each<[string, string, string]>([
    ['finds the newest', '\u0012trai', '|train again'],
    ['goes on to older ones', '\u0012trai\u0012', '|train it'],
    ['stays at the last when there is no older one', '\u0012trai\u0012\u0012', '|train it'],
    ['gives the text back on Ctrl+G', '\u0012trai\u0007', 'draft|'],
    ['gives the text back on Ctrl+C without asking to leave', '\u0012trai\u0003', 'draft|'],
    ['edits what was found', '\u0012test\u0005!', 'evaluate on test!|'],
    ['searches on with less', '\u0012train x\u007f\u007f', '|train again'],
  ])('search %s', (_name, sent, expected) => {
    const { shown, events } = press('draft|', sent, entries)
    expect(shown).toBe(expected)
    expect(events).toEqual([])
  })

  it('sends what was found on Enter', () => {
    expect(press('|', '\u0012eval\r', entries)).toMatchObject({ shown: '|evaluate on test', events: ['submit'] })
  })
})
