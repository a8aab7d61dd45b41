/**
 * The reading of one fetch: a pass looks at every partition that is due, in the client's order, and stays synchronous
 * as long as nothing must come from a disk. Between passes the fetch may be parked; `grown` then says whether what
 * happened meanwhile is worth another pass, without reading.
 *
 * Limits are KIP-74's: the first partition that has records gives at least one whole batch, whatever the limits say;
 * everybody after it keeps to them. Unlike Kafka, which cuts the last batch at the limit, only whole batches go out.
 */
import type { KafkaError } from '../../../domain/errors.ts'
import { checkLeaderEpoch, endOfEpoch, UNDEFINED_EPOCH } from '../../../domain/log/leader-epoch-lookup.ts'
import type { FetchTarget } from '../../fetch-target.ts'
import type { Isolation, PartitionDirectory, ReadablePartition } from '../../partition.ts'
import { type LogSlice, StorageError } from '../../ports/log-store.ts'
import type { ReadBudget } from '../../read-budget.ts'
import { FetchedPartition, type LeaderHint } from './fetched-partition.ts'

export interface FetchReadOptions {
  readonly usesTopicIds: boolean
  /** Not negative: a replica asks. */
  readonly replicaId: number
  readonly isolation: Isolation
  readonly minBytes: number
  readonly maxBytes: number
  /** Shared by all fetches. */
  readonly budget: ReadBudget
  /** Who leads a partition by the newest image. */
  readonly leaderOf: (topic: string, partition: number) => LeaderHint | null
}

export class FetchRead {
  readonly #directory: PartitionDirectory
  readonly #options: FetchReadOptions
  readonly #partitions: readonly FetchedPartition[]
  /** Those that a parked fetch waits for, in the order in which `park` names them. */
  #watched: readonly FetchedPartition[] = []
  #leftBytes = 0
  #atLeastOne = true
  /** What could be answered now, if batches were cut at the limits: what `minBytes` is compared with. */
  #availableBytes = 0
  #grownBytes = 0
  #failed = false
  #isFirstPass = true

  constructor(directory: PartitionDirectory, targets: readonly FetchTarget[], options: FetchReadOptions) {
    this.#directory = directory
    this.#options = options
    this.#partitions = targets.map((target) => new FetchedPartition(target))
  }

  /** Nothing is gained by waiting. */
  get isEnough(): boolean {
    return (
      this.#failed ||
      this.#availableBytes + this.#grownBytes >= this.#options.minBytes ||
      this.#partitions.every((partition) => partition.refused)
    )
  }

  /** Looks at every partition that is due; a promise only if something must be opened or read from a disk. */
  pass(): Promise<void> | undefined {
    this.#leftBytes = this.#options.maxBytes
    this.#atLeastOne = true
    this.#availableBytes = 0
    this.#grownBytes = 0
    const opening = this.#locate()
    this.#isFirstPass = false
    return opening === null ? this.#readFrom(0) : opening.then(() => this.#readFrom(0))
  }

  /** Gives up what was read and names what to wait for. Call in the turn in which the wait begins. */
  park(): ReadablePartition[] {
    this.#watched = this.#partitions.filter((partition) => !partition.refused)
    return this.#watched.map((partition) => {
      this.#giveUp(partition)
      return partition.partition!
    })
  }

  /** Something happened to a watched partition: is a pass worth it? Cheap, reads nothing. */
  readonly grown = (index: number): boolean => this.#grew(this.#watched[index]!)

  /** Whether something that is worth a pass happened while the last one waited for a disk. */
  movedOn(): boolean {
    let worth = false
    for (const partition of this.#partitions) {
      if (!partition.refused && partition.hasChanged() && this.#grew(partition)) worth = true
    }
    return worth
  }

  /** In the order in which Kafka answers: first what was read, then what was refused. */
  outcomes(): FetchedPartition[] {
    const read = this.#partitions.filter((partition) => !partition.refused)
    if (read.length === this.#partitions.length) return read
    return [...read, ...this.#partitions.filter((partition) => partition.refused)]
  }

  release(): void {
    for (const partition of this.#partitions) {
      this.#options.budget.give(partition.recordBytes)
      partition.release()
    }
  }

  #giveUp(partition: FetchedPartition): void {
    this.#options.budget.give(partition.recordBytes)
    partition.giveUp()
  }

  #grew(fetched: FetchedPartition): boolean {
    fetched.due = true
    const { minBytes, isolation } = this.#options
    const partition = fetched.partition!
    if (minBytes <= 1 || fetched.mustLookAgain()) return true
    // What an open transaction held back becomes readable without any growth.
    if (isolation === 'read committed' && fetched.lastStableOffset !== fetched.highWatermark) return true
    const grown = partition.sizeBytes() - fetched.sizeSeen
    if (grown <= 0) return partition.highWatermark !== fetched.highWatermark
    const grownBytes = Math.min(grown, fetched.target.partitionMaxBytes)
    this.#grownBytes += grownBytes - fetched.grownBytes
    fetched.grownBytes = grownBytes
    return this.#availableBytes + this.#grownBytes >= minBytes
  }

  /** Finds the partitions that are due; all that are still opening do so at the same time. */
  #locate(): Promise<unknown> | null {
    let opening: Promise<void>[] | null = null
    for (const fetched of this.#partitions) {
      // What an earlier pass read counts again in this one, so that limits hold over the whole answer.
      if (fetched.recordBytes > 0) this.#giveUp(fetched)
      if (!fetched.due || fetched.refused) continue
      const error = this.#find(fetched)
      if (error !== null) {
        fetched.refuse(error)
        // It was there when the fetch began to wait.
        if (!this.#isFirstPass) this.#failed = true
      } else if (fetched.partition!.state === 'opening') (opening ??= []).push(fetched.partition!.whenOpen())
    }
    return opening === null ? null : Promise.all(opening)
  }

  #find(fetched: FetchedPartition): KafkaError | null {
    const { target } = fetched
    if (target.found === null || target.found.state === 'closed') {
      if (target.topic === '' && this.#options.usesTopicIds) return 'UNKNOWN_TOPIC_ID'
      target.found = this.#directory.find(target.topic, target.partition)
    }
    fetched.partition = target.found
    return target.found === null ? 'UNKNOWN_TOPIC_OR_PARTITION' : null
  }

  #readFrom(first: number): Promise<void> | undefined {
    const partitions = this.#partitions
    for (let index = first; index < partitions.length; index++) {
      const fetched = partitions[index]!
      if (!fetched.due || fetched.refused) continue
      fetched.due = false
      const reading = this.#readOne(fetched)
      if (reading !== undefined) return reading.then(() => this.#readFrom(index + 1))
    }
    return undefined
  }

  #readOne(fetched: FetchedPartition): Promise<void> | undefined {
    const partition = fetched.partition!
    const { target } = fetched
    const { isolation } = this.#options
    fetched.error = 'NONE'
    const error = this.#check(fetched, partition)
    if (error !== null) {
      this.#fail(fetched, error)
      return undefined
    }
    if (fetched.diverging !== null) return undefined
    const end = isolation === 'read committed' ? fetched.lastStableOffset : fetched.highWatermark
    if (target.fetchOffset >= end) return undefined
    const bytesMax = Math.min(target.partitionMaxBytes, this.#leftBytes)
    // Kafka answers UNKNOWN_SERVER_ERROR to a negative size.
    if (bytesMax < 0) this.#fail(fetched, 'INVALID_REQUEST')
    if (bytesMax < 0 || (bytesMax === 0 && !this.#atLeastOne)) return undefined
    const reservedBytes = this.#options.budget.reserve(bytesMax, this.#atLeastOne)
    if (reservedBytes === 0 && !this.#atLeastOne) {
      // There is more, for the next fetch: nothing to wait for.
      this.#availableBytes += bytesMax
      return undefined
    }
    const limits = { bytesMax: reservedBytes, atLeastOne: this.#atLeastOne }
    const taken = (slice: LogSlice): Promise<void> | undefined => {
      this.#options.budget.settle(reservedBytes, slice.bytes)
      this.#take(fetched, slice, bytesMax, end)
      return isolation === 'read committed' && slice.bytes > 0 ? this.#takeAborted(fetched, slice) : undefined
    }
    const failed = (cause: unknown): void => {
      this.#options.budget.settle(reservedBytes, 0)
      this.#failRead(fetched, cause)
    }
    try {
      const slice = partition.read(target.fetchOffset, limits, isolation)
      if (slice instanceof Promise) return slice.then(taken, failed)
      return taken(slice)
    } catch (cause) {
      failed(cause)
    }
    return undefined
  }

  #take(fetched: FetchedPartition, slice: LogSlice, bytesMax: number, end: bigint): void {
    const { bytes } = slice
    fetched.take(slice)
    // Where a limit ended the slice, Kafka would have filled it up with a part of the next batch.
    const limited = slice.nextOffset < end && (bytes > 0 || !this.#atLeastOne)
    this.#availableBytes += limited ? Math.max(bytes, bytesMax) : bytes
    this.#leftBytes = Math.max(0, this.#leftBytes - bytes)
    if (bytes > 0) this.#atLeastOne = false
  }

  /** Which transactions among the batches were aborted: the reader leaves their records out. */
  async #takeAborted(fetched: FetchedPartition, { nextOffset }: LogSlice): Promise<void> {
    try {
      fetched.abortedTransactions = await fetched.partition!.abortedTransactions(fetched.target.fetchOffset, nextOffset)
    } catch (cause) {
      fetched.release()
      this.#failRead(fetched, cause)
    }
  }

  #fail(fetched: FetchedPartition, error: KafkaError): void {
    fetched.fail(error)
    this.#failed = true
    if (error === 'NOT_LEADER_OR_FOLLOWER' || error === 'FENCED_LEADER_EPOCH') {
      const { target } = fetched
      fetched.currentLeader = this.#options.leaderOf(target.topic, target.partition)
    }
  }

  #failRead(fetched: FetchedPartition, cause: unknown): void {
    if (!(cause instanceof StorageError)) throw cause
    this.#fail(fetched, 'KAFKA_STORAGE_ERROR')
  }

  /** Everything that can be said without reading, in the order in which Kafka says it. */
  #check(fetched: FetchedPartition, partition: ReadablePartition): KafkaError | null {
    const { target } = fetched
    const { usesTopicIds, minBytes, isolation, replicaId } = this.#options
    if (partition.state === 'closed') return 'UNKNOWN_TOPIC_OR_PARTITION'
    if (partition.state !== 'open') return 'KAFKA_STORAGE_ERROR'
    if (usesTopicIds && partition.topicId !== target.topicId) return 'INCONSISTENT_TOPIC_ID'
    // Here every negative epoch stands for none; elsewhere only -1 does (observed on 4.3.1).
    const believed = Math.max(target.currentLeaderEpoch, UNDEFINED_EPOCH)
    const epochError = checkLeaderEpoch(believed, partition.leaderEpoch)
    if (epochError !== null) return epochError
    // There are no followers, so whoever claims to be a replica is none of this partition.
    if (replicaId >= 0) return 'NOT_LEADER_OR_FOLLOWER'
    fetched.see(partition, minBytes > 1, isolation === 'read committed')
    if (target.lastFetchedEpoch >= 0) {
      const error = this.#checkDivergence(fetched, partition)
      if (error !== null || fetched.diverging !== null) return error
    }
    const inRange = target.fetchOffset >= fetched.logStartOffset && target.fetchOffset <= fetched.highWatermark
    return inRange ? null : 'OFFSET_OUT_OF_RANGE'
  }

  #checkDivergence(fetched: FetchedPartition, partition: ReadablePartition): KafkaError | null {
    const { target } = fetched
    const history = {
      entries: partition.leaderEpochs(),
      currentEpoch: partition.leaderEpoch,
      logEnd: fetched.highWatermark,
    }
    const end = endOfEpoch(history, target.lastFetchedEpoch)
    if (end === null || target.fetchOffset < fetched.logStartOffset) return 'OFFSET_OUT_OF_RANGE'
    if (end.epoch < target.lastFetchedEpoch || end.endOffset < target.fetchOffset) {
      fetched.diverging = end
      this.#failed = true
    }
    return null
  }
}
