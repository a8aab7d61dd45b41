/**
 * Coordinates what lives in an internal topic: groups in `__consumer_offsets`, and whatever else keeps its state as
 * records in a log. It knows no rule: a decision is given the state of the key's partition and says which records
 * follow and what to answer.
 *
 * - A partition is loaded by replaying its log; until then COORDINATOR_LOAD_IN_PROGRESS.
 * - Decisions of one partition run one after the other, each in one synchronous go: decide, hand the records to the
 *   writer (which makes one batch of what comes together), evolve. The next decision sees that state at once, but
 *   answers are given only when everything that they were decided on is written.
 * - Records of a transaction are kept apart by the state until the end marker is in the log (`endTransaction`).
 * - When a write fails, the state is thrown away and loaded anew; who waits is told to look for the coordinator again.
 */
import { partitionForKey } from '../domain/cluster/coordinator-key.ts'
import type { ClusterImage } from '../domain/cluster/cluster-image.ts'
import type { ErrorName, KafkaError } from '../domain/errors.ts'
import { NO_PRODUCER_ID } from '../domain/log/record-batch.ts'
import type {
  Coordinated,
  CoordinatedState,
  CoordinatedTopic,
  CoordinatorDecision,
  TransactionEnd,
} from './coordinated.ts'
import { CoordinatorWriter, type TransactionalOrigin } from './coordinator-writer.ts'
import type { HostedPartition } from './hosted-partition.ts'
import type { Partitions } from './partitions.ts'
import type { Checksum } from './ports/checksum.ts'
import type { Clock } from './ports/clock.ts'
import type { Compressor } from './ports/compressor.ts'
import type { Logger } from './ports/logger.ts'
import type { MetadataRepository } from './ports/metadata-repository.ts'
import type { RecordCodec } from './ports/record-codec.ts'
import { replayLog } from './replay-log.ts'

export interface CoordinatorPorts<Record> {
  readonly partitions: Partitions
  readonly metadata: MetadataRepository
  readonly clock: Clock
  readonly logger: Logger
  readonly checksum: Checksum
  readonly compressor: Compressor
  readonly codec: RecordCodec<Record>
}

interface Shard<State> {
  readonly partition: number
  readonly state: State
  readonly hosted: HostedPartition
  /** The partition was created while this broker runs, so its log is empty. */
  readonly isNew: boolean
  phase: 'loading' | 'active' | 'gone'
  readonly loading: Promise<void>
  readonly writer: CoordinatorWriter
}

/** Records of a divisible decision that go into one batch: far below the smallest useful `max.message.bytes`. */
const RECORDS_A_BATCH = 500

function* parts<Record>(records: readonly Record[]): Generator<readonly Record[]> {
  for (let at = 0; at < records.length; at += RECORDS_A_BATCH) yield records.slice(at, at + RECORDS_A_BATCH)
}

const noAnswer = (error: KafkaError): { readonly error: KafkaError } => ({ error })

export class Coordinator<State extends CoordinatedState<Record>, Record> {
  readonly #ports: CoordinatorPorts<Record>
  readonly #topic: CoordinatedTopic<State>
  readonly #shards = new Map<number, Shard<State>>()
  #stopListening: (() => void) | null = null
  #closed = false

  constructor(ports: CoordinatorPorts<Record>, topic: CoordinatedTopic<State>) {
    this.#ports = ports
    this.#topic = topic
  }

  /** Begins to load what the topic holds, in the background, and follows the topic from now on. */
  start(): void {
    this.#stopListening = this.#ports.metadata.onChange((image, before) => this.#follow(image, before))
    this.#loadAll(this.#ports.metadata.image())
  }

  #follow(image: ClusterImage, before: ClusterImage): void {
    const { name } = this.#topic
    const topic = image.topicsByName.get(name)
    const old = before.topicsByName.get(name)
    if (topic === old) return
    const isSame = topic !== undefined && topic.id === old?.id
    if (!isSame) for (const shard of [...this.#shards.values()]) this.#unload(shard)
    this.#loadAll(image, isSame ? old.partitions.length : 0)
  }

  /** Partitions from `firstNew` on have just been created. */
  #loadAll(image: ClusterImage, firstNew = Infinity): void {
    const count = this.#partitionCount(image)
    for (let partition = 0; partition < count; partition++) this.#shard(partition, partition >= firstNew)
  }

  #partitionCount(image: ClusterImage): number {
    return image.topicsByName.get(this.#topic.name)?.partitions.length ?? 0
  }

  /** The partition that a key belongs to; null while the topic does not exist. */
  partitionOf(key: string): number | null {
    const count = this.#partitionCount(this.#ports.metadata.image())
    return count === 0 ? null : partitionForKey(key, count)
  }

  /** Decides about a key; with `origin`, its records belong to that producer's transaction. */
  run<Answer>(
    key: string,
    decide: (state: State, nowMs: bigint) => CoordinatorDecision<State, Record, Answer>,
    origin: TransactionalOrigin | null = null,
  ): Promise<Coordinated<Answer>> {
    const partition = this.partitionOf(key)
    if (partition === null) return Promise.resolve(noAnswer('COORDINATOR_NOT_AVAILABLE'))
    return this.runAt(partition, decide, origin)
  }

  /** As `run`, for a partition instead of a key: sweeps over everything in it. */
  async runAt<Answer>(
    partition: number,
    decide: (state: State, nowMs: bigint) => CoordinatorDecision<State, Record, Answer>,
    origin: TransactionalOrigin | null = null,
  ): Promise<Coordinated<Answer>> {
    const shard = this.#shard(partition)
    // There is nothing to load of a new partition: its log only has to be opened.
    if (shard?.isNew === true && shard.phase === 'loading') await shard.loading
    const unable = unavailable(shard)
    if (unable !== null) return noAnswer(unable)
    const decided = this.#decide(shard!, decide, origin)
    // Without a write under way this is the whole of it: a read, a heartbeat.
    const write = decided.error === null ? shard!.writer.lastWrite : null
    const error = write === null ? null : await write
    return error === null ? decided : noAnswer(error)
  }

  #decide<Answer>(
    shard: Shard<State>,
    decide: (state: State, nowMs: bigint) => CoordinatorDecision<State, Record, Answer>,
    origin: TransactionalOrigin | null,
  ): Coordinated<Answer> {
    const nowMs = this.#ports.clock.nowMs()
    const { records, answer, enact, divisible = false } = decide(shard.state, nowMs)
    for (const part of divisible ? parts(records) : [records]) {
      const refused = this.#record(shard, part, nowMs, origin)
      if (refused !== null) return noAnswer(refused)
    }
    enact?.(shard.state)
    return { error: null, answer }
  }

  /** Appends and evolves; or says why the log takes nothing of it, and nothing has changed. */
  #record(
    shard: Shard<State>,
    records: readonly Record[],
    nowMs: bigint,
    origin: TransactionalOrigin | null,
  ): KafkaError | null {
    if (records.length === 0) return null
    const { codec } = this.#ports
    const encoded = records.map((record) => ({ timestamp: nowMs, ...codec.encode(record) }))
    const taken = origin === null ? shard.writer.take(encoded) : shard.writer.takeAlone(encoded, origin)
    if (taken.error !== null) return taken.error
    const producerId = origin?.producerId ?? NO_PRODUCER_ID
    records.forEach((record, i) => shard.state.evolve(record, taken.from + BigInt(i), producerId))
    return null
  }

  /** What was decided on the lost records is void: the state is what the log says. */
  #writeFailed(shard: Shard<State>, error: ErrorName): void {
    if (shard.phase === 'gone') return
    this.#ports.logger.error('coordinator write failed', {
      topic: this.#topic.name,
      partition: shard.partition,
      error,
    })
    this.#unload(shard)
  }

  /** Ends a transaction in one partition: appends the end marker and lets its records count, or drops them. */
  async endTransaction(
    partition: number,
    { producerId, committed, marker, transactionVersion }: TransactionEnd,
  ): Promise<Coordinated<null>> {
    const shard = this.#shard(partition)
    const unable = unavailable(shard)
    if (unable !== null) return noAnswer(unable)
    const refused = shard!.writer.append(marker, { transactionVersion })
    if (refused !== null) return noAnswer(refused)
    shard!.state.endTransaction(producerId, committed)
    const error = shard!.writer.lastWrite === null ? null : await shard!.writer.lastWrite
    return error === null ? { error, answer: null } : noAnswer(error)
  }

  /** A look at what is decided about a key, which may not be written yet; or why there is nothing to look at. */
  peek(key: string): State | KafkaError {
    const partition = this.partitionOf(key)
    if (partition === null) return 'COORDINATOR_NOT_AVAILABLE'
    const shard = this.#shard(partition)
    return unavailable(shard) ?? shard!.state
  }

  /** As `peek`, for a partition; null = this broker is not in charge of it. */
  peekAt(partition: number): State | null {
    const shard = this.#shards.get(partition)
    return shard?.phase === 'active' ? shard.state : null
  }

  /** The epoch in which this broker is in charge of a partition. */
  epochOf(partition: number): number {
    return this.#shards.get(partition)?.hosted.leaderEpoch ?? -1
  }

  /** The partitions that are in charge now. */
  activePartitions(): readonly number[] {
    return [...this.#shards.values()].filter(({ phase }) => phase === 'active').map(({ partition }) => partition)
  }

  /** Whether a partition of the topic is still being loaded that may hold something. */
  get isLoading(): boolean {
    return [...this.#shards.values()].some(({ phase, isNew }) => phase === 'loading' && !isNew)
  }

  #shard(partition: number, isNew = false): Shard<State> | null {
    const shard = this.#shards.get(partition)
    if (shard !== undefined || this.#closed) return shard ?? null
    const hosted = this.#ports.partitions.find(this.#topic.name, partition)
    return hosted === null || hosted.state === 'offline' ? null : this.#load(partition, hosted, isNew)
  }

  #load(partition: number, hosted: HostedPartition, isNew: boolean): Shard<State> {
    const state = this.#topic.newState()
    const shard: Shard<State> = {
      partition,
      state,
      hosted,
      isNew,
      phase: 'loading',
      writer: new CoordinatorWriter(hosted, this.#ports.checksum, this.#topic, (error) =>
        this.#writeFailed(shard, error),
      ),
      // Begins in a later turn, when the shard can be found.
      loading: Promise.resolve().then(() => this.#replay(shard)),
    }
    this.#shards.set(partition, shard)
    return shard
  }

  async #replay(shard: Shard<State>): Promise<void> {
    const { partition, state, hosted } = shard
    const { name, loadBufferBytes } = this.#topic
    const { codec, compressor, logger } = this.#ports
    const where = { topic: name, partition }
    try {
      await hosted.whenOpen()
      const log = { hosted, bytesMax: loadBufferBytes(), compressor, stopped: () => shard.phase === 'gone' }
      await replayLog(log, {
        record: ({ key, value, offset }, producerId) => {
          const record = key === null ? null : codec.decode(key, value)
          if (record === null) logger.warn('coordinator record not known', { ...where, offset })
          else state.evolve(record, offset, producerId)
        },
        endTransaction: (producerId, committed) => state.endTransaction(producerId, committed),
      })
    } catch (cause) {
      logger.error('coordinator not loaded', { ...where, cause })
      this.#unload(shard)
      return
    }
    if (shard.phase !== 'loading') return
    shard.phase = 'active'
    this.#topic.loaded(partition, state)
  }

  #unload(shard: Shard<State>): void {
    const wasActive = shard.phase === 'active'
    shard.phase = 'gone'
    if (this.#shards.get(shard.partition) === shard) this.#shards.delete(shard.partition)
    if (wasActive) this.#topic.unloaded(shard.partition, shard.state)
  }

  /** Decides nothing any more; what was appended is written by the partitions. */
  close(): void {
    this.#closed = true
    this.#stopListening?.()
    for (const shard of [...this.#shards.values()]) {
      shard.writer.flush()
      this.#unload(shard)
    }
  }
}

function unavailable(shard: { readonly phase: 'loading' | 'active' | 'gone' } | null): KafkaError | null {
  if (shard === null || shard.phase === 'gone') return 'NOT_COORDINATOR'
  return shard.phase === 'loading' ? 'COORDINATOR_LOAD_IN_PROGRESS' : null
}
