/**
 * Completes transactions whose end is decided: writes their markers, all at once, and then has them recorded as
 * complete. Whatever interrupts that, whoever loads the transaction from the log next begins it again: markers may be
 * written twice, and none is ever left out.
 *
 * A marker that cannot be written is tried again, later and later, and holds up no other. A partition that does not
 * exist any more needs none.
 */
import type { KafkaError } from '../domain/errors.ts'
import type { TopicPartition } from '../domain/topic-partition.ts'
import { partitionsOf, type Transaction } from '../domain/transactions/transaction.ts'
import type { Logger } from './ports/logger.ts'
import type { Timer, Timers } from './ports/timers.ts'
import type { TransactionMarker } from './transaction-markers.ts'

/** Writes one marker; resolves when it is written, or with why it is not. */
export interface MarkerWriter {
  write(marker: TransactionMarker): Promise<KafkaError | null>
}

export interface CompletionPorts {
  readonly markers: MarkerWriter
  readonly timers: Timers
  readonly logger: Logger
  /** Records that the transaction is complete. */
  readonly record: (transaction: Transaction) => Promise<KafkaError | null>
}

const BACKOFF_MS = 50
const BACKOFF_MAX_MS = 2_000

export class TransactionCompletions {
  readonly #ports: CompletionPorts
  readonly #running = new Map<string, Completion>()
  #closed = false

  constructor(ports: CompletionPorts) {
    this.#ports = ports
  }

  /** How many are under way. */
  get size(): number {
    return this.#running.size
  }

  /** Begins, unless it is under way. The end of the transaction must be in the log. */
  begin(transaction: Transaction, coordinatorEpoch: number): void {
    const { transactionalId } = transaction
    if (this.#closed || this.#running.has(transactionalId)) return
    const completion = new Completion(this.#ports, transaction, coordinatorEpoch)
    this.#running.set(transactionalId, completion)
    void completion.run().then(() => {
      if (this.#running.get(transactionalId) === completion) this.#running.delete(transactionalId)
    })
  }

  /** Resolves when the transaction is complete, or is not completed here any more; null = none is under way. */
  whenDone(transactionalId: string): Promise<void> | null {
    return this.#running.get(transactionalId)?.done ?? null
  }

  /** The transaction is not in charge here any more. */
  drop(transactionalId: string): void {
    this.#running.get(transactionalId)?.cancel()
    this.#running.delete(transactionalId)
  }

  close(): void {
    this.#closed = true
    for (const completion of this.#running.values()) completion.cancel()
    this.#running.clear()
  }
}

class Completion {
  readonly #ports: CompletionPorts
  readonly #transaction: Transaction
  readonly #coordinatorEpoch: number
  readonly #pauses = new Map<Timer, () => void>()
  readonly done: Promise<void>
  #resolve: () => void = () => undefined
  #isCancelled = false

  constructor(ports: CompletionPorts, transaction: Transaction, coordinatorEpoch: number) {
    this.#ports = ports
    this.#transaction = transaction
    this.#coordinatorEpoch = coordinatorEpoch
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const partitions = partitionsOf(this.#transaction)
    await Promise.all(partitions.map((each) => this.#until(() => this.#mark(each), each)))
    await this.#until(() => this.#ports.record(this.#transaction))
    this.#resolve()
  }

  cancel(): void {
    this.#isCancelled = true
    for (const [timer, resume] of this.#pauses) {
      timer.cancel()
      resume()
    }
    this.#resolve()
  }

  async #mark({ topic, partition }: TopicPartition): Promise<KafkaError | null> {
    const { producerId, producerEpoch, state, clientVersion } = this.#transaction
    const error = await this.#ports.markers.write({
      topic,
      partition,
      producerId,
      producerEpoch,
      coordinatorEpoch: this.#coordinatorEpoch,
      committed: state === 'PrepareCommit',
      transactionVersion: clientVersion,
    })
    if (error === null || error === 'UNKNOWN_TOPIC_OR_PARTITION') return null
    if (error !== 'INVALID_PRODUCER_EPOCH' && error !== 'TRANSACTION_COORDINATOR_FENCED') return error
    // Somebody else ended the producer's transaction there (an operator's abort of a hanging one): nothing is open.
    this.#report('warn', 'transaction marker superseded', { topic, partition, error })
    return null
  }

  #isWanted(): boolean {
    return !this.#isCancelled
  }

  /** Repeats what fails. */
  async #until(attempt: () => Promise<KafkaError | null>, where: object = {}): Promise<void> {
    for (let delayMs = BACKOFF_MS; this.#isWanted(); delayMs = Math.min(2 * delayMs, BACKOFF_MAX_MS)) {
      const failure = await attempt().catch((cause: unknown) => ({ cause }))
      if (failure === null || !this.#isWanted()) return
      // The first few failures are those of partitions and groups that are still being opened.
      const level = delayMs === BACKOFF_MAX_MS ? 'warn' : 'debug'
      this.#report(level, 'transaction not complete yet', { ...where, failure, delayMs })
      await this.#pause(delayMs)
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#ports.timers.after(delayMs, () => {
        this.#pauses.delete(timer)
        resolve()
      })
      this.#pauses.set(timer, resolve)
    })
  }

  #report(level: 'debug' | 'warn', event: string, fields: object): void {
    const { transactionalId, producerId, producerEpoch } = this.#transaction
    this.#ports.logger[level](event, { transactionalId, producerId, producerEpoch, ...fields })
  }
}
