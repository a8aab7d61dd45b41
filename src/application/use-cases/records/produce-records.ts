/**
 * Appends the batches of one Produce request, each partition answered for itself.
 *
 * Everything up to the place in a partition's log happens in the same turn as `execute` is called (or, when too much
 * waits to be written, in the order in which the requests came): requests of one connection are never reordered.
 * The answer comes when all that was accepted is written; acks 0, 1 and -1 differ in nothing else on a single node.
 * Batches that begin a transaction wait in their place for the transaction coordinator (transactional-appends.ts).
 * Authorisation and quotas are not here yet.
 */
import { isInternalTopic } from '../../../domain/cluster/internal-topics.ts'
import type { KafkaError } from '../../../domain/errors.ts'
import { takeSoleBatch } from '../../../domain/log/append-rules.ts'
import type { RecordBatchView } from '../../../domain/log/record-batch.ts'
import type { Uuid } from '../../../domain/uuid.ts'
import { NOT_KNOWN, notAppended, refused, type AppendResult } from '../../append-result.ts'
import type { HostedPartition } from '../../hosted-partition.ts'
import type { Partitions } from '../../partitions.ts'
import type { Lease } from '../../ports/lease.ts'
import type { TransactionEnrolment } from '../../transaction-enrolment.ts'
import { isTransactional, TransactionalAppends, transactionalProducer } from './transactional-appends.ts'

export interface ProduceCommand {
  readonly acks: number
  /** Topics are named by id (Produce v13), not by name. */
  readonly byId: boolean
  /** Whether the request's version may carry zstd. */
  readonly zstd: boolean
  readonly clientId: string | null
  readonly transactionalId: string | null
  /** What the request's version knows of transactions. */
  readonly addsPartitions: boolean
  readonly knowsAbortable: boolean
  /** The memory that the records lie in. */
  readonly lease: Lease
  readonly topics: readonly {
    readonly name: string
    readonly topicId: Uuid
    readonly partitions: readonly { readonly index: number; readonly records: Uint8Array | null }[]
  }[]
}

/** In the order of the command, every topic and partition of it. */
export interface ProducedTopic {
  readonly name: string
  readonly topicId: Uuid
  readonly partitions: { readonly index: number; result: AppendResult }[]
}

/** The one client that Kafka lets write to internal topics: its own admin. */
const ADMIN_CLIENT_ID = '__admin_client'
const pending = notAppended('UNKNOWN_SERVER_ERROR')

export interface ProduceRecordsSettings {
  readonly transactionPartitionVerificationEnable: boolean
}

export class ProduceRecords {
  readonly #partitions: Partitions
  readonly #enrolment: TransactionEnrolment
  readonly #settings: () => ProduceRecordsSettings

  constructor(partitions: Partitions, enrolment: TransactionEnrolment, settings: () => ProduceRecordsSettings) {
    this.#partitions = partitions
    this.#enrolment = enrolment
    this.#settings = settings
  }

  execute(command: ProduceCommand): Promise<readonly ProducedTopic[]> {
    return new Promise((resolve) => {
      this.#partitions.budget.admit(() => this.#append(command, resolve))
    })
  }

  #append(command: ProduceCommand, answer: (topics: readonly ProducedTopic[]) => void): void {
    const transactional = this.#transactional(command)
    if (typeof transactional === 'string') {
      answer(refuseAll(command, transactional))
      return
    }
    const topics: ProducedTopic[] = []
    // One more than there are, so that nothing is answered before everything was looked at.
    let open = 1
    const settled = (): void => {
      if (--open === 0) answer(topics)
    }
    for (const topic of command.topics) {
      const partitions: { index: number; result: AppendResult }[] = []
      topics.push({ name: topic.name, topicId: topic.topicId, partitions })
      for (const { index, records } of topic.partitions) {
        const produced = { index, result: pending }
        partitions.push(produced)
        open++
        this.#appendTo(command, topic, index, records, transactional, (result) => {
          produced.result = result
          settled()
        })
      }
    }
    transactional?.run()
    settled()
  }

  /** How transactional batches are appended; null when there are none; or why nothing of the request is. */
  #transactional(command: ProduceCommand): TransactionalAppends | null | KafkaError {
    if (!hasTransactional(command)) return null
    const { topics, transactionalId, addsPartitions, knowsAbortable } = command
    // Whoever does not name the transaction cannot have been allowed to write in it.
    if (transactionalId === null) return 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'
    const all = topics.flatMap(({ partitions }) => partitions.map(({ records }) => records))
    if (transactionalProducer(all) === 'several') return 'INVALID_PRODUCER_ID_MAPPING'
    const { transactionPartitionVerificationEnable } = this.#settings()
    const transaction = { transactionalId, addsPartitions, knowsAbortable }
    return new TransactionalAppends(this.#enrolment, transactionPartitionVerificationEnable, transaction)
  }

  #appendTo(
    command: ProduceCommand,
    topic: ProduceCommand['topics'][number],
    index: number,
    records: Uint8Array | null,
    transactional: TransactionalAppends | null,
    settle: (result: AppendResult) => void,
  ): void {
    const partition = command.byId
      ? this.#partitions.findById(topic.topicId, index)
      : this.#partitions.find(topic.name, index)
    if (partition === null) settle(notAppended('UNKNOWN_TOPIC_OR_PARTITION'))
    else if (partition === 'UNKNOWN_TOPIC_ID') settle(notAppended('UNKNOWN_TOPIC_ID'))
    else {
      const batch = takeBatch(command, partition, records)
      if ('error' in batch) {
        settle(batch)
        return
      }
      const append = { batch, origin: 'client', lease: command.lease, acksAll: command.acks === -1 } as const
      if (transactional !== null && batch.isTransactional && batch.hasProducer) {
        transactional.collect(partition, append, settle)
      } else partition.append(append, settle)
    }
  }
}

function hasTransactional({ topics }: ProduceCommand): boolean {
  for (const { partitions } of topics) {
    for (const { records } of partitions) if (isTransactional(records)) return true
  }
  return false
}

function refuseAll({ topics }: ProduceCommand, error: KafkaError): readonly ProducedTopic[] {
  return topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(({ index }) => ({ index, result: notAppended(error) })),
  }))
}

/** The batch to append, or why none is; in the order in which a real broker looks. */
function takeBatch(
  command: ProduceCommand,
  partition: HostedPartition,
  records: Uint8Array | null,
): RecordBatchView | AppendResult {
  const batch = takeSoleBatch(records, command.zstd)
  if ('error' in batch) return refused(batch, NOT_KNOWN)
  if (!isKnownAcks(command.acks)) return notAppended('INVALID_REQUIRED_ACKS')
  if (closedToClients(partition, command.clientId)) return notAppended('INVALID_TOPIC_EXCEPTION')
  return batch
}

function isKnownAcks(acks: number): boolean {
  return acks === 0 || acks === 1 || acks === -1
}

function closedToClients(partition: HostedPartition, clientId: string | null): boolean {
  return clientId !== ADMIN_CLIENT_ID && isInternalTopic(partition.topicPartition.topic)
}
