/**
 * The transactional batches of one Produce request on their way to their partitions (KIP-890): those that begin a
 * transaction in their partition are appended when the transaction coordinator agrees, the others at once.
 *
 * Clients of Transactions V2 have their partitions taken into the transaction on the way; of older clients it is only
 * checked that they had them added. All partitions of a request are asked for together.
 */
import type { KafkaError } from '../../../domain/errors.ts'
import { refusal, type Refusal } from '../../../domain/log/append-rules.ts'
import { NO_PRODUCER_ID, RecordBatchView } from '../../../domain/log/record-batch.ts'
import { LEAVE_NOT_CHECKED, NO_LEAVE } from '../../../domain/log/transaction-leaves.ts'
import { NOT_KNOWN, refused, type AppendResult } from '../../append-result.ts'
import type { HostedPartition } from '../../hosted-partition.ts'
import type { AppendCommand } from '../../pending-append.ts'
import type { Enrolled, TransactionEnrolment } from '../../transaction-enrolment.ts'

/** What a Produce request is as part of a transaction. */
export interface ProducedTransaction {
  readonly transactionalId: string
  /** Produce v12 and later: Transactions V2. */
  readonly addsPartitions: boolean
  /** Produce v11 and later know TRANSACTION_ABORTABLE. */
  readonly knowsAbortable: boolean
}

interface Append {
  readonly partition: HostedPartition
  readonly command: AppendCommand
  readonly settle: (result: AppendResult) => void
}

/** The first batch of a producer: of which transaction the batches of a request are. */
export interface TransactionalProducer {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** Bytes up to the end of the fields that `transactionalProducer` looks at. */
const LOOKED_AT_BYTES = 53
const AT_MAGIC = 16
const AT_ATTRIBUTES = 22
const TRANSACTIONAL = 0x10

/** Whether records begin with a transactional batch. On the way of every batch: it looks at two bytes. */
export function isTransactional(records: Uint8Array | null): boolean {
  return (
    records !== null &&
    records.length >= LOOKED_AT_BYTES &&
    records[AT_MAGIC] === 2 &&
    (records[AT_ATTRIBUTES]! & TRANSACTIONAL) !== 0
  )
}

/** The one producer of the transactional batches among `all`; `several` = they have more than one. */
export function transactionalProducer(all: Iterable<Uint8Array | null>): TransactionalProducer | 'several' | null {
  let found: TransactionalProducer | null = null
  for (const records of all) {
    if (!isTransactional(records)) continue
    const { producerId, producerEpoch } = new RecordBatchView(records!)
    if (producerId === NO_PRODUCER_ID) continue
    found ??= { producerId, producerEpoch }
    if (found.producerId !== producerId || found.producerEpoch !== producerEpoch) return 'several'
  }
  return found
}

export class TransactionalAppends {
  readonly #enrolment: TransactionEnrolment
  readonly #isVerified: boolean
  readonly #transaction: ProducedTransaction
  readonly #appends: Append[] = []

  /** @param isVerified `transaction.partition.verification.enable` */
  constructor(enrolment: TransactionEnrolment, isVerified: boolean, transaction: ProducedTransaction) {
    this.#enrolment = enrolment
    this.#isVerified = isVerified
    this.#transaction = transaction
  }

  collect(partition: HostedPartition, command: AppendCommand, settle: (result: AppendResult) => void): void {
    this.#appends.push({ partition, command, settle })
  }

  /** Appends what was collected, or has it wait in its place for the coordinator. All in the same turn. */
  run(): void {
    const asking: Append[] = []
    for (const append of this.#appends) {
      const leave = this.#leave(append)
      const { partition, command, settle } = append
      if (leave === NO_LEAVE) partition.append(command, settle)
      else if (leave === null) settle(refused(tooLate, NOT_KNOWN))
      else asking.push({ partition, command: this.#withLeave(command, leave), settle })
    }
    if (asking.length > 0) this.#ask(asking)
  }

  /** Without a spread, which costs as much as the rest of the append. */
  #withLeave({ batch, origin, lease, acksAll }: AppendCommand, leave: number): AppendCommand {
    return { batch, origin, lease, acksAll, leave: this.#isVerified ? leave : LEAVE_NOT_CHECKED }
  }

  #leave({ partition, command: { batch } }: Append): number | null {
    const { addsPartitions } = this.#transaction
    return partition.askLeave(batch, addsPartitions)
  }

  #ask(appends: readonly Append[]): void {
    const enrolled = this.#enrol(appends)
    if (!(enrolled instanceof Promise)) {
      appends.forEach(({ partition, command, settle }, i) => {
        const error = enrolled[i] ?? null
        if (error === null) partition.append(command, settle)
        else settle(refused(this.#refusal(error), NOT_KNOWN))
      })
      return
    }
    const releases = appends.map(({ partition, command, settle }) => partition.appendLater(command, settle))
    void enrolled.then((errors) => {
      releases.forEach((release, i) => {
        const error = errors[i] ?? null
        release(error === null ? null : this.#refusal(error))
      })
    })
  }

  #enrol(appends: readonly Append[]): Enrolled | Promise<Enrolled> {
    const { transactionalId, addsPartitions } = this.#transaction
    if (!addsPartitions && !this.#isVerified) return []
    const { producerId, producerEpoch } = appends[0]!.command.batch
    const partitions = appends.map(({ partition }) => partition.topicPartition)
    const command = { transactionalId, producerId, producerEpoch, partitions }
    return addsPartitions ? this.#enrolment.add(command) : this.#enrolment.verify(command)
  }

  /** The coordinator's answer in the words that producers of this version understand. */
  #refusal(error: KafkaError): Refusal {
    const { addsPartitions, knowsAbortable } = this.#transaction
    switch (error) {
      case 'PRODUCER_FENCED':
        return refusal('INVALID_PRODUCER_EPOCH', false)
      case 'TRANSACTION_ABORTABLE':
        return knowsAbortable ? refusal(error, false) : notAdded
      case 'INVALID_TXN_STATE':
        return notAdded
      case 'CONCURRENT_TRANSACTIONS':
        return addsPartitions ? refusal(error, false) : tryAgain(error)
      case 'COORDINATOR_LOAD_IN_PROGRESS':
      case 'COORDINATOR_NOT_AVAILABLE':
      case 'NOT_COORDINATOR':
        return tryAgain(error)
      default:
        return refusal(error, false)
    }
  }
}

const tooLate = refusal('INVALID_PRODUCER_EPOCH', false)
const notAdded = refusal('INVALID_TXN_STATE', false, 'Partition was not added to the transaction')

/** An error that every producer retries, without asking for the metadata first. */
function tryAgain(error: KafkaError): Refusal {
  const message = `Unable to verify the partition has been added to the transaction. Underlying error: ${error}`
  return refusal('NOT_ENOUGH_REPLICAS', false, message)
}
