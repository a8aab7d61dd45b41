/** AddPartitionsToTxn, AddOffsetsToTxn and what Produce adds by itself: partitions become part of a transaction. */
import type { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { decided, refuse, type Decided, type Refused } from './decision.ts'
import { contains, isEnding, isSettled, withPartitions, type Transaction } from './transaction.ts'

export interface EnrolPartitionsCommand {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly partitions: readonly TopicPartition[]
}

/** Whether the producer's transaction is open and has all of the partitions. */
export function isEnrolledBy(
  present: Transaction | null,
  { producerId, producerEpoch, partitions }: EnrolPartitionsCommand,
): boolean {
  return (
    present?.producerId === producerId && present.producerEpoch === producerEpoch && isEnrolled(present, partitions)
  )
}

function isEnrolled(present: Transaction, partitions: readonly TopicPartition[]): boolean {
  return present.state === 'Ongoing' && partitions.every((each) => contains(present, each))
}

/** All partitions are taken in or none; nothing changes when all are in already. */
export function decideEnrol(
  present: Transaction | null,
  { producerId, producerEpoch, partitions }: EnrolPartitionsCommand,
  clientVersion: number,
  nowMs: bigint,
): Decided | Refused {
  if (present === null) return refuse('INVALID_PRODUCER_ID_MAPPING')
  if (isEnding(present)) return refuse('CONCURRENT_TRANSACTIONS')
  if (present.producerId !== producerId) return refuse('INVALID_PRODUCER_ID_MAPPING')
  if (present.producerEpoch !== producerEpoch) return refuse('PRODUCER_FENCED')
  if (isEnrolled(present, partitions)) return decided(null)
  return decided({
    ...present,
    previousProducerId: present.producerId,
    nextProducerId: -1n,
    state: 'Ongoing',
    partitions: withPartitions(present.partitions, partitions),
    startMs: isSettled(present) ? nowMs : present.startMs,
    updatedMs: nowMs,
    clientVersion,
  })
}

/** Whether each partition is part of the open transaction, in their order; null = it is. */
export function verifyEnrolled(
  present: Transaction | null,
  { producerId, producerEpoch, partitions }: EnrolPartitionsCommand,
): readonly (KafkaError | null)[] {
  const all = (error: KafkaError) => partitions.map(() => error)
  if (present?.producerId !== producerId) return all('INVALID_PRODUCER_ID_MAPPING')
  if (present.producerEpoch !== producerEpoch) return all('PRODUCER_FENCED')
  if (isEnding(present)) return all('CONCURRENT_TRANSACTIONS')
  return partitions.map((each) => (contains(present, each) ? null : 'TRANSACTION_ABORTABLE'))
}
