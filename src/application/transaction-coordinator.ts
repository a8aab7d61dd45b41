/**
 * The coordinator of transactions: `__transaction_state` with one `TransactionShard` for each partition, and the
 * completion of whatever was decided to end, also before the broker last stopped.
 *
 * A decision is answered when its record is durable. An end (EndTxn, a fenced producer, a time-out) is answered then
 * too, as Kafka does, and its markers are written behind the answer; `whenComplete` lets the next request of that
 * producer wait for them instead of being sent away.
 */
import type { KafkaError } from '../domain/errors.ts'
import { TRANSACTION_STATE_TOPIC } from '../domain/cluster/internal-topics.ts'
import {
  refuse,
  type Decided,
  type NeedsProducerId,
  type Refused,
  type TakeProducerId,
} from '../domain/transactions/decision.ts'
import { decideComplete } from '../domain/transactions/end-transaction.ts'
import { isEnding, recordOf, type Transaction } from '../domain/transactions/transaction.ts'
import type { TransactionRecord } from '../domain/transactions/transaction-record.ts'
import { TransactionShard } from '../domain/transactions/transaction-shard.ts'
import type { CoordinatorDecision } from './coordinated.ts'
import { Coordinator, type CoordinatorPorts } from './coordinator.ts'
import type { MetadataRepository } from './ports/metadata-repository.ts'
import type { Timers } from './ports/timers.ts'
import type { ProducerIds } from './producer-ids.ts'
import { TransactionCompletions, type MarkerWriter } from './transaction-completions.ts'

export interface TransactionCoordinatorSettings {
  readonly transactionStateLogLoadBufferSize: number
  /** How long a request waits for the transaction before it to be complete. */
  readonly addPartitionsToTxnRetryBackoffMaxMs: number
}

export type TransactionPorts = CoordinatorPorts<TransactionRecord> & {
  readonly timers: Timers
  readonly producerIds: ProducerIds
  readonly markers: MarkerWriter
}

export type TransactionDecision = Decided | Refused | NeedsProducerId

/** What a change came to: the transaction as it is now, or why it was not decided or not written. */
export type Changed = { readonly error: KafkaError } | { readonly error: null; readonly transaction: Transaction }

export class TransactionCoordinator {
  readonly coordinator: Coordinator<TransactionShard, TransactionRecord>
  readonly #completions: TransactionCompletions
  readonly #producerIds: ProducerIds
  readonly #metadata: MetadataRepository
  readonly #timers: Timers
  readonly #settings: () => TransactionCoordinatorSettings

  constructor(ports: TransactionPorts, settings: () => TransactionCoordinatorSettings) {
    const { metadata, timers, markers, logger, producerIds } = ports
    this.#producerIds = producerIds
    this.#metadata = metadata
    this.#timers = timers
    this.#settings = settings
    this.#completions = new TransactionCompletions({
      markers,
      timers,
      logger,
      record: (transaction) => this.#complete(transaction),
    })
    this.coordinator = new Coordinator(ports, {
      name: TRANSACTION_STATE_TOPIC,
      newState: () => new TransactionShard(),
      baseSequence: -1,
      pace: null,
      loadBufferBytes: () => settings().transactionStateLogLoadBufferSize,
      loaded: (partition, shard) => {
        for (const transaction of shard.all()) if (isEnding(transaction)) this.#finish(transaction, partition)
      },
      unloaded: (_, shard) => {
        for (const { transactionalId } of shard.all()) this.#completions.drop(transactionalId)
      },
    })
  }

  start(): void {
    this.coordinator.start()
  }

  /** Markers that are not written yet are written after the next start. */
  close(): Promise<void> {
    this.coordinator.close()
    this.#completions.close()
    return Promise.resolve()
  }

  /** The finalized level of `transaction.version`: from 2 on the end of a transaction raises the epoch (KIP-890). */
  get transactionVersion(): number {
    return this.#metadata.image().features.get('transaction.version') ?? 0
  }

  /**
   * Transactions V2 are for clients that send the newer requests, and clients do so where the cluster has them. One that
   * does so at level 1 is served all the same; at level 0 no record can say so and UNSUPPORTED_VERSION is what it gets
   * (observed on 4.3.1).
   */
  versionFor(clientKnowsV2: boolean): number {
    return clientKnowsV2 ? 2 : 0
  }

  #refuseUnrecordable({ clientVersion }: Transaction): Refused | null {
    return clientVersion > 0 && this.transactionVersion < 1 ? refuse('UNSUPPORTED_VERSION') : null
  }

  /** Decides about an id, records what it comes to, and has it completed if it ends. */
  async change(
    transactionalId: string,
    decide: (present: Transaction | null, takeProducerId: TakeProducerId, nowMs: bigint) => TransactionDecision,
  ): Promise<Changed> {
    for (;;) {
      const { error, answer } = await this.coordinator.run<Answer>(transactionalId, (shard, nowMs) => {
        const present = shard.get(transactionalId)
        const decision = decide(present, () => this.#producerIds.take(), nowMs)
        if (decision.refused !== null) return { records: [], answer: decision }
        const unrecordable = decision.next === null ? null : this.#refuseUnrecordable(decision.next)
        return unrecordable === null ? recorded(decision.next, present) : { records: [], answer: unrecordable }
      })
      if (error !== null) return { error }
      if (answer.refused === null) {
        const { transaction } = answer
        if (isEnding(transaction)) this.#finish(transaction, this.coordinator.partitionOf(transactionalId)!)
        return { error: null, transaction }
      }
      if (answer.refused !== 'needs a producer id') return { error: answer.refused }
      await this.#producerIds.refill()
    }
  }

  /** As `change`, but waits a while for an ending transaction to be complete instead of CONCURRENT_TRANSACTIONS. */
  async changeWhenComplete(transactionalId: string, decide: Parameters<this['change']>[1]): Promise<Changed> {
    const changed = await this.change(transactionalId, decide)
    if (changed.error !== 'CONCURRENT_TRANSACTIONS') return changed
    return (await this.whenComplete(transactionalId)) ? this.change(transactionalId, decide) : changed
  }

  /** Whether a transaction that was ending is complete, now or within a while. */
  async whenComplete(transactionalId: string): Promise<boolean> {
    const done = this.#completions.whenDone(transactionalId)
    if (done === null) return false
    let timer: ReturnType<Timers['after']> | null = null
    const tooLate = new Promise<boolean>((resolve) => {
      timer = this.#timers.after(this.#settings().addPartitionsToTxnRetryBackoffMaxMs, () => resolve(false))
    })
    const isDone = await Promise.race([done.then(() => true), tooLate])
    timer!.cancel()
    return isDone
  }

  #finish(transaction: Transaction, partition: number): void {
    this.#completions.begin(transaction, this.coordinator.epochOf(partition))
  }

  async #complete({ transactionalId, producerId, producerEpoch }: Transaction): Promise<KafkaError | null> {
    const { error } = await this.coordinator.run(transactionalId, (shard, nowMs) => {
      const present = shard.get(transactionalId)
      const isSame = present?.producerId === producerId && present.producerEpoch === producerEpoch
      return recorded(isSame ? decideComplete(present, nowMs) : null, present)
    })
    return error
  }
}

type Answer = Recorded | Refused | NeedsProducerId

interface Recorded {
  readonly refused: null
  readonly transaction: Transaction
}

function recorded(
  next: Transaction | null,
  present: Transaction | null,
): CoordinatorDecision<TransactionShard, TransactionRecord, Recorded> {
  if (next === null) return { records: [], answer: { refused: null, transaction: present! } }
  return {
    records: [recordOf(next)],
    answer: { refused: null, transaction: next },
    enact: (shard) => shard.rememberEpoch(next.transactionalId, next.lastProducerEpoch),
  }
}
