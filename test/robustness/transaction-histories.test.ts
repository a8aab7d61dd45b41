/**
 * What a broker promises of transactions, held through histories that a seed decides.
 *
 *   ODRADEK_SEEDS=5000 npm run jest -- test/robustness/transaction-histories     more of them
 *   ODRADEK_SEED=17 npm run jest -- test/robustness/transaction-histories        the one that failed
 */
import { describe, it } from '@jest/globals'
import { seeds } from './support/hostile-broker.ts'
import { TransactionSimulation } from './support/transaction-simulation.ts'

const STEPS = 150

describe('transactions of several producers over a broker that dies', () => {
  it.each(seeds(200))('are whole, and as their producers were told (ODRADEK_SEED=%i)', async (seed) => {
    await new TransactionSimulation(seed).run(STEPS)
  })
})
