/**
 * Writes the markers that end transactions in the partitions of this broker. Each partition is answered for itself; a
 * marker that is there already is written again and changes nothing for readers.
 *
 * Those of `__consumer_offsets` go through the group coordinator, which lets the offsets of the transaction count.
 */
import { CONSUMER_OFFSETS_TOPIC } from '../domain/cluster/internal-topics.ts'
import type { KafkaError } from '../domain/errors.ts'
import { buildEndMarker } from '../domain/log/end-marker.ts'
import { RecordBatchView } from '../domain/log/record-batch.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import type { Partitions } from './partitions.ts'
import type { Checksum } from './ports/checksum.ts'
import type { Clock } from './ports/clock.ts'

/** One marker for one partition. */
export interface TransactionMarker {
  readonly topic: string
  readonly partition: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly committed: boolean
  /** From 2 on the epoch was raised for the marker (KIP-890), and one that was not raised is refused. */
  readonly transactionVersion: number
}

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

  /** Resolves when the marker is written, or with why it is not. */
  async write(marker: TransactionMarker): Promise<KafkaError | null> {
    const { topic, partition, producerId, committed, transactionVersion } = marker
    const hosted = this.#partitions.find(topic, partition)
    if (hosted === null) return 'UNKNOWN_TOPIC_OR_PARTITION'
    const bytes = buildEndMarker({ ...marker, timestamp: this.#clock.nowMs() }, (part) => this.#checksum.crc32c(part))
    const batch = new RecordBatchView(bytes)
    if (topic === CONSUMER_OFFSETS_TOPIC) {
      const end = { producerId, committed, marker: batch, transactionVersion }
      const { error } = await this.#groups.coordinator.endTransaction(partition, end)
      return error === null ? null : notReady(error)
    }
    const command = { batch, origin: 'coordinator', lease: undefined, acksAll: true, transactionVersion } as const
    return new Promise((resolve) => {
      hosted.append(command, ({ error }) => resolve(error === 'NONE' ? null : error))
    })
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
