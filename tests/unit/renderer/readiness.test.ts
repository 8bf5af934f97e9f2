import { readinessOf } from '@renderer/features/welcome/readiness'
import type { AppInfo } from '@shared/bridge'
import { settingsSchema } from '@shared/settings'
import { describe, expect, it } from 'vitest'

function info(available: boolean): AppInfo {
  const model = {
    id: 'anthropic/m',
    name: 'M',
    provider: 'Anthropic',
    context_window: null,
    max_output: null,
    capabilities: { tools: null, images: null, reasoning: null },
    efforts: null,
    note: '',
    input_price: null,
    output_price: null,
    available,
  }
  return {
    version: '0',
    host: 'browser',
    platform: 'linux',
    home: '/h',
    default_cwd: '/w',
    settings: settingsSchema.parse({}),
    models: [model],
    credentials: [],
    sandbox: { kind: 'none', reason: '' },
    python: null,
  }
}

describe('readinessOf', () => {
  it('keeps a press that comes before the window has started, instead of losing it', () => {
    expect(readinessOf('connecting', null, '')).toBe('wait')
    expect(readinessOf('connected', null, '')).toBe('wait')
    expect(readinessOf('connected', info(true), 'anthropic/m')).toBe('ready')
  })

  it('asks for a key where one is missing, and sends nothing later by itself after a loss', () => {
    expect(readinessOf('connected', info(false), 'anthropic/m')).toBe('key')
    expect(readinessOf('lost', info(true), 'anthropic/m')).toBe('disconnected')
    expect(readinessOf('refused', null, '')).toBe('disconnected')
  })
})
