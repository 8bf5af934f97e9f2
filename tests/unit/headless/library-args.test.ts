import { describe, expect, it } from 'vitest'
import { parseCommand } from '../../../src/main/hosts/headless/args'

describe('sessions search, sessions import and config import', () => {
  it.each([
    [
      ['sessions', 'search', 'learning', 'rate'],
      { name: 'sessions search', query: 'learning rate', limit: 20, json: false },
    ],
    [['sessions', 'search', '"a b"', '--limit', '5', '--json'], { query: '"a b"', limit: 5, json: true }],
    [['sessions', 'import', 'logs', '--config', 'c.json'], { name: 'sessions import', path: 'logs', config: 'c.json' }],
    [['config', 'import', 'old.json'], { name: 'config import', file: 'old.json' }],
  ])('%j', (argv, expected) => {
    expect(parseCommand(argv)).toMatchObject(expected)
  })

  it.each([
    [['sessions', 'search']],
    [['sessions', 'search', ' ']],
    [['sessions', 'search', 'x', '--limit', '101']],
    [['sessions', 'search', 'x', '--limit', 'all']],
    [['sessions', 'import']],
    [['sessions', 'import', 'a', 'b']],
    [['sessions', 'list', '--limit', '3']],
    [['config']],
    [['config', 'export', 'x']],
    [['config', 'import', 'a', '--json']],
  ])('%j is refused: it must not become a prompt that costs money', (argv) => {
    expect(() => parseCommand(argv)).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})
