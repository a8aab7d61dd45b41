/**
 * Fetch: reads batches as they are stored, at once or as soon as enough has arrived (long poll), whole or as the
 * difference to what a fetch session's client has (KIP-227).
 *
 * A fetch waits while it has fewer than `minBytes`, nothing is wrong with a partition that it read, and `maxWaitMs`
 * are not over. Not done here: authorisation, quotas, down-conversion (gone since Kafka 4.0), reads from a nearer
 * replica or from tiered storage.
 */
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import type { FetchContext, FetchSessionRequest, FetchSessions } from '../../fetch-sessions.ts'
import { NO_SESSION } from '../../fetch-sessions.ts'
import { FetchTarget } from '../../fetch-target.ts'
import type { PartitionDirectory, ReadablePartition } from '../../partition.ts'
import type { Clock } from '../../ports/clock.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'
import { ReadBudget } from '../../read-budget.ts'
import type { Wait, Waiters } from '../../waiters.ts'
import { FetchRead } from './fetch-read.ts'
import { FetchedPartition, type LeaderHint } from './fetched-partition.ts'
import { isolationOf } from './isolation.ts'

export interface FetchRecordsSettings {
  /** `fetch.max.bytes`: the most bytes of one answer, whatever the client allows. */
  readonly fetchMaxBytes: number
  /** Memory that the answers of all fetches may hold together. */
  readonly heldBytesMax: number
}

export interface FetchCommand extends FetchSessionRequest {
  /** -1 = a consumer. */
  readonly replicaId: number
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  /** As on the wire: 0 = read uncommitted, 1 = read committed. */
  readonly isolationLevel: number
  /** Calls its argument once if the client goes before it is answered, so that a parked fetch ends. */
  readonly onAbandoned: (listener: () => void) => void
}

export interface FetchResult {
  readonly error: ErrorName
  readonly sessionId: number
  readonly partitions: readonly FetchedPartition[]
  /** Gives the memory behind all chunks back; to be called once, when they are no longer read. */
  release(): void
}

export class FetchRecords {
  readonly #partitions: PartitionDirectory
  readonly #metadata: MetadataRepository
  readonly #sessions: FetchSessions
  readonly #waiters: Waiters<ReadablePartition>
  readonly #clock: Clock
  readonly #settings: () => FetchRecordsSettings
  readonly #budget: ReadBudget

  constructor(
    partitions: PartitionDirectory,
    metadata: MetadataRepository,
    sessions: FetchSessions,
    waiters: Waiters<ReadablePartition>,
    clock: Clock,
    settings: () => FetchRecordsSettings,
  ) {
    this.#partitions = partitions
    this.#metadata = metadata
    this.#sessions = sessions
    this.#waiters = waiters
    this.#clock = clock
    this.#settings = settings
    this.#budget = new ReadBudget(() => settings().heldBytesMax)
  }

  async execute(command: FetchCommand): Promise<FetchResult> {
    const isolation = isolationOf(command.isolationLevel)
    // Kafka answers UNKNOWN_SERVER_ERROR, to the whole and to each partition.
    if (isolation === null) return refuseAll(command, 'INVALID_REQUEST')
    const { topicsById } = this.#metadata.image()
    const context = this.#sessions.begin(command, (id) => topicsById.get(id)?.name ?? null)
    if (typeof context === 'string') return refusal(context, [])
    const maxBytes = Math.min(command.maxBytes, this.#settings().fetchMaxBytes)
    const read = new FetchRead(this.#partitions, context.targets, {
      usesTopicIds: command.usesTopicIds,
      replicaId: command.replicaId,
      isolation,
      minBytes: Math.min(command.minBytes, maxBytes),
      maxBytes,
      budget: this.#budget,
      leaderOf: this.#leaderOf,
    })
    try {
      await this.#read(read, command)
      return resultOf(context, read)
    } catch (cause) {
      read.release()
      throw cause
    }
  }

  /** Reads until there is enough, the time is over or nobody wants the answer any more. */
  async #read(read: FetchRead, command: FetchCommand): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + command.maxWaitMs
    const parked: { wait: Wait | null; isAbandoned: boolean } = { wait: null, isAbandoned: false }
    for (;;) {
      const reading = read.pass()
      if (reading !== undefined) await reading
      if (read.isEnough || parked.isAbandoned || this.#clock.monotonicMs() >= deadlineMs) return
      if (reading !== undefined && read.movedOn()) continue
      if (parked.wait === null) {
        command.onAbandoned(() => {
          parked.isAbandoned = true
          parked.wait?.cancel()
        })
      }
      // From the look at the partitions to here there was no `await`: no notification can have been missed.
      parked.wait = this.#waiters.wait(read.park(), deadlineMs, read.grown)
      const ended = await parked.wait.ended
      if (ended === 'notified') continue
      if (ended !== 'cancelled') await read.pass()
      return
    }
  }

  readonly #leaderOf = (topic: string, partition: number): LeaderHint | null => {
    const image = this.#metadata.image().topicsByName.get(topic)?.partitions[partition]
    return image === undefined ? null : { leaderId: image.leader, leaderEpoch: image.leaderEpoch }
  }
}

function resultOf(context: FetchContext, read: FetchRead): FetchResult {
  const { error, sessionId, outcomes } = context.select(read.outcomes())
  return { error, sessionId, partitions: outcomes, release: () => read.release() }
}

function refusal(error: KafkaError, partitions: readonly FetchedPartition[]): FetchResult {
  return { error, sessionId: NO_SESSION, partitions, release: () => undefined }
}

function refuseAll(command: FetchCommand, error: KafkaError): FetchResult {
  const partitions = command.topics.flatMap((topic) =>
    topic.partitions.map((requested) => {
      const fetched = new FetchedPartition(new FetchTarget(topic.topic, topic.topicId, requested))
      fetched.refuse(error)
      return fetched
    }),
  )
  return refusal(error, partitions)
}
