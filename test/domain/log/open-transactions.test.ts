import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { OpenTransactions } from '../../../src/domain/log/open-transactions.ts'

interface Modelled {
  readonly producerId: bigint
  readonly firstOffset: bigint
  markerOffset: bigint | null
}

describe('open transactions', () => {
  it('are told in the order of their first offsets, as a plain list tells them', () => {
    const step = fc.record({ producerId: fc.bigInt({ min: 0n, max: 200n }), written: fc.nat(30) })
    fc.assert(
      fc.property(fc.array(step, { minLength: 300, maxLength: 600 }), fc.nat(200), (steps, restored) => {
        const transactions = new OpenTransactions()
        const model: Modelled[] = []
        const begin = (producerId: bigint, firstOffset: bigint): void => {
          transactions.begin(producerId, firstOffset)
          model.push({ producerId, firstOffset, markerOffset: null })
        }
        // As from a snapshot: in any order.
        for (let i = 0; i < restored; i++) begin(BigInt(i), BigInt((i * 7919) % 211))
        let end = 300n
        let written = 0n
        for (const { producerId, written: behind } of steps) {
          const open = model.find((each) => each.producerId === producerId && each.markerOffset === null)
          if (open === undefined) begin(producerId, end)
          else {
            transactions.end(producerId, end)
            open.markerOffset = end
          }
          end++
          if (end - BigInt(behind) > written) written = end - BigInt(behind)
          const firsts = (of: readonly Modelled[]) => of.map(({ firstOffset }) => firstOffset)
          const least = (offsets: readonly bigint[]) =>
            offsets.reduce<bigint | null>((a, b) => (a === null || b < a ? b : a), null)
          const unstable = model.filter(({ markerOffset }) => markerOffset === null || markerOffset >= written)
          expect(transactions.firstUnstable(written)).toBe(least(firsts(unstable)))
          expect(transactions.firstOpen()).toBe(least(firsts(model.filter((each) => each.markerOffset === null))))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('cost a write the same whether one is open or ten thousand', () => {
    // Behind one that hangs, many come and go: they must not pile up.
    const transactions = new OpenTransactions()
    transactions.begin(-2n, 0n)
    const began = process.hrtime.bigint()
    for (let i = 1n; i < 200_000n; i++) {
      transactions.begin(i, i)
      if (i > 10_000n) transactions.end(i - 10_000n, i)
      expectZero(transactions.firstUnstable(i))
    }
    // 200,000 × 10,000 looks would take half a minute.
    expect(Number(process.hrtime.bigint() - began) / 1e9).toBeLessThan(5)
  })
})

function expectZero(offset: bigint | null): void {
  if (offset !== 0n) throw new Error(`${offset} instead of 0`)
}
