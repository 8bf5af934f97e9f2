import { describe, expect, test } from 'vitest'
import { estimateCost, timeoutHours } from '../../../src/main/compute/estimate'
import { JOB_PRICES, parsePriceCatalogue, SPACE_PRICES } from '../../../src/main/compute/prices'
import vectors from '../../fixtures/cost_estimation.json'

/** Dearer when last looked up than in the reference's table: a cap must not be passed because a table is old. */
const DEARER: Record<string, number> = { 'cpu-performance': 1.9, l40sx4: 8.3, l40sx8: 23.5 }

describe('cost_estimation vectors', () => {
  test('the tables are those of the reference but for what is dearer now', () => {
    expect(JOB_PRICES).toMatchObject({ ...vectors.job_prices_usd_per_hour, ...DEARER })
    expect(SPACE_PRICES).toMatchObject({ ...vectors.space_prices_usd_per_hour, ...DEARER })
  })

  test.each(vectors.timeout_parsing)('$name', ({ input, expected_hours }) => {
    if (expected_hours === null) expect(timeoutHours(input)).toBeNull()
    else expect(timeoutHours(input)).toBeCloseTo(expected_hours, 10)
  })

  test.each(vectors.price_catalog_parsing)('catalogue: $name', ({ payload, expected }) => {
    expect(parsePriceCatalogue(payload)).toEqual(expected)
  })

  test.each(vectors.vectors)('$name', ({ tool, args, has_sandbox, expected }) => {
    const { estimated_cost_usd, billable, label, block_reason } = expected
    const { usd, flavor, problem, ...rest } = estimateCost(tool, args, { has_sandbox })
    expect(rest).toEqual({ billable })
    expect(flavor).toBe(label)
    // Theirs is Python's way to write it.
    expect(problem).toBe(block_reason?.replace('True', 'true') ?? null)
    // Each of them runs an hour.
    expect(usd).toBe(DEARER[label ?? ''] ?? estimated_cost_usd)
  })
})

describe('what the vectors leave out', () => {
  test('the live catalogue counts by the minute', () => {
    const payload = [
      { name: 't4-small', unitCostUSD: 0.0067, unitLabel: 'minute' },
      { name: 'odd', unitCostUSD: 1, unitLabel: 'fortnight' },
    ]
    expect(parsePriceCatalogue(payload)).toEqual({ 't4-small': 0.402 })
  })

  test('a flavor named like something of the prototype has no price', () => {
    expect(estimateCost('hf_jobs', { hardware_flavor: 'constructor' }).usd).toBeNull()
    expect(estimateCost('sandbox_create', { hardware: '__proto__' }).usd).toBeNull()
  })

  test('a sandbox that runs already costs nothing more', () => {
    expect(estimateCost('sandbox_create', { hardware: 'h200' }, { has_sandbox: true })).toMatchObject({ usd: 0 })
  })

  test.each([0, '0', '-1h', Number.NaN, Number.POSITIVE_INFINITY, '1e3', '5 weeks', {}, ''])(
    'no timeout: %j',
    (input) => {
      expect(timeoutHours(input)).toBeNull()
    },
  )
})
