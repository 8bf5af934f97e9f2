import { describe, expect, it } from 'vitest'
import {
  argumentSuggestions,
  commandSuggestions,
  complete,
  fileSuggestions,
  typedAt,
} from '../../../src/renderer/src/features/composer/completion'

const typed = (text: string) => {
  const caret = text.indexOf('|')
  return typedAt(text.replace('|', ''), caret)
}

describe('what can be completed in the composer', () => {
  it('knows a command only at the start of the message (a path that opens the list of commands)', () => {
    expect(typed('/mo|')).toMatchObject({ kind: 'command', word: '/mo', from: 0, to: 3 })
    expect(typed('  /|')).toMatchObject({ kind: 'command', word: '/', from: 2 })
    for (const no of ['see /mo|', '/home/me/data.csv|', '//|', 'a|', '|', '/mo\n|']) expect(typed(no)).toBeNull()
  })

  it('knows the argument of a command that has values to choose from', () => {
    expect(typed('/effort hi|')).toMatchObject({ kind: 'argument', word: 'hi', from: 8, to: 10 })
    expect(typed('/model |')).toMatchObject({ kind: 'argument', word: '' })
    for (const no of ['/rename my|', '/nothing x|', '/model a b|']) expect(typed(no)).toBeNull()
  })

  it('knows a file anywhere, but no mail address', () => {
    expect(typed('look at @da|ta and')).toMatchObject({ kind: 'file', word: 'da', from: 8, to: 13 })
    expect(typed('/queue read @tr|')).toMatchObject({ kind: 'file', word: 'tr' })
    for (const no of ['me@host|', '@a b|']) expect(typed(no)).toBeNull()
  })

  it('puts a suggestion in the place of the word, the caret after it, and keeps the rest', () => {
    const at = typed('see @tr|ain please')
    if (!at) throw new Error('nothing to complete')
    const [suggestion] = fileSuggestions(['train.py'])
    if (!suggestion) throw new Error('no suggestion')
    expect(complete('see @train please', at, suggestion)).toEqual({ text: 'see @train.py please', caret: 14 })
  })

  it('goes on into a folder, and ends a file with a space', () => {
    expect(fileSuggestions(['data/', 'a.py']).map(({ insert }) => insert)).toEqual(['@data/', '@a.py '])
  })

  it('writes a path with a space in quotes, and goes on in them (half a name reaches the model)', () => {
    const inserts = fileSuggestions(['my data/', 'my data/a b.csv']).map(({ insert }) => insert)
    expect(inserts).toEqual(['@"my data/', '@"my data/a b.csv" '])
    expect(typed('see @"my data/a|')).toMatchObject({ kind: 'file', word: 'my data/a', from: 4, to: 15 })
    expect(typed('see @"my da|ta/" now')).toMatchObject({ kind: 'file', word: 'my da', from: 4, to: 15 })
    for (const no of ['@"done"|', '@"two\n|']) expect(typed(no)).toBeNull()
  })

  it('runs a command without arguments at once, and waits for the argument of the others', () => {
    expect(commandSuggestions('/undo')).toMatchObject([{ insert: '/undo', runs: true }])
    expect(commandSuggestions('/eff')).toMatchObject([{ insert: '/effort ', runs: false }])
    // Enter after a whole command runs that one.
    expect(commandSuggestions('/mode').map(({ label }) => label)).toEqual(['/mode', '/model'])
    // Leaving is for the terminal.
    expect(commandSuggestions('/quit')).toEqual([])
  })

  it('lists what begins with the word before what only has it', () => {
    const values = ['hf/x/opus-like', 'opus', 'haiku'].map((value) => ({ value, description: '' }))
    expect(argumentSuggestions('op', values).map(({ label }) => label)).toEqual(['opus', 'hf/x/opus-like'])
  })
})
