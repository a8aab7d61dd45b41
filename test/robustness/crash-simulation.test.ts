/**
 * What brokers promise of records, held through crashes, power losses and failing disks that a seed decides.
 *
 *   ODRADEK_SEEDS=3000 npm run jest -- test/robustness/crash-simulation      more of them
 *   ODRADEK_SEED=17 npm run jest -- test/robustness/crash-simulation         the one that failed
 */
import { describe, it } from '@jest/globals'
import { CrashSimulation } from './support/crash-simulation.ts'
import { seeds } from './support/hostile-broker.ts'

const STEPS = 60

describe('partitions on a disk that crashes', () => {
  it.each(seeds(60))('keep what they promised (ODRADEK_SEED=%i)', async (seed) => {
    await new CrashSimulation(seed).run(STEPS)
  })
})
