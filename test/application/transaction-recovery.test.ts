/**
 * A broker that dies at any append between the first record of EndTxn and the last marker, and again while the next
 * one completes what it left (transaction-deaths.ts).
 */
import { describe, expect, it } from '@jest/globals'
import { DyingLogStore } from '../support/dying-log-store.ts'
import { dieOnce, type MortalStorage } from '../support/transaction-deaths.ts'

/** The last append is made all the same, or it is not. */
function memory(makesTheLast: boolean): MortalStorage {
  const store = new DyingLogStore()
  return {
    next: (stepsLeft) => store.revive(stepsLeft),
    dieAfter(steps) {
      store.makesTheLast = makesTheLast
      store.appendsLeft = steps
    },
    get isDead() {
      return store.isDead
    },
    // its appends fail: whoever awaits them goes on
    died: new Promise(() => undefined),
    rest: () => Promise.resolve(),
  }
}

const cases = [true, false].flatMap((knowsV2) =>
  [true, false].flatMap((committed) =>
    [false, true].flatMap((makesTheLast) =>
      [Infinity, 0, 1, 2, 4].map((again) => ({ knowsV2, committed, makesTheLast, again })),
    ),
  ),
)

describe('a broker that dies while a transaction ends', () => {
  it.each(cases)('V2 $knowsV2, commit $committed, last append made $makesTheLast, again at $again', async (each) => {
    let deaths = 0
    while (await dieOnce(memory(each.makesTheLast), { ...each, at: deaths })) deaths++
    // The end itself, four markers and the completion at the least.
    expect(deaths).toBeGreaterThanOrEqual(6)
  })
})
