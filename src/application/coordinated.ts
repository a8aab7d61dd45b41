/**
 * What a coordinator is told and tells: the topic and the state that it keeps, the decisions that it is handed, and
 * what comes of them. No behaviour here; that is in coordinator.ts.
 */
import type { KafkaError } from '../domain/errors.ts'
import type { RecordBatchView } from '../domain/log/record-batch.ts'
import type { AppendPace } from './append-pace.ts'

/** The state of one partition, evolved by its records in the order of the log. */
export interface CoordinatedState<Record> {
  /** A record that is in the log at `offset`; `producerId` -1 = it counts at once, else when that transaction ends. */
  evolve(record: Record, offset: bigint, producerId: bigint): void
  /** A transaction's end marker: its records count now, or never. */
  endTransaction(producerId: bigint, committed: boolean): void
}

/** What a decision comes to. */
export interface CoordinatorDecision<State, Record, Answer> {
  /** Appended within one batch, and evolved. */
  readonly records: readonly Record[]
  /** May be several batches, because each record can stand alone (sweeps); default: one batch, all or nothing. */
  readonly divisible?: boolean
  /** Given once everything decided so far is written. */
  readonly answer: Answer
  /** What changes beyond the records (who waits, deadlines). Runs after they are evolved; not when they are refused. */
  readonly enact?: (state: State) => void
}

/** How a transaction ends in one partition. */
export interface TransactionEnd {
  readonly producerId: bigint
  readonly committed: boolean
  /** The whole control batch. */
  readonly marker: RecordBatchView
  readonly transactionVersion: number
}

/** What `run` and `read` come to; the error says why the coordinator did not decide or could not write. */
export type Coordinated<Answer> =
  { readonly error: null; readonly answer: Answer } | { readonly error: KafkaError; readonly answer?: undefined }

/** What is coordinated, and who follows it. */
export interface CoordinatedTopic<State> {
  readonly name: string
  readonly newState: () => State
  /** Kafka's newer coordinators number their batches from 0 though they have no producer id; older ones do not (-1). */
  readonly baseSequence: 0 | -1
  /** When what is gathered is written; null = with the next write of its partition. */
  readonly pace: AppendPace | null
  /** How much of the log is read at a time when it is replayed (`offsets.load.buffer.size`). */
  readonly loadBufferBytes: () => number
  /** The state of a partition is complete and in charge from now on. */
  readonly loaded: (partition: number, state: State) => void
  /** It is not any more: its deadlines and whoever waits for it are void. */
  readonly unloaded: (partition: number, state: State) => void
}
