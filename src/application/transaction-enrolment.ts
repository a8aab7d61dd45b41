/**
 * What the log side asks of the transaction coordinator: may this producer write to these partitions as part of its
 * transaction? Answers are the coordinator's own (INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, INVALID_TXN_STATE,
 * CONCURRENT_TRANSACTIONS, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE,
 * TRANSACTION_ABORTABLE …); whoever asks translates them for its clients.
 */
import type { KafkaError } from '../domain/errors.ts'
import type { TopicPartition } from '../domain/topic-partition.ts'

export interface EnrolCommand {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly partitions: readonly TopicPartition[]
}

/** In the order of the command's partitions; null = it is part of the transaction. */
export type Enrolled = readonly (KafkaError | null)[]

export interface TransactionEnrolment {
  /**
   * Takes the partitions into the producer's transaction by Transactions V2 (KIP-890), which begins when none is open.
   * All or none of them are taken in. No promise when the answer is known at once: all are in already, or the
   * coordinator refuses. A promise resolves when the record is written, and never rejects.
   */
  add(command: EnrolCommand): Enrolled | Promise<Enrolled>

  /**
   * Whether each partition is part of the ongoing transaction, from memory: TRANSACTION_ABORTABLE for one that is not.
   * While another write of the coordinator is under way this may answer by a state that is not durable yet.
   */
  verify(command: EnrolCommand): Enrolled
}
