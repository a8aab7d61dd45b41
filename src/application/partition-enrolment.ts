/** Lets the log side take partitions into transactions, and ask for them, without waiting where nothing changes. */
import type { KafkaError } from '../domain/errors.ts'
import { decideEnrol, isEnrolledBy, verifyEnrolled } from '../domain/transactions/enrol-partitions.ts'
import type { TransactionCoordinator } from './transaction-coordinator.ts'
import type { EnrolCommand, Enrolled, TransactionEnrolment } from './transaction-enrolment.ts'

export class PartitionEnrolment implements TransactionEnrolment {
  readonly #transactions: TransactionCoordinator
  /** Ids whose partitions are being written: they are not part of the transaction before that. */
  readonly #adding = new Map<string, number>()

  constructor(transactions: TransactionCoordinator) {
    this.#transactions = transactions
  }

  add(command: EnrolCommand): Enrolled | Promise<Enrolled> {
    const { transactionalId, partitions } = command
    if (transactionalId === '') return each(command, 'INVALID_REQUEST')
    if (!this.#adding.has(transactionalId)) {
      const shard = this.#transactions.coordinator.peek(transactionalId)
      if (typeof shard === 'string') return each(command, shard)
      if (isEnrolledBy(shard.get(transactionalId), command)) return partitions.map(() => null)
    }
    return this.enrol(command, true)
  }

  /** As `add`, also for clients that add the partitions themselves and know nothing of Transactions V2. */
  async enrol(command: EnrolCommand, clientKnowsV2: boolean): Promise<Enrolled> {
    const { transactionalId } = command
    if (transactionalId === '') return each(command, 'INVALID_REQUEST')
    const version = this.#transactions.versionFor(clientKnowsV2)
    this.#adding.set(transactionalId, (this.#adding.get(transactionalId) ?? 0) + 1)
    try {
      const { error } = await this.#transactions.changeWhenComplete(transactionalId, (present, _, nowMs) =>
        decideEnrol(present, command, version, nowMs),
      )
      return each(command, error)
    } finally {
      const adding = this.#adding.get(transactionalId)! - 1
      if (adding === 0) this.#adding.delete(transactionalId)
      else this.#adding.set(transactionalId, adding)
    }
  }

  verify(command: EnrolCommand): Enrolled {
    const { transactionalId } = command
    if (transactionalId === '') return each(command, 'INVALID_REQUEST')
    if (this.#adding.has(transactionalId)) return each(command, 'CONCURRENT_TRANSACTIONS')
    const shard = this.#transactions.coordinator.peek(transactionalId)
    return typeof shard === 'string' ? each(command, shard) : verifyEnrolled(shard.get(transactionalId), command)
  }
}

function each({ partitions }: EnrolCommand, error: KafkaError | null): Enrolled {
  return partitions.map(() => error)
}
