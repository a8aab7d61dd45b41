/**
 * One partition of this broker: its log, the rules over it and its single ordered writer.
 *
 * An append is decided, stamped and evolved in one synchronous go, so what comes first is first in the log. Only then
 * it waits for the disk, together with whatever queued up meanwhile; readers see it when it is written. Appends that
 * arrive while the log is being opened wait in order. A failed write takes the partition offline for good.
 */
import type { PartitionImage } from '../domain/cluster/cluster-image.ts'
import { isInternalTopic } from '../domain/cluster/internal-topics.ts'
import type { TopicConfig } from '../domain/config/topic-config.ts'
import type { KafkaError } from '../domain/errors.ts'
import type { AbortedTransaction } from '../domain/log/aborted-transaction.ts'
import { refusal, type Refusal } from '../domain/log/append-rules.ts'
import { readEndMarker, type EndMarker } from '../domain/log/end-marker.ts'
import type { LeaderEpochEntry } from '../domain/log/leader-epochs.ts'
import { encodeProducerSnapshot } from '../domain/log/producer-snapshot.ts'
import { ProducerStates, type DuplicateBatch, type ProducerEntry } from '../domain/log/producer-state.ts'
import type { RecordBatchView } from '../domain/log/record-batch.ts'
import { NO_LEAVE, type FirstBatch } from '../domain/log/transaction-leaves.ts'
import { topicPartitionKey, type TopicPartition } from '../domain/topic-partition.ts'
import type { Uuid } from '../domain/uuid.ts'
import { NOT_KNOWN, notAppended, refused, type AppendResult } from './append-result.ts'
import { HeldAppends, type Release } from './held-appends.ts'
import { logOptionsOf } from './log-options.ts'
import { LogExchange } from './log-exchange.ts'
import type { PartitionContext } from './partition-context.ts'
import { PartitionReads, type ReadSource } from './partition-reads.ts'
import type { Isolation, PartitionReadLimits, ReadablePartition } from './partition.ts'
import type { Lease } from './ports/lease.ts'
import {
  StorageError,
  type LogOptions,
  type LogSlice,
  type LogSnapshot,
  type PartitionLog,
  type StampedBatch,
  type TimestampOffset,
} from './ports/log-store.ts'
import { ReportedStorageError } from './ports/reported-storage-error.ts'
import { PendingAppend, type AppendCommand } from './pending-append.ts'
import { prepareBatch } from './prepare-batch.ts'
import { recoverProducers } from './recover-producers.ts'
import type { TailWindow } from './tail-cache.ts'
import type { Upkeep, UpkeptPartition } from './upkeep.ts'
import { WriteQueue } from './write-queue.ts'

type ExchangeLog = (snapshot: LogSnapshot, now: (log: PartitionLog) => void) => Promise<void>

export class HostedPartition implements ReadablePartition, UpkeptPartition {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  /** By the newest image. */
  image: PartitionImage
  readonly #key: string
  readonly #context: PartitionContext
  readonly #window: TailWindow
  readonly #isInternal: boolean
  readonly #reads: PartitionReads
  readonly #opened: Promise<void>
  #config: TopicConfig
  #state: ReadablePartition['state'] = 'opening'
  #waiting: PendingAppend[] = []
  readonly #held = new HeldAppends((pending, answer) => {
    if (answer === null) this.#append(pending)
    else pending.end(refused(answer, this.logStartOffset))
  })
  readonly #exchange = new LogExchange()
  #log: PartitionLog | null = null
  #queue: WriteQueue | null = null
  #producers = new ProducerStates()
  /** Whether the newest snapshot lacks something. */
  #unsaved = false
  /** Accepted, perhaps not written yet. */
  #end = 0n
  #highWatermark = 0n
  #lastStableOffset = 0n

  constructor(
    topicPartition: TopicPartition,
    topicId: Uuid,
    image: PartitionImage,
    config: TopicConfig,
    context: PartitionContext,
    open: (options: LogOptions) => Promise<PartitionLog>,
  ) {
    this.topicPartition = topicPartition
    this.topicId = topicId
    this.image = image
    this.#key = topicPartitionKey(topicPartition.topic, topicPartition.partition)
    this.#config = config
    this.#context = context
    this.#window = context.tail.window()
    this.#isInternal = isInternalTopic(topicPartition.topic)
    this.#reads = new PartitionReads(this.#asReadSource(), context, this.#window)
    this.#opened = this.#open(open)
  }

  #asReadSource(): ReadSource {
    return {
      servedLog: () => this.#servedLog(),
      isServed: (log) => this.#log === log,
      bound: (isolation) => (isolation === 'read committed' ? this.#lastStableOffset : this.#highWatermark),
      maxDecompressedMessageBytes: () => this.#config.maxDecompressedMessageBytes,
      readFailed: (during, cause) => this.#goOffline(during, cause),
    }
  }

  async #open(open: (options: LogOptions) => Promise<PartitionLog>): Promise<void> {
    const opening = this.#config
    try {
      const log = await open(logOptionsOf(this.topicId, opening))
      const recovered = await recoverProducers(log, this.#context.checksum)
      if (this.#config !== opening) log.configure(this.logOptions())
      recovered.states.leaves = this.#producers.leaves
      this.#producers = recovered.states
      this.#unsaved = !recovered.saved
      this.#serve(log)
      this.#end = this.#highWatermark = log.range().end
      this.#lastStableOffset = this.#stableUpTo(this.#end)
      if (this.#state === 'opening') this.#state = 'open'
    } catch (cause) {
      this.#goOffline('open', cause)
    }
    this.#appendWaiting()
  }

  #serve(log: PartitionLog): void {
    this.#log = log
    this.#queue = new WriteQueue(log, {
      written: (batches, end) => this.#advance(batches, end),
      failed: (cause) => this.#goOffline('append', cause),
    })
  }

  #appendWaiting(): void {
    for (const pending of this.#waiting.splice(0)) this.#append(pending)
  }

  logOptions(): LogOptions {
    return logOptionsOf(this.topicId, this.#config)
  }

  /** The log that is served now; null unless open. */
  get log(): PartitionLog | null {
    return this.#state === 'open' ? this.#log : null
  }

  /**
   * Another copy of the log takes its place (KIP-113): `exchange` runs while nothing is appended, with the producer
   * states as they are then, and calls `now` with the new log. Appends and deletions of records that come meanwhile
   * wait; when it rejects they go where they would have gone.
   */
  async exchangeLog(exchange: ExchangeLog): Promise<void> {
    await this.#exchange.run(
      async () => {
        await this.#queue?.idle()
        const snapshot = { offset: this.#end, bytes: this.#snapshot() }
        await exchange(snapshot, (log) => {
          log.configure(this.logOptions())
          this.#serve(log)
        })
      },
      () => this.#appendWaiting(),
    )
  }

  get state(): ReadablePartition['state'] {
    return this.#state
  }

  whenOpen(): Promise<void> {
    return this.#opened
  }

  get logStartOffset(): bigint {
    return this.#log?.range().start ?? 0n
  }

  get highWatermark(): bigint {
    return this.#highWatermark
  }

  /** The offset that the next accepted record gets: past the high watermark by what is still to be written. */
  get logEndOffset(): bigint {
    return this.#end
  }

  get lastStableOffset(): bigint {
    return this.#lastStableOffset
  }

  get leaderEpoch(): number {
    return this.image.leaderEpoch
  }

  leaderEpochs(): readonly LeaderEpochEntry[] {
    return this.#log?.leaderEpochs() ?? []
  }

  sizeBytes(): number {
    return this.#log?.sizeBytes() ?? 0
  }

  directory(): string {
    return this.#log?.directory ?? ''
  }

  /** New topic configs, in effect from the next append. */
  configure(config: TopicConfig): void {
    if (config === this.#config) return
    this.#config = config
    this.#log?.configure(this.logOptions())
  }

  /**
   * Appends one batch. `settle` is called once: at once when it is refused, otherwise when the batch (or, for a
   * duplicate, the batch that it repeats) is written or cannot be.
   */
  append(command: AppendCommand, settle: (result: AppendResult) => void): void {
    const pending = new PendingAppend(command, this, this.#context.budget, settle)
    // Nothing holds up the broker's own records: a marker ends the transaction that others still wait to join.
    if (command.origin === 'coordinator' || !this.#held.takes(pending)) this.#append(pending)
  }

  /** As `append`, once the transaction coordinator has answered; what its producer appends meanwhile comes after it. */
  appendLater(command: AppendCommand, settle: (result: AppendResult) => void): Release {
    return this.#held.hold(new PendingAppend(command, this, this.#context.budget, settle))
  }

  /**
   * What a transactional batch is to be appended with; NO_LEAVE when its transaction is ongoing here, null when it is
   * of an epoch that has passed: the transaction coordinator is not asked about it (observed on 4.3.1).
   */
  askLeave(batch: FirstBatch, raisesEpochs: boolean): number | null {
    const { producerId, producerEpoch } = batch
    if (this.#producers.isInTransaction(producerId, producerEpoch)) return NO_LEAVE
    if (this.#producers.isStale(producerId, producerEpoch)) return null
    return this.#producers.leaves.ask(batch, raisesEpochs, this.#context.clock.nowMs())
  }

  /** The largest batch that is taken. */
  get batchBytesMax(): number {
    return Math.min(this.#config.maxMessageBytes, this.#config.segmentBytes)
  }

  /** Why no batch is taken now whose writer wants all replicas to have it; null = one may be. */
  get unwritable(): KafkaError | null {
    if (this.#state === 'offline') return 'KAFKA_STORAGE_ERROR'
    if (this.#state === 'closed') return 'NOT_LEADER_OR_FOLLOWER'
    const inSyncMin = Math.min(this.#config.minInsyncReplicas, this.image.replicas.length)
    return this.image.isr.length < inSyncMin ? 'NOT_ENOUGH_REPLICAS' : null
  }

  /** Calls `run` right before the next write begins: what it appends goes out with that. */
  beforeNextWrite(run: () => void): void {
    if (this.#queue === null) run()
    else this.#queue.beforeNext(run)
  }

  #append(pending: PendingAppend): void {
    switch (this.#state) {
      case 'opening':
        this.#waiting.push(pending)
        return
      case 'offline':
        pending.end(notAppended('KAFKA_STORAGE_ERROR'))
        return
      case 'closed':
        pending.end(notAppended('NOT_LEADER_OR_FOLLOWER'))
        return
      case 'open':
        if (this.#exchange.underWay) this.#waiting.push(pending)
        else this.#decide(pending)
    }
  }

  #decide(pending: PendingAppend): void {
    let why: Refusal | null
    try {
      why = this.#accept(pending)
    } catch (cause) {
      // A bug or a codec that failed in its own way: nothing was stamped, so only this batch is lost, and says so.
      this.#context.logger.error('append failed', { partition: this.#key, cause })
      why = refusal('UNKNOWN_SERVER_ERROR', true)
    }
    if (why !== null) pending.end(refused(why, this.logStartOffset))
  }

  /** Queues the batch, or says why not. */
  #accept(pending: PendingAppend): Refusal | null {
    const { command } = pending
    const { origin } = command
    const config = this.#config
    const unwritable = command.acksAll ? this.unwritable : null
    if (unwritable !== null) return refusal(unwritable, true)
    const nowMs = this.#context.clock.nowMs()
    const prepared = prepareBatch(command.batch, config, origin, this.#key, nowMs, this.#context)
    if ('error' in prepared) return prepared
    const { view } = prepared
    const marker = view.isControl ? readEndMarker(view) : null
    const decision = this.#judge(command, view, marker)
    if (typeof decision === 'object') {
      pending.place(null, decision.baseOffset, decision.timestamp)
      this.#queue!.push(pending)
      return null
    }
    if (decision !== 'accept') return refusal(decision, true)
    const baseOffset = this.#end
    const batch = this.#stamp(view, marker, prepared.changed ? undefined : command.lease, nowMs)
    const logAppendTimeMs = config.messageTimestampType === 'LogAppendTime' ? nowMs : NOT_KNOWN
    pending.place(batch, baseOffset, logAppendTimeMs)
    this.#queue!.push(pending)
    return null
  }

  #judge(
    { origin, leave, transactionVersion }: AppendCommand,
    view: RecordBatchView,
    marker: EndMarker | null,
  ): 'accept' | DuplicateBatch | KafkaError {
    if (marker !== null) return this.#producers.decideMarker(view, marker, transactionVersion ?? 0)
    return view.isControl ? 'accept' : this.#producers.decide(view, origin, leave ?? NO_LEAVE)
  }

  /** Gives the batch its place: from here on it is in the log, though not yet written. */
  #stamp(view: RecordBatchView, marker: EndMarker | null, lease: Lease | undefined, nowMs: bigint): StampedBatch {
    const baseOffset = this.#end
    const leaderEpoch = this.image.leaderEpoch
    view.stamp(baseOffset, leaderEpoch)
    const lastOffset = baseOffset + BigInt(view.lastOffsetDelta)
    const maxTimestamp = view.maxTimestamp
    const bytes = view.bytes
    const announced = this.#log!.announce({ sizeBytes: bytes.length, lastOffset, maxTimestamp }, nowMs)
    const snapshot = announced === 'new segment' ? this.#snapshot() : null
    const aborted = this.#producers.evolve(view, marker)
    this.#unsaved = true
    this.#end = lastOffset + 1n
    lease?.retain()
    if (snapshot === null && aborted === null) {
      // Nearly every batch is of these shapes; spreading would cost more than all of the above.
      if (lease === undefined) return { bytes, baseOffset, lastOffset, maxTimestamp, leaderEpoch }
      return { bytes, baseOffset, lastOffset, maxTimestamp, leaderEpoch, lease }
    }
    return {
      bytes,
      baseOffset,
      lastOffset,
      maxTimestamp,
      leaderEpoch,
      ...(lease === undefined ? {} : { lease }),
      ...(snapshot === null ? {} : { newSegment: { snapshot } }),
      ...(aborted === null ? {} : { aborted }),
    }
  }

  #advance(batches: readonly StampedBatch[], end: bigint): void {
    this.#highWatermark = end
    this.#lastStableOffset = this.#stableUpTo(end)
    this.#keep(batches)
    this.#context.onAdvance(this)
  }

  /** Nobody reads the coordinators' many tiny batches at the tail: keeping them costs the collector more than all else. */
  #keep(batches: readonly StampedBatch[]): void {
    if (this.#isInternal) for (const { lease } of batches) lease?.release()
    else for (const batch of batches) this.#context.tail.add(this.#window, batch)
  }

  #stableUpTo(writtenEnd: bigint): bigint {
    const unstable = this.#producers.firstUnstableOffset(writtenEnd)
    if (unstable === null) return writtenEnd
    // What was deleted of an open transaction holds nobody back.
    const start = this.logStartOffset
    return unstable < start ? start : unstable
  }

  #goOffline(during: string, cause: unknown): void {
    if (this.#state === 'offline' || this.#state === 'closed') return
    this.#state = 'offline'
    this.#context.tail.drop(this.#window)
    const level = cause instanceof ReportedStorageError ? 'debug' : 'error'
    this.#context.logger[level]('partition offline', { partition: this.#key, during, cause })
    this.#context.onAdvance(this)
  }

  read(from: bigint, limits: PartitionReadLimits, isolation: Isolation): LogSlice | Promise<LogSlice> {
    return this.#reads.read(from, limits, isolation)
  }

  abortedTransactions(from: bigint, before: bigint): Promise<readonly AbortedTransaction[]> {
    return this.#reads.abortedTransactions(from, before)
  }

  offsetForTimestamp(timestamp: bigint, isolation: Isolation): Promise<TimestampOffset | null> {
    return this.#reads.offsetForTimestamp(timestamp, isolation)
  }

  offsetOfMaxTimestamp(): Promise<TimestampOffset | null> {
    return this.#reads.offsetOfMaxTimestamp()
  }

  #servedLog(): PartitionLog {
    if (this.#state === 'open' && this.#log !== null) return this.#log
    throw new StorageError(`${this.#key} is ${this.#state}`)
  }

  trim(before: bigint): Promise<KafkaError | null> {
    return this.#exchange.change(() => this.#trim(before))
  }

  async #trim(before: bigint): Promise<KafkaError | null> {
    if (this.#state !== 'open' || this.#log === null) return 'KAFKA_STORAGE_ERROR'
    try {
      await this.#reads.ask('trim', (log) => log.trim(before < this.#highWatermark ? before : this.#highWatermark))
      this.#lastStableOffset = this.#stableUpTo(this.#highWatermark)
      this.#context.onAdvance(this)
      return null
    } catch (cause) {
      if (cause instanceof StorageError) return 'KAFKA_STORAGE_ERROR'
      throw cause
    }
  }

  /** What retention and compaction work on; null unless the partition is open. */
  upkeep(): Upkeep | null {
    const log = this.#log
    if (this.#state !== 'open' || log === null) return null
    return {
      log,
      config: this.#config,
      highWatermark: this.#highWatermark,
      lastStableOffset: this.#lastStableOffset,
      lastOfProducers: () => this.#producers.lastOfEach(),
      roll: () =>
        this.#end === this.#highWatermark ? log.roll(this.#end, this.#snapshot()) : Promise.resolve('conflict'),
      rewritten: () => this.#context.tail.drop(this.#window),
      failed: (during, cause) => {
        // a log that was exchanged for another one is of no account any more
        if (this.#log === log) this.#goOffline(during, cause)
      },
    }
  }

  /** Who has written here and is still known. */
  producers(): readonly ProducerEntry[] {
    return [...this.#producers.entries()]
  }

  /** Forgets producers that have been silent for long (`producer.id.expiration.ms`). */
  expireProducers(expirationMs: bigint): void {
    this.#producers.expire(this.#context.clock.nowMs(), expirationMs)
  }

  #snapshot(): Uint8Array {
    return encodeProducerSnapshot(this.#producers, (bytes) => this.#context.checksum.crc32c(bytes))
  }

  /**
   * Takes no more appends and waits until those taken are written. `keep` = save the producer states at the end, so
   * that the next start reads no record; the storage closes the log itself. A partition to be deleted keeps nothing.
   */
  async close(keep: boolean): Promise<void> {
    await this.#opened
    await this.#exchange.whenOver()
    const wasOpen = this.#state === 'open'
    if (wasOpen) this.#state = 'closed'
    await this.#queue?.idle()
    this.#context.tail.drop(this.#window)
    this.#context.onAdvance(this)
    if (!wasOpen || !keep || !this.#unsaved || this.#log === null) return
    try {
      await this.#log.saveSnapshot({ offset: this.#end, bytes: this.#snapshot() })
      this.#unsaved = false
    } catch (cause) {
      this.#context.logger.error('producer snapshot not saved', { partition: this.#key, cause })
    }
  }
}
