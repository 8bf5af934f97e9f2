import { describe, expect, test } from 'vitest'
import { UserError } from '../../../src/main/errors'
import { parseCommand } from '../../../src/main/hosts/headless/args'
import { HELP } from '../../../src/main/hosts/headless/help'

function fault(...argv: string[]): string {
  try {
    parseCommand(argv)
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    const { code, message, remedy } = error as UserError
    expect(code).toBe('usage')
    return `${message} ${remedy}`
  }
  return 'accepted'
}

describe('commands', () => {
  test.each([
    [[], { name: 'window', open: true }],
    [['--no-open'], { name: 'window', open: false }],
    [['--help'], { name: 'help' }],
    [['serve', '-h'], { name: 'help' }],
    [['-v'], { name: 'version' }],
    [['train it'], { name: 'run', prompt: 'train it', continue: false, streaming: true, output_format: 'text' }],
    [['-'], { name: 'run', prompt: null }],
    [['--output-format', 'json'], { name: 'run', prompt: null, output_format: 'json' }],
    [['--continue', 'go on'], { name: 'run', continue: true }],
    [['--session', 'abcd', 'go on'], { name: 'run', session: 'abcd' }],
    [['x', '--effort', 'off'], { effort: null }],
    [
      ['x', '--effort=high', '-m', 'a/b', '--no-stream', '--mode', 'plan'],
      { effort: 'high', model: 'a/b', streaming: false, mode: 'plan' },
    ],
    [['x', '--max-iterations', '3'], { max_iterations: 3 }],
    [['x', '--max-cost', '2.50'], { max_cost: 2.5 }],
    [['x', '--max-cost', '$0'], { max_cost: 0 }],
    [['x', '--max-cost', 'off'], { max_cost: null }],
    [['x', '--max-iterations=-1'], { max_iterations: -1 }],
    [['x', '--max-iterations', '-1'], { max_iterations: -1 }],
    [['x', '--cwd', 'd', '--config', 'f'], { cwd: 'd', config: 'f' }],
    [['demo', '--output-format', 'stream-json'], { name: 'demo', output_format: 'stream-json' }],
    [['serve', '--port', '8080', '--host', 'localhost'], { name: 'serve', port: 8080, host: 'localhost' }],
    [['serve'], { name: 'serve', port: 0, host: '127.0.0.1' }],
    [['doctor', '--json'], { name: 'doctor', json: true }],
    [['sessions', 'list', '--json'], { name: 'sessions list', json: true }],
    [['sessions', 'show', 'abc'], { name: 'sessions show', id: 'abc' }],
    [
      ['sessions', 'export', 'abc', '--format', 'jsonl', '-o', 'f'],
      { name: 'sessions export', id: 'abc', format: 'jsonl', output: 'f', force: false },
    ],
    [['sessions', 'fork', 'abc', '--at', '12'], { name: 'sessions fork', id: 'abc', at_seq: 12 }],
    [['sessions', 'upload', 'abc', '-y'], { name: 'sessions upload', id: 'abc', yes: true }],
    [['sessions', 'rm', 'a', 'b', '--yes'], { name: 'sessions rm', ids: ['a', 'b'], yes: true }],
  ])('%j', (argv, expected) => {
    expect(parseCommand(argv)).toMatchObject(expected)
  })

  test('after -- a command is a prompt, and so is what begins with a dash', () => {
    expect(parseCommand(['--', 'doctor'])).toMatchObject({ name: 'run', prompt: 'doctor' })
    expect(parseCommand(['--', '--help me'])).toMatchObject({ name: 'run', prompt: '--help me' })
    expect(parseCommand(['--', '-'])).toMatchObject({ name: 'run', prompt: '-' })
  })
})

describe('mistakes are told with a way out', () => {
  test.each([
    [['--modle', 'x', 'hi'], 'Unknown option --modle. Did you mean --model?'],
    [['--mcp-config', 'f', 'hi'], 'Unknown option --mcp-config.'],
    [['--sandbox-tools', 'hi'], 'Unknown option --sandbox-tools.'],
    [['--no-sandbox', 'hi'], 'Unknown option --no-sandbox.'],
    [['hi', '--model'], '--model needs a value.'],
    [['hi', '--model', '--cwd'], '--model needs a value.'],
    [['hi', '--model='], '--model needs a value.'],
    [['hi', '--json=1'], '--json takes no value.'],
    [['hi', '--mode', 'yolo'], '--mode must be one of plan, ask, auto, full, but it is "yolo".'],
    [['hi', '--output-format', 'jsom'], 'Did you mean json?'],
    [['hi', '--effort', 'hihg'], 'Did you mean high?'],
    [['hi', '--max-iterations', '0'], '--max-iterations must be a whole number of at least 1'],
    [['hi', '--max-iterations', '3.5'], 'but it is "3.5".'],
    [['hi', '--max-cost', '-1'], '--max-cost'],
    [['hi', '--max-cost', 'five'], '--max-cost must be an amount of US dollars such as 2.50, or off'],
    [['serve', '--port', '99999'], '--port must be a number from 0 (any free port) to 65535'],
    [['train', 'a', 'model'], 'ml-intern "train a model"'],
    [['jobs'], 'Unknown command: jobs.'],
    [['jobs', 'list'], 'Unknown command: jobs.'],
    [['mcp-server'], 'Unknown command: mcp-server.'],
    [['docter'], 'Did you mean ml-intern doctor?'],
    [['sessions'], 'ml-intern sessions list | show ID'],
    [['sessions', 'lst'], 'Unknown command: sessions lst.'],
    [['sessions', 'show'], 'Which session?'],
    [['sessions', 'rm'], 'Which sessions?'],
    [['serve', '--model', 'x'], '--model does not belong to serve.'],
    [['demo', '--cwd', 'x'], '--cwd does not belong to demo.'],
    [['demo', 'now'], 'ml-intern demo takes no "now".'],
    [['hi', '--port', '3'], '--port does not belong to a prompt.'],
    [['hi', '--session', 'a', '--continue'], 'not both'],
    [['hi', '--mode', 'ask', '--approve', 'auto'], 'contradict'],
  ])('%j', (argv, expected) => {
    expect(fault(...argv)).toContain(expected)
  })
})

test('the help names every option there is and no command of a later version', () => {
  for (const option of [
    'model',
    'effort',
    'max-iterations',
    'max-cost',
    'no-stream',
    'output-format',
    'cwd',
    'session',
    'continue',
    'approve',
    'mode',
    'config',
    'port',
    'host',
    'no-open',
    'json',
    'format',
    'output',
    'force',
    'at',
    'yes',
    'help',
    'version',
  ]) {
    expect(HELP).toContain(`--${option}`)
  }
  expect(HELP).not.toMatch(/jobs|mcp|sandbox/)
  for (const line of HELP.split('\n')) expect(line.length).toBeLessThanOrEqual(110)
})
