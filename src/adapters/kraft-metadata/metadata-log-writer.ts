/**
 * The leader's end of the metadata log: gives batches their offsets, collects them and writes them in one go,
 * durable before `write` resolves. After a failed write nothing more is taken.
 */
import type { Clock } from '../../application/ports/clock.ts'
import type { PartitionLog, StampedBatch } from '../../application/ports/log-store.ts'
import type { Crc32c } from '../../domain/log/batch-writer.ts'
import type { ControlRecord } from './control-records.ts'
import type { BatchPlace } from './metadata-batches.ts'
import { controlBatch, dataBatch } from './metadata-batches.ts'

export class MetadataLogWriter {
  readonly #log: PartitionLog
  /** The epoch that this node leads. */
  readonly epoch: number
  readonly #clock: Clock
  readonly #crc32c: Crc32c
  #staged: StampedBatch[] = []
  #end: bigint
  #lastTimestamp = 0n

  constructor(log: PartitionLog, epoch: number, clock: Clock, crc32c: Crc32c) {
    this.#log = log
    this.epoch = epoch
    this.#clock = clock
    this.#crc32c = crc32c
    this.#end = log.range().end
  }

  /** The offset that the next staged record gets. */
  get end(): bigint {
    return this.#end
  }

  /** The timestamp of the newest batch. */
  get lastTimestamp(): bigint {
    return this.#lastTimestamp
  }

  stageControl(records: readonly ControlRecord[]): void {
    this.#stage(records.length, (place) => controlBatch(records, place, this.#crc32c))
  }

  /** One batch of encoded metadata records. */
  stageData(values: readonly Uint8Array[]): void {
    this.#stage(values.length, (place) => dataBatch(values, place, this.#crc32c))
  }

  /** Writes what is staged. Answers how many bytes that was. */
  async write(): Promise<number> {
    const batches = this.#staged
    const first = batches[0]
    if (first === undefined) return 0
    this.#staged = []
    const outcome = await this.#log.append(first.baseOffset, batches)
    if (outcome === 'conflict') {
      throw new Error(`the metadata log does not end at ${first.baseOffset}: somebody else writes to it`)
    }
    await this.#log.flush()
    return batches.reduce((bytes, batch) => bytes + batch.bytes.length, 0)
  }

  #stage(records: number, build: (place: BatchPlace) => Uint8Array): void {
    const baseOffset = this.#end
    const leaderEpoch = this.epoch
    const nowMs = this.#clock.nowMs()
    const bytes = build({ baseOffset, leaderEpoch, timestamp: nowMs })
    const lastOffset = baseOffset + BigInt(records) - 1n
    const announced = this.#log.announce({ sizeBytes: bytes.length, lastOffset, maxTimestamp: nowMs }, nowMs)
    const batch = { bytes, baseOffset, lastOffset, maxTimestamp: nowMs, leaderEpoch }
    this.#staged.push(announced === 'new segment' ? { ...batch, newSegment: { snapshot: null } } : batch)
    this.#end = lastOffset + 1n
    this.#lastTimestamp = nowMs
  }
}
