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
import type { MarkerSettled, TransactionMarker } from './transaction-markers.ts'

/** Writes the markers of one transaction (`TransactionMarkers`). */
export interface MarkerWriter {
  write(marker: TransactionMarker, to: readonly TopicPartition[], settled: MarkerSettled): void
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
    const completion = new Completion(this.#ports, transaction, coordinatorEpoch, () => {
      if (this.#running.get(transactionalId) === completion) this.#running.delete(transactionalId)
    })
    this.#running.set(transactionalId, completion)
    completion.run()
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
  readonly #marker: TransactionMarker
  readonly #over: () => void
  readonly #pauses = new Set<Timer>()
  readonly done: Promise<void>
  #resolve: () => void = () => undefined
  #isCancelled = false
  /** Partitions without their marker. */
  #left = 0

  /** @param over called once, when it is complete or cancelled */
  constructor(ports: CompletionPorts, transaction: Transaction, coordinatorEpoch: number, over: () => void) {
    const { producerId, producerEpoch, state, clientVersion } = transaction
    this.#ports = ports
    this.#transaction = transaction
    this.#marker = {
      producerId,
      producerEpoch,
      coordinatorEpoch,
      committed: state === 'PrepareCommit',
      transactionVersion: clientVersion,
    }
    this.#over = over
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  run(): void {
    const partitions = partitionsOf(this.#transaction)
    this.#left = partitions.length
    if (partitions.length === 0) void this.#record(BACKOFF_MS)
    else this.#mark(partitions, BACKOFF_MS)
  }

  cancel(): void {
    this.#isCancelled = true
    for (const timer of this.#pauses) timer.cancel()
    this.#end()
  }

  #end(): void {
    this.#over()
    this.#resolve()
  }

  /** Writes the markers of these partitions; each that fails is tried again by itself, `delayMs` later. */
  #mark(partitions: readonly TopicPartition[], delayMs: number): void {
    this.#ports.markers.write(this.#marker, partitions, (place, error) => {
      if (this.#isCancelled) return
      const partition = partitions[place]!
      if (this.#isMarked(partition, error)) {
        if (--this.#left === 0) void this.#record(BACKOFF_MS)
      } else this.#again({ ...partition, failure: error }, delayMs, (nextMs) => this.#mark([partition], nextMs))
    })
  }

  #isMarked({ topic, partition }: TopicPartition, error: KafkaError | null): boolean {
    if (error === null || error === 'UNKNOWN_TOPIC_OR_PARTITION') return true
    if (error !== 'INVALID_PRODUCER_EPOCH' && error !== 'TRANSACTION_COORDINATOR_FENCED') return false
    // Somebody else ended the producer's transaction there (an operator's abort of a hanging one): nothing is open.
    this.#report('warn', 'transaction marker superseded', { topic, partition, error })
    return true
  }

  async #record(delayMs: number): Promise<void> {
    const failure = await this.#ports.record(this.#transaction).catch((cause: unknown) => ({ cause }))
    if (this.#isCancelled) return
    if (failure === null) this.#end()
    else this.#again({ failure }, delayMs, (nextMs) => void this.#record(nextMs))
  }

  #again(why: object, delayMs: number, attempt: (nextMs: number) => void): void {
    // The first few failures are those of partitions and groups that are still being opened.
    const level = delayMs === BACKOFF_MAX_MS ? 'warn' : 'debug'
    this.#report(level, 'transaction not complete yet', { ...why, delayMs })
    const timer = this.#ports.timers.after(delayMs, () => {
      this.#pauses.delete(timer)
      attempt(Math.min(2 * delayMs, BACKOFF_MAX_MS))
    })
    this.#pauses.add(timer)
  }

  #report(level: 'debug' | 'warn', event: string, fields: object): void {
    const { transactionalId, producerId, producerEpoch } = this.#transaction
    this.#ports.logger[level](event, { transactionalId, producerId, producerEpoch, ...fields })
  }
}
