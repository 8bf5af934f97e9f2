import { describe, expect, it } from 'vitest'
import { REDACTED, redactEvent, redactValue, StreamRedactor } from '../../src/main/redact'
import { commandEnvironment, secretValues } from '../../src/main/workspace/environment'

const secret = 'sk-ant-secret-0123456789'

describe('redactValue', () => {
  it('finds a secret anywhere in an event', () => {
    const value = { a: [`x ${secret} y`], b: { c: secret }, n: 1, z: null }
    expect(redactValue(value, [secret])).toEqual({ a: [`x ${REDACTED} y`], b: { c: REDACTED }, n: 1, z: null })
  })
  it('leaves values without secrets as the same object, and ignores values too short to be one', () => {
    const value = { a: ['one'], b: { c: 'two' } }
    expect(redactValue(value, [secret])).toBe(value)
    expect(redactValue(value, ['one'])).toBe(value)
  })
})

describe('redactEvent', () => {
  it('treats a message that waits as it treats one that was sent', () => {
    const content = 'use password=correct-horse-battery for it'
    const sent = redactEvent('user_message', { id: 'a', content, source: 'user' }, [])
    const waiting = redactEvent('queue_update', { queue: [{ id: 'a', content }] }, [])
    expect(sent.content).not.toContain('correct-horse')
    expect(waiting.queue[0]?.content).toBe(sent.content)
  })
})

describe('secrets that overlap', () => {
  const short = 'hf_abcdefgh'
  const long = 'hf_abcdefgh-and-more'

  it('leaves nothing of the longer one, whatever the order in which they are known', () => {
    for (const secrets of [
      [short, long],
      [long, short],
    ]) {
      expect(redactValue(`${short} ${long}`, secrets)).toBe(`${REDACTED} ${REDACTED}`)
    }
  })

  it('also in a stream, however it is cut', () => {
    const text = `${long}, ${short}, ${short}-and, ${long}${short}`
    const expected = `${REDACTED}, ${REDACTED}, ${REDACTED}-and, ${REDACTED}${REDACTED}`
    for (let size = 1; size <= text.length; size++) {
      const redactor = new StreamRedactor(() => [short, long, 'bcdefgh-an', 'ore, hf_ab'])
      let out = ''
      for (let i = 0; i < text.length; i += size) out += redactor.push(text.slice(i, i + size))
      expect([size, out + redactor.flush()]).toEqual([size, expected])
    }
  })

  it('finds one in the name of a field, and keeps odd names', () => {
    const value = JSON.parse(`{"a ${long}": 1, "__proto__": "${short}"}`)
    expect(JSON.stringify(redactValue(value, [short, long]))).toBe(`{"a ${REDACTED}":1,"__proto__":"${REDACTED}"}`)
  })
})

describe('StreamRedactor', () => {
  it('finds a secret however the stream is cut', () => {
    const text = `before ${secret} middle ${secret}${secret} after sk-ant`
    const expected = text.replaceAll(secret, REDACTED)
    for (let size = 1; size <= text.length; size++) {
      const redactor = new StreamRedactor(() => [secret])
      let out = ''
      for (let i = 0; i < text.length; i += size) out += redactor.push(text.slice(i, i + size))
      expect(out + redactor.flush()).toBe(expected)
    }
  })
  it('passes text through untouched when there is no secret', () => {
    const redactor = new StreamRedactor(() => [])
    expect(redactor.push('abc')).toBe('abc')
    expect(redactor.flush()).toBe('')
  })
})

describe('commandEnvironment', () => {
  const env = {
    PATH: '/usr/bin',
    ANTHROPIC_API_KEY: secret,
    HF_TOKEN: 'hf_abcdefgh',
    AWS_SECRET_ACCESS_KEY: 'aaaaaaaaaa',
    GITHUB_TOKEN: 'ghp_abcdefg',
    ML_INTERN_HOME: '/data',
    TOKENIZERS_PARALLELISM: 'false',
    MONKEY: '1',
  }
  it('keeps tokens and our own settings from commands, and nothing else', () => {
    expect(Object.keys(commandEnvironment(env))).toEqual(['PATH', 'TOKENIZERS_PARALLELISM', 'MONKEY'])
  })
  it('knows their values for redaction', () => {
    expect(secretValues(env)).toEqual([secret, 'hf_abcdefgh', 'aaaaaaaaaa', 'ghp_abcdefg'])
  })
})
