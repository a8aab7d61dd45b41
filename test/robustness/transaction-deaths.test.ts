/**
 * A broker on Kafka's files that is killed at any operation of the disk between the first record of EndTxn and the last
 * marker, writes torn where the seed says, and again while the next one opens and completes what it left
 * (transaction-deaths.ts). Kafka 4.3.1 tears such a transaction when it is killed between the two.
 *
 *   ODRADEK_SEEDS=100 npm run jest -- test/robustness/transaction-deaths     more of them
 *   ODRADEK_SEED=17 npm run jest -- test/robustness/transaction-deaths       the one that failed
 */
import { describe, expect, it } from '@jest/globals'
import { FileLogStore } from '../../src/adapters/storage-fs/file-log-store.ts'
import { countingRandom, HeldTimers, recordingLogger } from '../support/file-storage.ts'
import { testChecksum } from '../support/stored-batches.ts'
import { dieOnce, type MortalStorage } from '../support/transaction-deaths.ts'
import { seeded, seeds } from './support/hostile-broker.ts'
import { SimulatedDisk } from './support/simulated-disk.ts'

function files(seed: number): MortalStorage {
  let disk: SimulatedDisk | null = null
  return {
    next(stepsLeft) {
      if (disk === null) disk = new SimulatedDisk(seeded(seed))
      else {
        disk.kill()
        disk = disk.revive(false)
      }
      disk.killAfter(stepsLeft)
      return new FileLogStore({
        directories: ['/data'],
        checksum: testChecksum,
        timers: new HeldTimers(),
        random: countingRandom(),
        logger: recordingLogger([]),
        fileSystem: disk.system,
      })
    },
    dieAfter: (steps) => disk!.killAfter(steps),
    get isDead() {
      return disk!.isDead
    },
    get died() {
      return disk!.died
    },
    // Each turn of the event loop lets it do some steps: a group of writes is one, opening a log a dozen.
    async rest() {
      for (let turn = 0; turn < 25; turn++) await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

const cases = [true, false].flatMap((knowsV2) =>
  [true, false].flatMap((committed) => seeds(1).map((seed) => ({ knowsV2, committed, seed }))),
)

describe('a broker that is killed while a transaction ends', () => {
  it.each(cases)('V2 $knowsV2, commit $committed, seed $seed', async ({ knowsV2, committed, seed }) => {
    for (const again of [Infinity, 60]) {
      let deaths = 0
      while (await dieOnce(files(seed), { knowsV2, committed, at: deaths, again })) deaths++
      // The end itself, four markers and the completion at the least; of an abort the entries of `.txnindex` too.
      expect(deaths).toBeGreaterThanOrEqual(6)
    }
  })
})
