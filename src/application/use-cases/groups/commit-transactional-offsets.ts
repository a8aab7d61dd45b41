/**
 * TxnOffsetCommit: stores the offsets of a group as part of a transaction. They are pending until its marker comes.
 *
 * As with records, the transaction coordinator is asked before a transaction begins in the group's partition of
 * `__consumer_offsets`: newer clients have it taken in on the way, of older ones it is checked that they had it added.
 */
import { CONSUMER_OFFSETS_TOPIC } from '../../../domain/cluster/internal-topics.ts'
import type { KafkaError } from '../../../domain/errors.ts'
import {
  decideCommit,
  refuseTransactionalCommit,
  type CommitCommand,
  type OffsetRules,
} from '../../../domain/groups/offset-rules.ts'
import { LEAVE_NOT_CHECKED, NO_LEAVE } from '../../../domain/log/transaction-leaves.ts'
import type { GroupCoordinator } from '../../group-coordinator.ts'
import type { Partitions } from '../../partitions.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'
import { ProducerTurns } from '../../producer-turns.ts'
import type { Enrolled, TransactionEnrolment } from '../../transaction-enrolment.ts'
import { commitKnown, type CommittedTopicResult, type PartitionErrors, type TopicOffsets } from './known-topics.ts'

export interface CommitTransactionalOffsetsCommand extends Pick<
  CommitCommand,
  'groupId' | 'memberId' | 'groupInstanceId' | 'generationOrEpoch'
> {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  /** From TxnOffsetCommit v5 on: Transactions V2 (KIP-890). */
  readonly addsGroup: boolean
  /** From v4 on clients know TRANSACTION_ABORTABLE. */
  readonly knowsAbortable: boolean
  readonly topics: readonly TopicOffsets[]
}

export interface TransactionalOffsetsSettings extends OffsetRules {
  readonly transactionPartitionVerificationEnable: boolean
}

export interface TransactionalOffsetsParts {
  readonly groups: GroupCoordinator
  readonly partitions: Partitions
  readonly enrolment: TransactionEnrolment
  readonly metadata: MetadataRepository
}

type Commit = Omit<CommitTransactionalOffsetsCommand, 'topics'> & Pick<CommitCommand, 'topics'>

export class CommitTransactionalOffsets {
  readonly #parts: TransactionalOffsetsParts
  readonly #settings: () => TransactionalOffsetsSettings
  /** Of two commits of a partition the one that was sent later has to count. */
  readonly #turns = new ProducerTurns()

  constructor(parts: TransactionalOffsetsParts, settings: () => TransactionalOffsetsSettings) {
    this.#parts = parts
    this.#settings = settings
  }

  /** Answers for all partitions, in the order of the command. */
  async execute(command: CommitTransactionalOffsetsCommand): Promise<readonly CommittedTopicResult[]> {
    return commitKnown(this.#parts.metadata.image(), command.topics, async (topics) => {
      const answer = await this.#commit({ ...command, topics })
      return typeof answer === 'string' ? topics.map(({ partitions }) => partitions.map(() => answer)) : answer
    })
  }

  async #commit(command: Commit): Promise<PartitionErrors | KafkaError> {
    const { groupId, producerId, producerEpoch } = command
    if (groupId === '') return 'INVALID_GROUP_ID'
    const { coordinator } = this.#parts.groups
    const partition = coordinator.partitionOf(groupId)
    if (partition === null) return 'COORDINATOR_NOT_AVAILABLE'
    const leave = await this.#turns.after(producerId, this.#leave(command, partition))
    if (typeof leave === 'string') return leave
    const rules = this.#settings()
    const { error, answer } = await coordinator.runAt<PartitionErrors | KafkaError>(
      partition,
      (shard, nowMs) => {
        const refused = refuseTransactionalCommit(shard.group(groupId), command)
        if (refused !== null) return { records: [], answer: refused }
        const { records, errors } = decideCommit({ ...command, retentionTimeMs: -1n }, rules, nowMs)
        return { records, answer: errors }
      },
      { producerId, producerEpoch, leave },
    )
    return error ?? answer
  }

  /** What the records are to be appended with, or why they are not. */
  #leave(command: Commit, partition: number): number | KafkaError | Promise<number | KafkaError> {
    const { transactionalId, producerId, producerEpoch, addsGroup, knowsAbortable } = command
    const isVerified = this.#settings().transactionPartitionVerificationEnable
    if (!addsGroup && !isVerified) return LEAVE_NOT_CHECKED
    const hosted = this.#parts.partitions.find(CONSUMER_OFFSETS_TOPIC, partition)
    if (hosted === null) return 'NOT_COORDINATOR'
    const leave = hosted.askLeave({ producerId, producerEpoch, baseSequence: 0 }, addsGroup)
    if (leave === null) return 'INVALID_PRODUCER_EPOCH'
    if (leave === NO_LEAVE) return leave
    const partitions = [{ topic: CONSUMER_OFFSETS_TOPIC, partition }]
    const asked = { transactionalId, producerId, producerEpoch, partitions }
    const { enrolment } = this.#parts
    const left = ([error]: Enrolled) => {
      if (error !== null && error !== undefined) return told(error, knowsAbortable)
      return isVerified ? leave : LEAVE_NOT_CHECKED
    }
    const enrolled = addsGroup ? enrolment.add(asked) : enrolment.verify(asked)
    return enrolled instanceof Promise ? enrolled.then(left) : left(enrolled)
  }
}

/** The transaction coordinator's answer in the words that clients of this version understand. */
function told(error: KafkaError, knowsAbortable: boolean): KafkaError {
  if (error === 'PRODUCER_FENCED') return 'INVALID_PRODUCER_EPOCH'
  return error === 'TRANSACTION_ABORTABLE' && !knowsAbortable ? 'INVALID_TXN_STATE' : error
}
