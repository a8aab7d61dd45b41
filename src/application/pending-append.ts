/**
 * One append from the call to its answer: what it holds meanwhile (memory, a share of the budget) and what it will
 * answer. A class of its own because every batch needs one: closures that wrap each other cost several times as much.
 */
import type { RecordBatchView } from '../domain/log/record-batch.ts'
import type { AppendOrigin } from '../domain/log/producer-state.ts'
import { NOT_KNOWN, appended, notAppended, type AppendResult } from './append-result.ts'
import type { Lease } from './ports/lease.ts'
import type { StampedBatch } from './ports/log-store.ts'
import type { WriteBudget } from './write-budget.ts'
import type { QueuedWrite } from './write-queue.ts'

export interface AppendCommand {
  /** One whole batch; its bytes are stamped in place. */
  readonly batch: RecordBatchView
  readonly origin: AppendOrigin
  /** The memory behind the batch, if it is pooled. */
  readonly lease: Lease | undefined
  /** acks = -1: the in-sync replicas must suffice (`min.insync.replicas`). */
  readonly acksAll: boolean
  /** What the first batch of a transaction is appended with (transaction-leaves.ts); absent = it has none. */
  readonly leave?: number
  /** Of a marker; absent = its epoch was not raised for it. */
  readonly transactionVersion?: number
}

export class PendingAppend implements QueuedWrite {
  readonly command: AppendCommand
  batch: StampedBatch | null = null
  readonly #log: { readonly logStartOffset: bigint }
  readonly #budget: WriteBudget
  readonly #settle: (result: AppendResult) => void
  #baseOffset = NOT_KNOWN
  #logAppendTimeMs = NOT_KNOWN

  /** Takes its hold on the memory and its share of the budget; `end` gives both back. */
  constructor(
    command: AppendCommand,
    log: { readonly logStartOffset: bigint },
    budget: WriteBudget,
    settle: (result: AppendResult) => void,
  ) {
    this.command = command
    this.#log = log
    this.#budget = budget
    this.#settle = settle
    budget.take(command.batch.bytes.length)
    command.lease?.retain()
  }

  /** It has its place: what is to be written (null for a duplicate) and what to answer then. */
  place(batch: StampedBatch | null, baseOffset: bigint, logAppendTimeMs: bigint): void {
    this.batch = batch
    this.#baseOffset = baseOffset
    this.#logAppendTimeMs = logAppendTimeMs
  }

  settle(written: boolean): void {
    if (written) {
      this.end(appended(this.#baseOffset, this.#logAppendTimeMs, this.#log.logStartOffset))
      return
    }
    this.batch?.lease?.release()
    this.end(notAppended('KAFKA_STORAGE_ERROR'))
  }

  /** Called once, in the end. */
  end(result: AppendResult): void {
    this.command.lease?.release()
    this.#budget.give(this.command.batch.bytes.length)
    this.#settle(result)
  }
}
