import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ByteRedactor, type PatternLevel, redactEvent, redactValue, StreamRedactor } from '../../src/main/redact'

interface Vector {
  name: string
  input: unknown
  expected_output: unknown
}
const fixture = new URL('../fixtures/redact.json', import.meta.url)
const { vectors } = JSON.parse(readFileSync(fixture, 'utf8')) as { vectors: Vector[] }

const full = (text: string): string => redactValue(text, [], 'full')
const precise = (text: string): string => redactValue(text, [])

/** Built at run time: a scanner that looks through this repository must not find keys. */
const letters = 'Ab3dEf6hIj9kLmN0pQr2tUvWxYz'
const of = (length: number): string => letters.repeat(Math.ceil(length / letters.length)).slice(0, length)
const pemLines = Array.from({ length: 5 }, (_, i) => of(64 - i)).concat('Zm9v', '')
const dashes = '-'.repeat(5)
const pem = (kind = 'RSA ', newline = '\n'): string =>
  `${dashes}BEGIN ${kind}PRIVATE KEY${dashes}${newline}${pemLines.join(newline)}${dashes}END ${kind}PRIVATE KEY${dashes}`

const tokens: [string, string, string][] = [
  ['hugging face', `hf_${of(34)}`, '[REDACTED_HF_TOKEN]'],
  ['anthropic', `sk-ant-api03-${of(80)}`, '[REDACTED_PROVIDER_API_KEY]'],
  ['openai', `sk-proj-${of(40)}_${of(30)}`, '[REDACTED_PROVIDER_API_KEY]'],
  ['github', `ghp_${of(36)}`, '[REDACTED_GITHUB_TOKEN]'],
  ['github fine-grained', `github_pat_${of(22)}_${of(59)}`, '[REDACTED_GITHUB_TOKEN]'],
  ['slack', `xoxb-123456789012-${of(24)}`, '[REDACTED_SLACK_TOKEN]'],
  ['google', `AIza${of(35)}`, '[REDACTED_GOOGLE_KEY]'],
  ['aws id', 'AKIA1234567890ABCDEF', '[REDACTED_AWS_KEY_ID]'],
]

describe('vectors', () => {
  it.each(vectors)('$name', ({ input, expected_output }) => {
    const before = JSON.stringify(input)
    expect(redactValue(input, [], 'full')).toEqual(expected_output)
    expect(JSON.stringify(input)).toBe(before)
  })
})

describe('forms of secrets', () => {
  it.each(tokens)('finds a %s token, also in what must stay exact', (_, token, mark) => {
    expect(precise(`a ${token}, "${token}"`)).toBe(`a ${mark}, "${mark}"`)
  })

  it.each([
    ['"api_key": "abcdef"', '"api_key": "[REDACTED]"'],
    ["{'password': 'correct horse1'}".replace(' horse', '-horse'), "{'password': '[REDACTED]'}"],
    ['{\\"hf_token\\": \\"abcdefgh\\"}', '{\\"hf_token\\": \\"[REDACTED]\\"}'],
    ['API_KEY="abcdef" next', 'API_KEY="[REDACTED]" next'],
    ['apiKey: abc123, b: 1', 'apiKey: [REDACTED], b: 1'],
    [`aws_secret_access_key = ${of(40)}`, 'aws_secret_access_key=[REDACTED]'],
    [`"SecretAccessKey": "${of(20)}/+${of(18)}"`, '"SecretAccessKey": "[REDACTED]"'],
    ['git clone https://me:p4ss@host/x.git', 'git clone https://me:[REDACTED]@host/x.git'],
    ['postgres://app:s3cr3t@db:5432/x', 'postgres://app:[REDACTED]@db:5432/x'],
    [`token: "${of(24)}"`, 'token: "[REDACTED]"'],
  ])('%s', (input, expected) => {
    expect(full(input)).toBe(expected)
    expect(full(expected)).toBe(expected)
  })

  it('finds the value under a secret name in an object', () => {
    expect(redactValue({ env: { HF_TOKEN: 'abcdef', max_token: '12', n: 1 } }, [], 'full')).toEqual({
      env: { HF_TOKEN: '[REDACTED]', max_token: '12', n: 1 },
    })
  })

  it.each([
    ['as a file', pem()],
    ['with Windows newlines', pem('', '\r\n')],
    ['in a JSON string', pem('OPENSSH ', '\\n')],
    ['behind line numbers', pem('EC ').replaceAll('\n', '\n  12\t')],
    ['flattened to one line', pem('', ' ')],
    ['in a diff', pem().replaceAll('\n', '\n+')],
  ])('takes out a whole private key %s', (_, block) => {
    expect(precise(`a\n"${block}" b\n`)).toBe('a\n"[REDACTED_PRIVATE_KEY]" b\n')
  })

  it('finds a token right after a colour code', () => {
    expect(full(`\x1b[1;32mhf_${of(34)}\x1b[0m`)).toBe('\x1b[1;32m[REDACTED_HF_TOKEN]\x1b[0m')
  })

  it('takes out a private key whose beginning is cut off', () => {
    const rest = pem().split('\n').slice(2).join('\n')
    expect(precise(`[9 characters are left out]\n\n${rest}\nnext`)).toMatch(
      /left out\]\n\n?\[REDACTED_PRIVATE_KEY\]\nnext$/,
    )
  })

  it('takes out a private key whose end is cut off, and nothing after it', () => {
    const cut = pem().split('\n').slice(0, 4).join('\n')
    expect(precise(cut)).toBe('[REDACTED_PRIVATE_KEY]')
    expect(precise(`${cut}\nEpoch 1: loss 0.5\nbye`)).toBe('[REDACTED_PRIVATE_KEY]\nEpoch 1: loss 0.5\nbye')
  })
})

describe('what only looks like a secret', () => {
  const harmless = [
    'MAX_TOKEN=4096',
    'TOKENIZERS_PARALLELISM=false',
    'pad_token_id: 0, num_tokens: 512, max_new_tokens=128',
    '"special_tokens": ["<s>", "</s>"], "bos_token": "<s>", "pad_token": "[PAD]", "eos_token": "<|im_end|>"',
    'tokenizer.pad_token = tokenizer.eos_token',
    'eos_token=endoftext',
    'token = get_token()',
    'login(token=token, api_key=my_api_key)',
    'def f(token: str, password: Optional[str] = None):',
    'api_key = os.environ["OPENAI_API_KEY"]',
    'HF_TOKEN=$HF_TOKEN python x.py; TOKEN=$'.concat('{TOKEN:-x}'),
    '{"entity": "B-LOC", "token": "Paris", "score": 0.9}',
    '"nextPageToken": "CAUQAA1234567890abcd"',
    'if token == "abc": pass',
    'commit 2182202aa9f1c7d3b45e6f708192a3b4c5d6e7f8',
    'meta-llama/Llama-3.1-8B-Instruct Qwen/Qwen2.5-0.5B@main',
    'Enter password: ',
    'monkey: 5, keyboard=us, primary_key: id',
    'class="sk-estimator-doc-link sk-toggleable__content fitted"',
    'http://localhost:8080/@vite/client docker://python:3.11@sha256:abc',
    `if "${dashes}BEGIN PRIVATE KEY${dashes}" in text:\n    raise ValueError("a key")\n`,
    `${dashes}BEGIN CERTIFICATE${dashes}\n${of(64)}\n${dashes}END CERTIFICATE${dashes}\n`,
    'Password: required. The secret: practice!',
  ]
  it.each(harmless)('%s', (text) => {
    expect(full(text)).toBe(text)
  })

  it('an image in base64 stays whole', () => {
    let seed = 7
    const bytes = Buffer.from(
      Array.from({ length: 300_000 }, () => {
        seed = (seed * 48271) % 2147483647
        return seed & 255
      }),
    )
    const image = `data:image/png;base64,${bytes.toString('base64')}`
    expect(full(image)).toBe(image)
  })

  it('names are nothing in what must stay exact', () => {
    const code = 'PASSWORD = "hunter2"\ntoken: abc123\n"api_key": "xyz"\n'
    expect(precise(code)).toBe(code)
  })
})

describe('streams', () => {
  const cutInto = (text: string, size: number, level: PatternLevel = 'full'): string => {
    const redactor = new StreamRedactor(() => [], level)
    let out = ''
    for (let i = 0; i < text.length; i += size) out += redactor.push(text.slice(i, i + size))
    return out + redactor.flush()
  }
  const text = [
    'Epoch 1/3 loss=0.5 tokens/s: 1200',
    ...tokens.map(([, token]) => `x ${token} y "${token}"`),
    'HF_TOKEN=abcdef password = hunter2xyz',
    '{"api_key": "abc def", "api_key": "abcdef", "MAX_TOKEN": 4096}',
    `Authorization: Bearer ${of(40)}`,
    'https://me:p4ss@host/x https://host/y?z=1',
    'pad_token=abc xsk-abc',
    pem(),
    'after the key',
    pem('', '\\n'),
    'end - of -----BEG',
  ].join('\n')

  it('finds the same however the stream is cut', () => {
    const expected = full(text)
    for (let size = 1; size <= 200; size++) expect([size, cutInto(text, size)]).toEqual([size, expected])
  })

  it('shows a training line at once, also one that is not finished', () => {
    const redactor = new StreamRedactor(() => [])
    for (const piece of ['step 1 loss 0.5\n', '\r 10%|#  | 1/10 [00:01<00:09, 1.0it/s]', 'tokens seen: 512\n', '> ']) {
      expect(redactor.push(piece)).toBe(piece)
    }
    expect(redactor.push('HF_TOKEN=abc')).toBe('')
    expect(redactor.push('def\nnext\n')).toBe('HF_TOKEN=[REDACTED]\nnext\n')
  })

  it('leaves nothing of a token longer than what is held', () => {
    expect(cutInto(`a sk-ant-${of(3000)} b`, 100)).toBe('a [REDACTED_PROVIDER_API_KEY] b')
  })

  it('never holds much, whatever comes', () => {
    for (const piece of [
      'password=x',
      'hf_',
      'https://a',
      '-----BEGIN PRIVATE KEY-----',
      '"token": "',
      'sk-',
      'word ',
    ]) {
      const redactor = new StreamRedactor(() => [])
      for (let i = 0; i < 4000; i++) redactor.push(piece)
      expect([piece, redactor.flush().length < 20_000]).toEqual([piece, true])
    }
  })

  it('stays cheap for text made to be slow', () => {
    const begin = `${dashes}BEGIN PRIVATE KEY${dashes}\n`
    const hard = ['sk-', 'bearer ', 'token', 'a_token = "', 'https://a:', begin, `${begin}${of(8000)}!`, '-----']
    const started = performance.now()
    for (const piece of hard) {
      const whole = piece.repeat(Math.ceil(200_000 / piece.length))
      full(whole)
      cutInto(whole, 8192)
    }
    // Milliseconds for 3 MB; quadratic work would take minutes.
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  it('keeps every other byte', () => {
    const bytes = Buffer.concat([
      Buffer.from(Array.from({ length: 512 }, (_, i) => i & 255)),
      Buffer.from(`é TOKEN=abc\n${pem()}\n`),
    ])
    const redactor = new ByteRedactor(() => [])
    const out = Buffer.concat([redactor.push(bytes), redactor.flush()])
    expect(out.subarray(0, 512)).toEqual(bytes.subarray(0, 512))
    expect(out.subarray(512).toString()).toBe('é TOKEN=[REDACTED]\n[REDACTED_PRIVATE_KEY]\n')
  })
})

describe('events', () => {
  const line = `PASSWORD=hunter2 hf_${of(34)}`
  it('what a command prints loses both, a file that was read only what is certain', () => {
    const output = (tool: string) => redactEvent('tool_output', { tool, output: line }, []).output
    expect(output('bash')).toBe('PASSWORD=[REDACTED] [REDACTED_HF_TOKEN]')
    expect(output('read')).toBe('PASSWORD=hunter2 [REDACTED_HF_TOKEN]')
  })
  it('leaves signed reasoning alone, and the same object where nothing is found', () => {
    const block = { type: 'reasoning', text: `hf_${of(34)}`, signature: `sk-ant-${of(40)}` }
    const data = { id: '1', content: 'ok', blocks: [block, { type: 'opaque', value: `hf_${of(34)}` }] }
    expect(redactEvent('assistant_message', data, [])).toBe(data)
    expect(redactEvent('tool_output', { tool: 'bash', output: 'fine' }, [])).toEqual({ tool: 'bash', output: 'fine' })
  })
})
