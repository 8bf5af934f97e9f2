import { describe, expect, it } from 'vitest'
import { crossedThreshold, nextThreshold } from '../../../src/main/budget/thresholds'
import vectors from '../../fixtures/usage_thresholds.json'

describe('the amounts at which a session without a cap speaks up', () => {
  it.each(vectors.vectors)('$name', ({ current_spend_usd, acknowledged_threshold, expected_next }) => {
    expect(nextThreshold(current_spend_usd, acknowledged_threshold)).toBe(expected_next)
  })

  it('are each told once, the highest one when a call goes over several', () => {
    expect(crossedThreshold(0, 4.99)).toBeNull()
    expect(crossedThreshold(4.99, 5)).toBe(5)
    expect(crossedThreshold(5, 9.99)).toBeNull()
    expect(crossedThreshold(3, 45)).toBe(40)
    expect(crossedThreshold(40, 40)).toBeNull()
  })
})
