/**
 * Writes the markers that end transactions in the partitions of this broker. Each partition is answered for itself; a
 * marker that is there already is written again and changes nothing for readers.
 *
 * Those of `__consumer_offsets` go through the group coordinator, which lets the offsets of the transaction count.
 */
import { CONSUMER_OFFSETS_TOPIC } from '../domain/cluster/internal-topics.ts'
import type { KafkaError } from '../domain/errors.ts'
import { buildEndMarkers } from '../domain/log/end-marker.ts'
import type { RecordBatchView } from '../domain/log/record-batch.ts'
import type { TopicPartition } from '../domain/topic-partition.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import type { Partitions } from './partitions.ts'
import type { Checksum } from './ports/checksum.ts'
import type { Clock } from './ports/clock.ts'

/** What ends a transaction in each of its partitions. */
export interface TransactionMarker {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly committed: boolean
  /** From 2 on the epoch was raised for the marker (KIP-890), and one that was not raised is refused. */
  readonly transactionVersion: number
}

/** Called once for each partition, with its place among them: null = its marker is written. */
export type MarkerSettled = (place: number, error: KafkaError | null) => void

export class TransactionMarkers {
  readonly #partitions: Partitions
  readonly #groups: GroupCoordinator
  readonly #clock: Clock
  readonly #checksum: Checksum

  constructor(partitions: Partitions, groups: GroupCoordinator, clock: Clock, checksum: Checksum) {
    this.#partitions = partitions
    this.#groups = groups
    this.#clock = clock
    this.#checksum = checksum
  }

  /** Appends the marker to each of the partitions; some may be settled before it returns. */
  write(marker: TransactionMarker, to: readonly TopicPartition[], settled: MarkerSettled): void {
    const { producerId, producerEpoch, coordinatorEpoch, committed, transactionVersion } = marker
    const timestamp = this.#clock.nowMs()
    const batches = buildEndMarkers(
      { producerId, producerEpoch, coordinatorEpoch, committed, timestamp },
      to.length,
      (part) => this.#checksum.crc32c(part),
    )
    to.forEach(({ topic, partition }, i) => {
      const batch = batches[i]!
      const hosted = this.#partitions.find(topic, partition)
      const settle = (error: KafkaError | null) => settled(i, error)
      if (hosted === null) settle('UNKNOWN_TOPIC_OR_PARTITION')
      else if (topic === CONSUMER_OFFSETS_TOPIC) this.#endOffsets(marker, batch, partition, settle)
      else {
        const command = { batch, origin: 'coordinator', lease: undefined, acksAll: true, transactionVersion } as const
        hosted.append(command, ({ error }) => settle(error === 'NONE' ? null : error))
      }
    })
  }

  #endOffsets(
    { producerId, committed, transactionVersion }: TransactionMarker,
    marker: RecordBatchView,
    partition: number,
    settle: (error: KafkaError | null) => void,
  ): void {
    const end = { producerId, committed, marker, transactionVersion }
    const failed = (): void => settle('UNKNOWN_SERVER_ERROR')
    this.#groups.coordinator
      .endTransaction(partition, end)
      .then(({ error }) => settle(error === null ? null : notReady(error)), failed)
  }
}

/** Whoever writes markers knows the errors of partitions, not those of groups: this one means try again later. */
function notReady(error: KafkaError): KafkaError {
  switch (error) {
    case 'COORDINATOR_NOT_AVAILABLE':
    case 'COORDINATOR_LOAD_IN_PROGRESS':
    case 'NOT_COORDINATOR':
      return 'NOT_LEADER_OR_FOLLOWER'
    default:
      return error
  }
}
