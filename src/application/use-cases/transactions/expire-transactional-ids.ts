/** Forgets transactional ids that nobody has used for long, at intervals. */
import { decideExpiry } from '../../../domain/transactions/expire-transactions.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Timer, Timers } from '../../ports/timers.ts'
import type { TransactionCoordinator } from '../../transaction-coordinator.ts'

export interface ExpireTransactionalIdsSettings {
  readonly transactionalIdExpirationMs: bigint
  readonly transactionRemoveExpiredTransactionCleanupIntervalMs: number
}

export class ExpireTransactionalIds {
  readonly #transactions: TransactionCoordinator
  readonly #timers: Timers
  readonly #logger: Logger
  readonly #settings: () => ExpireTransactionalIdsSettings
  #timer: Timer | null = null

  constructor(
    transactions: TransactionCoordinator,
    timers: Timers,
    logger: Logger,
    settings: () => ExpireTransactionalIdsSettings,
  ) {
    this.#transactions = transactions
    this.#timers = timers
    this.#logger = logger
    this.#settings = settings
  }

  start(): void {
    this.#timer = this.#timers.after(this.#settings().transactionRemoveExpiredTransactionCleanupIntervalMs, () => {
      for (const partition of this.#transactions.coordinator.activePartitions()) void this.#expire(partition)
      this.start()
    })
  }

  close(): Promise<void> {
    this.#timer?.cancel()
    return Promise.resolve()
  }

  async #expire(partition: number): Promise<void> {
    try {
      const { error, answer } = await this.#transactions.coordinator.runAt(partition, (shard, nowMs) => {
        const records = decideExpiry(shard.all(), this.#settings().transactionalIdExpirationMs, nowMs)
        return { records, divisible: true, answer: records.length }
      })
      if (error !== null) this.#logger.warn('transactional ids not expired', { partition, error })
      else if (answer > 0) this.#logger.info('transactional ids expired', { partition, ids: answer })
    } catch (cause) {
      this.#logger.error('transactional ids not expired', { partition, cause })
    }
  }
}
