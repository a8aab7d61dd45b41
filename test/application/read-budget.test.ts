import { describe, expect, it } from '@jest/globals'
import { ReadBudget } from '../../src/application/read-budget.ts'

describe('ReadBudget', () => {
  it('gives half of what is left, and what a read did not need goes back', () => {
    const budget = new ReadBudget(() => 1_000_000)
    expect(budget.reserve(2_000_000, true)).toBe(500_000)
    expect(budget.reserve(2_000_000, true)).toBe(250_000)
    expect(budget.reserve(1000, false)).toBe(1000)
    budget.settle(500_000, 10)
    budget.settle(250_000, 0)
    budget.settle(1000, 900)
    expect(budget.bytes).toBe(910)
    budget.give(910)
    expect(budget.bytes).toBe(0)
  })

  it('gives the first partition of a fetch something, the others nothing, when nothing is left', () => {
    const budget = new ReadBudget(() => 1000)
    budget.settle(0, 5000)
    expect(budget.reserve(2_000_000, true)).toBe(65_536)
    expect(budget.reserve(2_000_000, false)).toBe(0)
  })
})
