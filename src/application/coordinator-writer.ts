/**
 * The way of a coordinator's records into the log of one partition.
 *
 * - What comes while a write is under way, or in the same turn, or while a pace (append-pace.ts) holds it back, goes
 *   out as one batch. The records of one decision are never in two batches.
 * - The log is the caller's alone, so a record knows its offset before its batch is made.
 * - A batch is within the partition's bounds on its size. Records that exceed them by themselves, and partitions that
 *   take nothing, are refused before anything has changed; a write that fails later is told to all who wait.
 * - Records of a transaction and end markers are batches of their own, behind everything taken before them.
 */
import type { ErrorName, KafkaError } from '../domain/errors.ts'
import { buildBatch, type NewRecord } from '../domain/log/batch-writer.ts'
import { NO_LEAVE } from '../domain/log/transaction-leaves.ts'
import { BATCH_HEADER_BYTES, RecordBatchView } from '../domain/log/record-batch.ts'
import type { AppendPace } from './append-pace.ts'
import type { AppendResult } from './append-result.ts'
import type { HostedPartition } from './hosted-partition.ts'
import type { AppendCommand } from './pending-append.ts'
import type { Checksum } from './ports/checksum.ts'

/** Whose transaction records belong to. */
export interface TransactionalOrigin {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** What the first batch of the transaction in this partition needs (transaction-leaves.ts). */
  readonly leave: number
}

type Transactional = Pick<AppendCommand, 'leave' | 'transactionVersion'>

/** What a record takes at most beside its key and value: lengths, deltas, attributes, no headers. */
const RECORD_OVERHEAD_MAX = 32

interface Gathering {
  readonly records: NewRecord[]
  readonly from: bigint
  bytesMax: number
  readonly settle: (error: KafkaError | null) => void
}

type Taken = { readonly error: KafkaError } | { readonly error: null; readonly from: bigint }

export class CoordinatorWriter {
  readonly #hosted: HostedPartition
  readonly #checksum: Checksum
  readonly #baseSequence: 0 | -1
  readonly #pace: AppendPace | null
  /** Told for each batch that was taken and then lost, before those who wait for it. */
  readonly #failed: (error: ErrorName) => void
  #gathering: Gathering | null = null
  #lastWrite: Promise<KafkaError | null> | null = null
  /** Why a batch was lost: what is decided on it can not be written any more. */
  #lost: KafkaError | null = null

  constructor(
    hosted: HostedPartition,
    checksum: Checksum,
    /** `baseSequence` of its batches, which have no producer id; `pace` null = with the next write. */
    manner: { readonly baseSequence: 0 | -1; readonly pace: AppendPace | null },
    failed: (error: ErrorName) => void,
  ) {
    this.#hosted = hosted
    this.#baseSequence = manner.baseSequence
    this.#pace = manner.pace
    this.#checksum = checksum
    this.#failed = failed
  }

  /** Settles when everything taken so far is written, or with what became of it; null = all is written. */
  get lastWrite(): Promise<KafkaError | null> | null {
    return this.#lastWrite
  }

  /** Takes records as a whole: the offset of the first, or why none is taken. */
  take(records: readonly NewRecord[]): Taken {
    let bytesMax = 0
    for (const { key, value } of records) {
      bytesMax += RECORD_OVERHEAD_MAX + (key?.length ?? 0) + (value?.length ?? 0)
    }
    const limit = this.#hosted.batchBytesMax - BATCH_HEADER_BYTES
    if (this.#gathering !== null && this.#gathering.bytesMax + bytesMax > limit) this.flush()
    if (this.#lost !== null) return { error: this.#lost }
    // It may fit, for its size is a bound: the partition looks at the batch itself.
    if (bytesMax > limit) return this.takeAlone(records, null)
    const unwritable = this.#hosted.unwritable
    if (unwritable !== null) return { error: clientError(unwritable) }
    const gathering = (this.#gathering ??= this.#gather())
    const from = gathering.from + BigInt(gathering.records.length)
    for (const record of records) gathering.records.push(record)
    gathering.bytesMax += bytesMax
    this.#pace?.count()
    if (this.#pace?.isImmediate === true) this.flush()
    return { error: null, from }
  }

  /** As `take`, in a batch of their own. */
  takeAlone(records: readonly NewRecord[], origin: TransactionalOrigin | null): Taken {
    this.flush()
    const from = this.#hosted.logEndOffset
    const error = this.append(this.#batch(records, origin), origin === null ? {} : { leave: origin.leave })
    return error === null ? { error, from } : { error }
  }

  /** Appends a whole batch behind everything taken before: the error when it is refused at once. */
  append(batch: RecordBatchView, transactional: Transactional): KafkaError | null {
    this.flush()
    if (this.#lost !== null) return this.#lost
    let resolve: ((error: KafkaError | null) => void) | null = null
    const atOnce = this.#append({ ...transactional, batch }, (result) => resolve?.(this.#outcome(result)))
    if (atOnce !== null) return atOnce.error === 'NONE' ? null : clientError(atOnce.error)
    this.#follow(new Promise((settle) => (resolve = settle)))
    return null
  }

  /** Sends on what is gathered. */
  flush(): void {
    const gathered = this.#gathering
    if (gathered === null) return
    this.#gathering = null
    const { records, settle } = gathered
    const settled = (result: AppendResult) => settle(this.#outcome(result))
    const atOnce = this.#append({ batch: this.#batch(records, null) }, settled)
    if (atOnce !== null) settled(atOnce)
  }

  #gather(): Gathering {
    let settle: ((error: KafkaError | null) => void) | null = null
    this.#follow(new Promise((resolve) => (settle = resolve)))
    const gathering = { records: [], from: this.#hosted.logEndOffset, bytesMax: 0, settle: settle! }
    const write = () => {
      if (this.#gathering === gathering) this.flush()
    }
    const pace = this.#pace
    if (pace === null || !(pace.isImmediate || pace.hold(write))) this.#hosted.beforeNextWrite(write)
    return gathering
  }

  /** `write` is the newest one: who is answered from now on waits for it. */
  #follow(write: Promise<KafkaError | null>): void {
    const followed = write.then((error) => {
      if (this.#lastWrite === followed) this.#lastWrite = null
      return error
    })
    this.#lastWrite = followed
  }

  #batch(records: readonly NewRecord[], origin: TransactionalOrigin | null): RecordBatchView {
    const bytes = buildBatch(
      records,
      { baseSequence: this.#baseSequence, ...(origin === null ? {} : { ...origin, transactional: true }) },
      (section) => this.#checksum.crc32c(section),
    )
    return new RecordBatchView(bytes)
  }

  /** The result when there is one at once; otherwise `settle` is called with it. */
  #append(
    appended: Transactional & Pick<AppendCommand, 'batch'>,
    settle: (result: AppendResult) => void,
  ): AppendResult | null {
    let atOnce: AppendResult | null = null
    let returned = false
    const { batch, leave = NO_LEAVE, transactionVersion = 0 } = appended
    const command = {
      batch,
      origin: 'coordinator',
      lease: undefined,
      acksAll: true,
      leave,
      transactionVersion,
    } as const
    this.#hosted.append(command, (result) => {
      if (returned) settle(result)
      else atOnce = result
    })
    returned = true
    return atOnce
  }

  #outcome({ error }: AppendResult): KafkaError | null {
    if (error === 'NONE') return null
    this.#lost ??= clientError(error)
    this.#failed(error)
    return clientError(error)
  }
}

/** What a client is told when the coordinator's own write fails, as Kafka's coordinators translate it. */
function clientError(error: ErrorName): KafkaError {
  switch (error) {
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'NOT_ENOUGH_REPLICAS':
    case 'NOT_ENOUGH_REPLICAS_AFTER_APPEND':
    case 'REQUEST_TIMED_OUT':
      return 'COORDINATOR_NOT_AVAILABLE'
    case 'NOT_LEADER_OR_FOLLOWER':
    case 'KAFKA_STORAGE_ERROR':
      return 'NOT_COORDINATOR'
    case 'NONE':
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return 'UNKNOWN_SERVER_ERROR'
    default:
      return error
  }
}
