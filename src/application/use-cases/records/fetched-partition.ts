/** One partition of a fetch on its way from the request to the answer. */
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import type { AbortedTransaction } from '../../../domain/log/aborted-transaction.ts'
import type { EpochEndOffset } from '../../../domain/log/leader-epochs.ts'
import type { FetchOutcome } from '../../fetch-sessions.ts'
import type { FetchTarget } from '../../fetch-target.ts'
import type { ReadablePartition } from '../../partition.ts'
import type { LogSlice } from '../../ports/log-store.ts'

export interface LeaderHint {
  readonly leaderId: number
  readonly leaderEpoch: number
}

const NO_OFFSET = -1n
/** Kafka answers an empty list, not null, where it never came to read (observed). */
const noTransactions: readonly AbortedTransaction[] = []
const noChunks: readonly Uint8Array[] = []

/** What is answered for one partition: -1 in the offsets when there is an error. */
export class FetchedPartition implements FetchOutcome {
  readonly target: FetchTarget
  error: ErrorName = 'NONE'
  highWatermark = NO_OFFSET
  lastStableOffset = NO_OFFSET
  logStartOffset = NO_OFFSET
  /** The client's log is not a prefix of this one: where they part (KIP-595). */
  diverging: EpochEndOffset | null = null
  /** Who leads, for a client whose view is outdated (KIP-951). */
  currentLeader: LeaderHint | null = null
  abortedTransactions: readonly AbortedTransaction[] | null = null
  /** Turned away before its log was looked at: answered after the others, and no reason not to wait for those. */
  refused = false

  /** To be looked at in the next pass. */
  due = true
  partition: ReadablePartition | null = null
  /** As seen by the last pass, to find out what has changed since. */
  leaderEpochSeen = 0
  sizeSeen = 0
  /** What arrived since the last pass, as far as it may be answered. */
  grownBytes = 0
  #slice: LogSlice | null = null

  constructor(target: FetchTarget) {
    this.target = target
  }

  /** The batches, whole and as stored; valid until `release`. */
  get chunks(): readonly Uint8Array[] {
    return this.#slice?.chunks ?? noChunks
  }

  get recordBytes(): number {
    return this.#slice?.bytes ?? 0
  }

  take(slice: LogSlice): void {
    this.#slice = slice
  }

  /** Never read: unknown, or not allowed. */
  refuse(error: KafkaError): void {
    this.fail(error)
    this.refused = true
    this.abortedTransactions = noTransactions
  }

  fail(error: KafkaError): void {
    this.error = error
    this.highWatermark = NO_OFFSET
    this.lastStableOffset = NO_OFFSET
    this.logStartOffset = NO_OFFSET
    this.abortedTransactions = null
  }

  /** Notes what the partition is now, before it is read. */
  see(partition: ReadablePartition, countsBytes: boolean, readCommitted: boolean): void {
    this.highWatermark = partition.highWatermark
    this.lastStableOffset = partition.lastStableOffset
    this.logStartOffset = partition.logStartOffset
    this.leaderEpochSeen = partition.leaderEpoch
    if (countsBytes) this.sizeSeen = partition.sizeBytes()
    this.grownBytes = 0
    this.abortedTransactions = readCommitted ? noTransactions : null
  }

  /** Whether a new pass would see something else. */
  hasChanged(): boolean {
    const partition = this.partition!
    return (
      partition.highWatermark !== this.highWatermark ||
      partition.lastStableOffset !== this.lastStableOffset ||
      partition.logStartOffset !== this.logStartOffset ||
      this.mustLookAgain()
    )
  }

  /** Whether something other than the arrival of records has happened. */
  mustLookAgain(): boolean {
    const partition = this.partition!
    return (
      partition.state !== 'open' ||
      partition.leaderEpoch !== this.leaderEpochSeen ||
      partition.logStartOffset !== this.logStartOffset
    )
  }

  /** Forgets what was read: the next pass reads it again. */
  giveUp(): void {
    if (this.recordBytes === 0) return
    this.release()
    this.due = true
  }

  /** Gives the memory behind `chunks` back; they are gone then. */
  release(): void {
    const slice = this.#slice
    this.#slice = null
    slice?.release()
  }
}
