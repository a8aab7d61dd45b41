/**
 * The lists of aborted transactions through crashes and power losses that a seed decides: after every start they say
 * what the markers in the log say, in memory and in the files.
 *
 *   ODRADEK_SEEDS=3000 npm run jest -- test/robustness/aborted-index      more of them
 *   ODRADEK_SEED=17 npm run jest -- test/robustness/aborted-index         the one that failed
 */
import { describe, expect, it } from '@jest/globals'
import { parseAborted } from '../../src/adapters/storage-fs/aborted-index.ts'
import { FileLogStore } from '../../src/adapters/storage-fs/file-log-store.ts'
import type { LogOptions, PartitionLog, StampedBatch } from '../../src/application/ports/log-store.ts'
import { recoverProducers } from '../../src/application/recover-producers.ts'
import type { AbortedTransaction } from '../../src/domain/log/aborted-transaction.ts'
import { buildEndMarker, readEndMarker } from '../../src/domain/log/end-marker.ts'
import { encodeProducerSnapshot } from '../../src/domain/log/producer-snapshot.ts'
import { ProducerStates } from '../../src/domain/log/producer-state.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { countingRandom, HeldTimers, recordingLogger } from '../support/file-storage.ts'
import { batchesIn, recordBatch, utf8 } from '../support/records.ts'
import { takeBytes, testChecksum, testLogOptions } from '../support/stored-batches.ts'
import { seeded, seeds } from './support/hostile-broker.ts'
import { SimulatedDisk } from './support/simulated-disk.ts'

const LIVES = 6
const STEPS = 40
const PRODUCERS = 3
const partition = { topic: 'txn', partition: 0 }
const crc32c = (bytes: Uint8Array) => testChecksum.crc32c(bytes)

/** One process that writes transactions until it is killed or stops. */
class Life {
  readonly #below: (below: number) => number
  readonly #disk: SimulatedDisk
  readonly #store: FileLogStore
  #log!: PartitionLog
  #states = new ProducerStates()

  constructor(below: (below: number) => number, disk: SimulatedDisk) {
    this.#below = below
    this.#disk = disk
    const ports = { checksum: testChecksum, timers: new HeldTimers(), random: countingRandom() }
    const logger = recordingLogger([])
    this.#store = new FileLogStore({ directories: ['/data'], ...ports, logger, fileSystem: disk.system })
  }

  async open(options: LogOptions): Promise<void> {
    await this.#store.start()
    this.#log = await this.#store.open(partition, options)
    this.#states = (await recoverProducers(this.#log, testChecksum)).states
  }

  /** Holds the lists against a replay of the whole log. */
  async check(): Promise<void> {
    const { end } = this.#log.range()
    const expected: AbortedTransaction[] = []
    const slice = await this.#log.read(0n, { bytesMax: 1 << 20, atLeastOne: true, before: end })
    const states = new ProducerStates()
    for (const view of batchesIn(takeBytes(slice))) {
      const aborted = states.evolve(view, view.isControl ? readEndMarker(view) : null)
      if (aborted !== null) expected.push(aborted)
    }
    expect(await this.#log.abortedTransactions(0n, end)).toEqual(expected)
    const files: AbortedTransaction[] = []
    for (const { baseOffset } of this.#log.segments()) {
      const path = `/data/txn-0/${String(baseOffset).padStart(20, '0')}.txnindex`
      const bytes = await this.#disk.system.readFile(path)
      if (bytes !== null) files.push(...parseAborted(bytes))
    }
    expect(files).toEqual(expected)
  }

  async work(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      await this.#append(this.#next())
      if (this.#below(8) === 0) await this.#log.flush()
    }
  }

  async stop(): Promise<void> {
    const { end } = this.#log.range()
    if (this.#below(2) === 0) await this.#log.saveSnapshot({ offset: end, bytes: this.#snapshot() })
    await this.#store.close()
  }

  #next(): Uint8Array {
    const producerId = BigInt(this.#below(PRODUCERS))
    if (this.#states.isInTransaction(producerId, 0) && this.#below(2) === 0) {
      const marker = { producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1n }
      return buildEndMarker({ ...marker, committed: this.#below(3) === 0 }, crc32c)
    }
    const value = utf8('x'.repeat(this.#below(60)))
    return recordBatch([{ timestamp: 1n, key: null, value }], {
      ...{ producerId, producerEpoch: 0, transactional: true, baseSequence: 0 },
    })
  }

  async #append(bytes: Uint8Array): Promise<void> {
    const view = new RecordBatchView(bytes)
    const at = this.#log.range().end
    view.stamp(at, 0)
    const { lastOffset, maxTimestamp } = view
    const announced = this.#log.announce({ sizeBytes: bytes.length, lastOffset, maxTimestamp }, 1n)
    const snapshot = this.#snapshot()
    const aborted = this.#states.evolve(view, view.isControl ? readEndMarker(view) : null)
    const batch: StampedBatch = {
      ...{ bytes, baseOffset: at, lastOffset, maxTimestamp, leaderEpoch: 0 },
      ...(announced === 'new segment' && { newSegment: { snapshot } }),
      ...(aborted !== null && { aborted }),
    }
    await this.#log.append(at, [batch])
  }

  #snapshot(): Uint8Array {
    return encodeProducerSnapshot(this.#states, crc32c)
  }
}

describe('lists of aborted transactions on a disk that crashes', () => {
  it.each(seeds(30))('say what the log says (ODRADEK_SEED=%i)', async (seed) => {
    const below = seeded(seed)
    const flushMessages = below(3) === 0 ? 1n : testLogOptions.flushMessages
    const options = { ...testLogOptions, flushMessages, segmentBytes: 300 + below(3000), indexIntervalBytes: 100 }
    let disk = new SimulatedDisk(below)
    for (let life = 0; life < LIVES; life++) {
      const broker = new Life(below, disk)
      if (below(5) > 0) disk.killAfter(below(500))
      const lived = async () => {
        await broker.open(options)
        await broker.check()
        await broker.work()
        await broker.check()
        await broker.stop()
      }
      await Promise.race([lived(), disk.died])
      disk.kill()
      disk = disk.revive(below(2) === 0)
    }
    const last = new Life(below, disk)
    await last.open(options)
    await last.check()
    await last.stop()
  })
})
