/**
 * What is read of one partition: from the tail cache where it holds it, else from the log that is served now. A log may
 * be exchanged for another one (KIP-113) while it is asked; one that fails takes its partition offline.
 */
import type { AbortedTransaction } from '../domain/log/aborted-transaction.ts'
import type { RecordBatchView } from '../domain/log/record-batch.ts'
import { findByTimestamp, findMaxTimestamp } from '../domain/log/record.ts'
import { emptySlice } from './joined-slice.ts'
import type { Isolation, PartitionReadLimits } from './partition.ts'
import type { PartitionContext } from './partition-context.ts'
import { StorageError, type LogSlice, type PartitionLog, type TimestampOffset } from './ports/log-store.ts'
import { plainSection } from './prepare-batch.ts'
import type { TailWindow } from './tail-cache.ts'
import { findInBatch } from './timestamp-lookup.ts'

/** The partition, as far as readers need it. */
export interface ReadSource {
  /** @throws StorageError unless the partition is open */
  servedLog(): PartitionLog
  /** False once another log has taken its place. */
  isServed(log: PartitionLog): boolean
  /** Up to where this reader may go. */
  bound(isolation: Isolation): bigint
  maxDecompressedMessageBytes(): number
  /** The log that is still served has failed. */
  readFailed(during: string, cause: unknown): void
}

export class PartitionReads {
  readonly #source: ReadSource
  readonly #context: PartitionContext
  readonly #window: TailWindow

  constructor(source: ReadSource, context: PartitionContext, window: TailWindow) {
    this.#source = source
    this.#context = context
    this.#window = window
  }

  /** As `ReadablePartition.read`. */
  read(from: bigint, limits: PartitionReadLimits, isolation: Isolation): LogSlice | Promise<LogSlice> {
    // Looks whether the partition is open, for the tail too.
    this.#source.servedLog()
    const before = this.#source.bound(isolation)
    if (from >= before) return emptySlice(from)
    const within = { bytesMax: limits.bytesMax, atLeastOne: limits.atLeastOne, before }
    return this.#context.tail.read(this.#window, from, within) ?? this.ask('read', (log) => log.read(from, within))
  }

  async abortedTransactions(from: bigint, before: bigint): Promise<readonly AbortedTransaction[]> {
    return await this.ask('read', (log) => log.abortedTransactions(from, before))
  }

  async offsetForTimestamp(timestamp: bigint, isolation: Isolation): Promise<TimestampOffset | null> {
    const bound = this.#source.bound(isolation)
    const found = await this.ask('timestamp look-up', (log) =>
      log.offsetForTimestamp(timestamp, (batch, least, from) =>
        findInBatch(batch, this.#section, (view, section) => findByTimestamp(view, section, least, from)),
      ),
    )
    return found === null || found.offset >= bound ? null : found
  }

  offsetOfMaxTimestamp(): Promise<TimestampOffset | null> {
    return this.ask('timestamp look-up', (log) =>
      log.offsetOfMaxTimestamp((batch) => findInBatch(batch, this.#section, findMaxTimestamp)),
    )
  }

  /** Asks the log; a question that meets a log just exchanged for another one is asked again. */
  async ask<T>(during: string, work: (log: PartitionLog) => Promise<T>): Promise<T> {
    const log = this.#source.servedLog()
    try {
      return await work(log)
    } catch (cause) {
      if (!(cause instanceof StorageError)) throw cause
      if (!this.#source.isServed(log)) return await this.ask(during, work)
      this.#source.readFailed(during, cause)
      throw cause
    }
  }

  readonly #section = (view: RecordBatchView): Uint8Array =>
    plainSection(view, this.#context.compressor, this.#source.maxDecompressedMessageBytes())
}
