import { describe, expect, test } from 'vitest'
import { Ledger } from '../../../src/main/budget/ledger'
import vectors from '../../fixtures/yolo_budget.json'

interface Step {
  op: string
  id?: string
  amount?: number | null
  actual?: number | null
  reserved?: number
}
interface Expected {
  allowed?: boolean
  remaining?: number
  spend_after: number
  remaining_after: number
}
/** Its question about a batch of tool calls: here the calls before it hold their own money. */
const model_calls = vectors.vectors.filter((v) => !v.steps.some((step) => step.op === 'check'))

describe('Ledger', () => {
  test.each(model_calls.map((vector) => [vector.name, vector] as const))('reference: %s', (_, vector) => {
    const { cap_usd: cap } = vector
    const ledger = new Ledger()
    ledger.seed(vector.initial_spend_usd)
    const expected = vector.expected as Expected[]
    ;(vector.steps as Step[]).forEach(({ op, id = '', amount = null, actual = null }, at) => {
      const wanted = expected[at]
      if (op === 'reserve') {
        const verdict = ledger.reserve(id, amount, cap)
        expect(verdict.allowed).toBe(wanted?.allowed)
        expect(verdict.remaining_usd).toBeCloseTo(wanted?.remaining ?? -1, 6)
      } else if (op === 'reconcile') ledger.reconcile(id, actual)
      else if (op === 'release') ledger.release(id)
      else if (op === 'seed') ledger.seed(amount ?? 0)
      else if (op === 'spend') ledger.spend(amount ?? 0)
      else throw new Error(`an operation this test does not know: ${op}`)
      expect(ledger.spent_usd + ledger.reserved_usd).toBeCloseTo(wanted?.spend_after ?? -1, 6)
      expect(ledger.remaining(cap)).toBeCloseTo(wanted?.remaining_after ?? -1, 6)
    })
  })

  test('what is free fits a cap that is used up; a cap met exactly is not passed by the noise of sums', () => {
    const ledger = new Ledger()
    for (let i = 0; i < 10; i++) expect(ledger.reserve(`${i}`, 0.1, 1).allowed).toBe(true)
    expect(ledger.reserve('more', 0.0001, 1).allowed).toBe(false)
    expect(ledger.reserve('free', 0, 1).allowed).toBe(true)
  })

  test('settling twice counts once', () => {
    const ledger = new Ledger()
    ledger.reserve('a', 1, null)
    ledger.reconcile('a', 0.5)
    ledger.reconcile('a', 0.5)
    ledger.seed(0.5)
    expect(ledger.spent_usd).toBe(0.5)
  })
})
