/** Aborts transactions that have been open for longer than their producers asked for, at intervals. */
import { refuse } from '../../../domain/transactions/decision.ts'
import { decideFence } from '../../../domain/transactions/end-transaction.ts'
import { isEnding, isTimedOut } from '../../../domain/transactions/transaction.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Timer, Timers } from '../../ports/timers.ts'
import type { TransactionCoordinator } from '../../transaction-coordinator.ts'

export interface AbortTimedOutSettings {
  readonly transactionAbortTimedOutTransactionCleanupIntervalMs: number
}

export class AbortTimedOut {
  readonly #transactions: TransactionCoordinator
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #logger: Logger
  readonly #settings: () => AbortTimedOutSettings
  #timer: Timer | null = null

  constructor(
    transactions: TransactionCoordinator,
    clock: Clock,
    timers: Timers,
    logger: Logger,
    settings: () => AbortTimedOutSettings,
  ) {
    this.#transactions = transactions
    this.#clock = clock
    this.#timers = timers
    this.#logger = logger
    this.#settings = settings
  }

  start(): void {
    this.#timer = this.#timers.after(this.#settings().transactionAbortTimedOutTransactionCleanupIntervalMs, () => {
      this.#sweep()
      this.start()
    })
  }

  close(): Promise<void> {
    this.#timer?.cancel()
    return Promise.resolve()
  }

  #sweep(): void {
    const { coordinator } = this.#transactions
    const nowMs = this.#clock.nowMs()
    for (const partition of coordinator.activePartitions()) {
      for (const transaction of coordinator.peekAt(partition)?.all() ?? []) {
        if (isTimedOut(transaction, nowMs)) void this.#abort(transaction.transactionalId)
      }
    }
  }

  async #abort(transactionalId: string): Promise<void> {
    try {
      const changed = await this.#transactions.change(transactionalId, (present, take, nowMs) =>
        present !== null && isTimedOut(present, nowMs)
          ? decideFence(present, this.#transactions.transactionVersion, take, nowMs)
          : refuse('INVALID_TXN_STATE'),
      )
      // Its producer was faster.
      if (changed.error === 'INVALID_TXN_STATE') return
      if (changed.error !== null) {
        this.#logger.warn('timed out transaction not aborted', { transactionalId, error: changed.error })
      } else if (isEnding(changed.transaction)) {
        const { producerId, producerEpoch } = changed.transaction
        this.#logger.info('timed out transaction aborted', { transactionalId, producerId, producerEpoch })
      }
    } catch (cause) {
      this.#logger.error('timed out transaction not aborted', { transactionalId, cause })
    }
  }
}
