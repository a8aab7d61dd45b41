/** A partition whose every state a test sets by hand, over batches in an array; reads come at once or a turn later. */
import type { KafkaError } from '../../src/domain/errors.ts'
import type { AbortedTransaction } from '../../src/domain/log/aborted-transaction.ts'
import type { LeaderEpochEntry } from '../../src/domain/log/leader-epochs.ts'
import type {
  Isolation,
  PartitionDirectory,
  PartitionReadLimits,
  ReadablePartition,
} from '../../src/application/partition.ts'
import {
  type LogSlice,
  type StampedBatch,
  StorageError,
  type TimestampOffset,
} from '../../src/application/ports/log-store.ts'
import { storedBatch } from './stored-batches.ts'

export class TestPartition implements ReadablePartition {
  readonly topicPartition
  readonly topicId
  state: ReadablePartition['state'] = 'open'
  logStartOffset = 0n
  highWatermark = 0n
  /** null = the high watermark. */
  firstUnstable: bigint | null = null
  leaderEpoch = 0
  epochs: LeaderEpochEntry[] = []
  batches: StampedBatch[] = []
  /** 'later': as from a disk. */
  reads: 'now' | 'later' = 'now'
  readFails = false
  aborted: AbortedTransaction[] = []
  abortedUnreadable = false
  path = '/logs'
  /** Slices that were read and not given back. */
  held = 0
  readCount = 0
  byTimestamp: TimestampOffset | null = null
  ofMaxTimestamp: TimestampOffset | null = null
  opening: Promise<void> = Promise.resolve()

  constructor(topic: string, partition: number, topicId = `${topic}-id`) {
    this.topicPartition = { topic, partition }
    this.topicId = topicId
  }

  get lastStableOffset(): bigint {
    return this.firstUnstable ?? this.highWatermark
  }

  /** Appends batches of `bytes` each with `count` records. */
  append(batches: number, { bytes = 100, count = 1 } = {}): void {
    for (let i = 0; i < batches; i++) {
      const batch = storedBatch({ baseOffset: this.highWatermark, count, bodyBytes: bytes - 61 })
      this.batches.push(batch)
      this.highWatermark += BigInt(count)
    }
  }

  whenOpen(): Promise<void> {
    return this.opening
  }

  leaderEpochs(): readonly LeaderEpochEntry[] {
    return this.epochs
  }

  sizeBytes(): number {
    return this.batches.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  directory(): string {
    return this.path
  }

  read(from: bigint, limits: PartitionReadLimits, isolation: Isolation): LogSlice | Promise<LogSlice> {
    this.readCount += 1
    const before = isolation === 'read committed' ? this.lastStableOffset : this.highWatermark
    if (from < this.logStartOffset || from > this.highWatermark) throw new RangeError(`read of ${from}`)
    const read = (): LogSlice => {
      if (this.readFails) throw new StorageError('broken')
      const chunks: Uint8Array[] = []
      let [bytes, nextOffset] = [0, from]
      for (const batch of this.batches) {
        if (batch.lastOffset < from) continue
        const fits = bytes + batch.bytes.length <= limits.bytesMax || (limits.atLeastOne && bytes === 0)
        if (batch.baseOffset >= before || !fits) break
        chunks.push(batch.bytes)
        bytes += batch.bytes.length
        nextOffset = batch.lastOffset + 1n
      }
      this.held += 1
      let released = false
      const release = () => {
        if (released) throw new Error('released twice')
        released = true
        this.held -= 1
      }
      return { chunks, bytes, nextOffset, release }
    }
    return this.reads === 'now' ? read() : Promise.resolve().then(read)
  }

  abortedTransactions(from: bigint, before: bigint): Promise<readonly AbortedTransaction[]> {
    if (this.abortedUnreadable) return Promise.reject(new StorageError('broken'))
    return Promise.resolve(this.aborted.filter((each) => each.lastOffset >= from && each.firstOffset < before))
  }

  offsetForTimestamp(): Promise<TimestampOffset | null> {
    if (this.readFails) return Promise.reject(new StorageError('broken'))
    return Promise.resolve(this.byTimestamp)
  }

  offsetOfMaxTimestamp(): Promise<TimestampOffset | null> {
    return Promise.resolve(this.ofMaxTimestamp)
  }

  trim(before: bigint): Promise<KafkaError | null> {
    if (this.readFails) return Promise.resolve('KAFKA_STORAGE_ERROR')
    this.logStartOffset = before
    return Promise.resolve(null)
  }
}

export class TestDirectory implements PartitionDirectory {
  readonly partitions: TestPartition[] = []

  add(topic: string, partition: number, topicId?: string): TestPartition {
    const made = new TestPartition(topic, partition, topicId)
    this.partitions.push(made)
    return made
  }

  find(topic: string, partition: number): TestPartition | null {
    const named = ({ topicPartition, state }: TestPartition) =>
      topicPartition.topic === topic && topicPartition.partition === partition && state !== 'closed'
    return this.partitions.find(named) ?? null
  }
}
