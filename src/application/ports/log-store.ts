/**
 * The storage port: partitions as logs of opaque, already validated and stamped record batches.
 *
 * It knows no Kafka API and no rule of Kafka's protocol: which batch is acceptable, what an offset means to a client
 * and which producer wrote it are decided in the domain. What it does know is the batch header (base offset, last
 * offset delta, max timestamp, leader epoch, length), because an index is made from it.
 *
 * Every adapter passes the same contract, `test/contracts/log-store.ts`.
 */
import type { AbortedTransaction } from '../../domain/log/aborted-transaction.ts'
import type { LeaderEpochEntry } from '../../domain/log/leader-epochs.ts'
import type { TopicPartition } from '../../domain/topic-partition.ts'
import type { Uuid } from '../../domain/uuid.ts'
import type { Lease } from './lease.ts'

/** The settings of one log, in the units of the topic configs they come from. May be replaced while the log is open. */
export interface LogOptions {
  readonly topicId: Uuid
  readonly segmentBytes: number
  readonly segmentMs: bigint
  readonly segmentJitterMs: bigint
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  /** Fsync after this many records (`flush.messages`); Long.MAX_VALUE = leave it to the operating system. */
  readonly flushMessages: bigint
  /** Fsync after this many milliseconds (`flush.ms`). */
  readonly flushMs: bigint
  readonly fileDeleteDelayMs: bigint
  readonly preallocate: boolean
}

/** One record batch, ready to be stored byte for byte: offsets and leader epoch are stamped, its CRC holds. */
export interface StampedBatch {
  /** The whole batch from base offset to its last record; a view that stays valid while `lease` is held. */
  readonly bytes: Uint8Array
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly maxTimestamp: bigint
  readonly leaderEpoch: number
  /** The memory behind `bytes`; absent when the bytes are the garbage collector's own. */
  readonly lease?: Lease
  /**
   * Present when `announce` said that this batch begins a new segment: the producer states before it, which the
   * storage keeps as the snapshot at `baseOffset` (null = nothing to keep).
   */
  readonly newSegment?: { readonly snapshot: Uint8Array | null }
  /** Present when this is the marker that aborts a transaction: kept for `abortedTransactions`. */
  readonly aborted?: AbortedTransaction
}

/** What the roll rule needs to know of a batch before it is appended. */
export interface AnnouncedBatch {
  readonly sizeBytes: number
  readonly lastOffset: bigint
  readonly maxTimestamp: bigint
}

export interface ReadLimits {
  /** Stop before the batch that would exceed this many bytes; the first batch comes whole even when it is larger … */
  readonly bytesMax: number
  /** … if this is true; otherwise nothing comes when the first batch is larger than `bytesMax`. */
  readonly atLeastOne: boolean
  /** Exclusive upper bound: batches whose base offset is at or past it are not returned. */
  readonly before: bigint
}

/** Whole, consecutive batches, byte for byte as stored. */
export interface LogSlice {
  readonly chunks: readonly Uint8Array[]
  readonly bytes: number
  /** The offset after the last returned batch; the offset asked for when nothing was returned. */
  readonly nextOffset: bigint
  /** Gives the memory behind `chunks` back; to be called once, when they are no longer read. */
  release(): void
}

export interface TimestampOffset {
  readonly timestamp: bigint
  readonly offset: bigint
  /** The partition leader epoch of the batch that holds the offset. */
  readonly leaderEpoch: number
}

/** A named state at an offset, kept beside the log: Kafka's `<offset>.snapshot` of producer states. */
export interface LogSnapshot {
  /** The state covers everything before this offset. */
  readonly offset: bigint
  readonly bytes: Uint8Array
}

/** One segment of a log, as retention and compaction weigh it. */
export interface SegmentFacts {
  readonly baseOffset: bigint
  /** Of the batches, without indexes. */
  readonly sizeBytes: number
}

/** Batches that take the place of others, in order; each group must stay valid until the next one is asked for. */
export type RewrittenBatches = AsyncIterable<readonly StampedBatch[]>

/** What the storage had to put right when it opened a log that its last owner left unclean. */
export interface LogRepairs {
  /** Where the log ends since: what lay there and after it did not hold, and was cut off. */
  readonly end: bigint
  readonly cutBytes: number
  /** Replacements of segments that were completed, and ones that were dropped. */
  readonly finished: number
  readonly undone: number
}

export interface PartitionLog {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  /** Absolute path of the log directory that holds it; an adapter without directories answers ''. */
  readonly directory: string

  /** `start` = log start offset (inclusive), `end` = the offset that the next record gets. */
  range(): { readonly start: bigint; readonly end: bigint }

  /** Absent or null = nothing had to be put right when it was opened. */
  readonly repairs?: LogRepairs | null

  /** Bytes of all segments, without indexes: the size that DescribeLogDirs reports. */
  sizeBytes(): number

  /**
   * Whether this batch begins a new segment when it is appended after everything announced so far (`segment.bytes`,
   * `segment.ms`, a full index, an offset too far from the segment's base). The owner announces each batch once, in
   * order, before its append, because only then does it still hold the state that the new segment's snapshot needs.
   * A conflict or `truncate` forgets what was announced and not appended.
   */
  announce(batch: AnnouncedBatch, nowMs: bigint): 'same segment' | 'new segment'

  /**
   * Calls `write` once, in a later turn, when what has arrived at the process by now was looked at: appends that are
   * gathered until then cost one write. A log without it is cheap to append to.
   */
  gather?(write: () => void): unknown

  /**
   * Appends batches if the log ends exactly at `at`; otherwise changes nothing and answers `conflict`.
   * The batches go out as one vectored write; the promise resolves when they are readable by `read` and, if
   * `flushMessages` or `flushMs` ask for it, on the disk. A failed write rejects with `StorageError` and the log
   * refuses everything from then on. At most one append may be under way per log.
   */
  append(at: bigint, batches: readonly StampedBatch[]): Promise<'appended' | 'conflict'>

  /**
   * As `append`, done when it returns: for what takes no longer than handing it to somebody else. null = it is to be
   * appended with `append`, and nothing has happened yet. Throws what `append` rejects with, and is never called while
   * one is under way.
   */
  appendNow?(at: bigint, batches: readonly StampedBatch[]): 'appended' | null

  /**
   * The batches from the one that holds `from` (which may lie inside it) on. `from` must be within
   * `[start, end]`; at `end` the slice is empty. Where compaction left a gap, reading goes on at the next batch.
   */
  read(from: bigint, limits: ReadLimits): Promise<LogSlice>

  /**
   * The first record at or after the start offset whose timestamp is `timestamp` or later, or null.
   * `lookup` finds the record inside a candidate batch (batches are opaque here); it answers null when the batch
   * holds none.
   */
  offsetForTimestamp(timestamp: bigint, lookup: BatchTimestampLookup): Promise<TimestampOffset | null>

  /** The record with the largest timestamp (the earliest of several), or null for an empty log. */
  offsetOfMaxTimestamp(lookup: BatchMaxTimestampLookup): Promise<TimestampOffset | null>

  /** Moves the start offset up to `before` (never down) and deletes segments that lie wholly below it. */
  trim(before: bigint): Promise<void>

  /** Cuts everything at and after `to` (a batch boundary) off. */
  truncate(to: bigint): Promise<void>

  /** Oldest first; the last one is the active one, and is there even when it is empty. */
  segments(): readonly SegmentFacts[]

  /**
   * The largest timestamp in the segment with this base offset; where its records have none, when it was last
   * written. `conflict` = there is no such segment any more.
   */
  largestTimestamp(baseOffset: bigint): Promise<bigint | 'conflict'>

  /**
   * Ends the active segment and begins the next one at `at`, if the log ends exactly there and nothing is announced
   * that is not appended; `snapshot` is kept as that of a `newSegment`. An empty active segment stays.
   */
  roll(at: bigint, snapshot: Uint8Array | null): Promise<'rolled' | 'conflict'>

  /**
   * Puts one segment in the place of those from base offset `from` up to, but not including, base offset `before`,
   * none of which is the active one. Nothing but `batches` is in it; their offsets lie within [from, before) and
   * ascend, with gaps. Reads and appends go on meanwhile; a crash leaves the old segments or the new one. `conflict` =
   * those segments are not (or no longer) there, and nothing was changed. When `batches` throws or cannot be stored,
   * nothing is changed either, and the log stays usable.
   */
  replaceSegments(from: bigint, before: bigint, batches: RewrittenBatches): Promise<'replaced' | 'conflict'>

  /** The aborted transactions with offsets in [from, before), by the offset of their markers. */
  abortedTransactions(from: bigint, before: bigint): Promise<readonly AbortedTransaction[]>

  /**
   * After an unclean stop, where transactions ended that may have been aborted: from here on `abortedTransactions` may
   * be wrong until `restoreAborted`, and the log does not count as stopped cleanly before. null = all of it is right.
   */
  readonly unsoundFrom: bigint | null
  /** Makes these, by the offset of their markers, the aborted transactions whose markers lie at or after `from`. */
  restoreAborted(from: bigint, aborted: readonly AbortedTransaction[]): Promise<void>

  /** Where the next compaction begins, as saved; null = never compacted. */
  firstDirtyOffset(): bigint | null
  saveFirstDirtyOffset(offset: bigint): Promise<void>

  /** The epochs in which this log was written, ascending; derived from the batches and kept by the adapter. */
  leaderEpochs(): readonly LeaderEpochEntry[]

  /** Brings everything written so far to the disk. */
  flush(): Promise<void>

  /** The newest snapshot at or below `atOrBelow` that is intact, or null. */
  loadSnapshot(atOrBelow: bigint): Promise<LogSnapshot | null>
  saveSnapshot(snapshot: LogSnapshot): Promise<void>
  /** New settings, in effect from the next append. */
  configure(options: LogOptions): void
}

/** Inside one batch (its whole bytes): the first record with a timestamp of at least `timestamp` at `offset >= from`. */
export type BatchTimestampLookup = (batch: Uint8Array, timestamp: bigint, from: bigint) => TimestampOffset | null

/** Inside one batch: the record that carries its largest timestamp. */
export type BatchMaxTimestampLookup = (batch: Uint8Array) => TimestampOffset | null

export interface LogDirectory {
  /** Absolute path. */
  readonly path: string
  readonly online: boolean
  readonly totalBytes: bigint
  readonly usableBytes: bigint
}

/** A log that the store holds, whether it is open or not. */
export interface ListedLog {
  readonly topicPartition: TopicPartition
  /** Absolute path of the log directory that holds it; an adapter without directories answers ''. */
  readonly directory: string
  /** As the storage recorded it; null where it recorded none. */
  readonly topicId: Uuid | null
  /** Its last owner did not stop cleanly: opening it recovers it, and until then the next stop is not clean either. */
  readonly needsRecovery: boolean
}

/** Copies of logs that are on their way to another directory of the store (KIP-113). */
export interface LogCopies {
  /** Where copies are under way, those of the last process included. */
  list(): readonly { readonly topicPartition: TopicPartition; readonly directory: string }[]
  /**
   * Opens the partition's copy in that directory, made empty at `startOffset` when there is none. It is a log like
   * any other, and the store's `open` goes on answering the original.
   */
  open(partition: TopicPartition, directory: string, options: LogOptions, startOffset: bigint): Promise<PartitionLog>
  /**
   * The copy takes the original's place, which is deleted; where there is no original, or it is not open, only names
   * change. `now` is called with the new log while nobody can read the old one; what waited to read that rejects with
   * `StorageError`. A crash leaves the original, or only the copy.
   */
  promote(partition: TopicPartition, options: LogOptions, now: (log: PartitionLog) => void): Promise<void>
  /** Gives the copy up; `stray` = its topic is not known, somebody may want to look at it. */
  discard(partition: TopicPartition, why: 'delete' | 'stray'): Promise<void>
  /** A log that does not exist yet is created there. Forgotten when the store closes, as Kafka does. */
  prefer(partition: TopicPartition, directory: string): void
}

export interface LogStore {
  /** Absent where there are no directories to move between. */
  readonly copies?: LogCopies
  /** Takes the storage (locks directories, recovers after an unclean stop). Before it, no other method may be called. */
  start(): Promise<void>
  /**
   * Opens a log, creating it empty when it does not exist. Opening the same one twice answers the same object.
   *
   * `directory` says where it is to be created: a path; null = anywhere, because it is known that it never existed;
   * absent = not known: while a directory is offline, which may hold it, it is not created then.
   */
  open(partition: TopicPartition, options: LogOptions, directory?: string | null): Promise<PartitionLog>
  list(): Promise<readonly ListedLog[]>
  /**
   * Takes a log out of the way that belongs to no topic we know: a new one of that name can be opened then. Where there
   * are files they stay, in a folder with Kafka's suffix `-stray`.
   */
  setAside(partition: TopicPartition): Promise<void>
  /** Removes a log; readers that hold a slice of it keep it. */
  delete(partition: TopicPartition): Promise<void>
  /** The directories behind the store; an adapter without directories answers one with the path ''. */
  directories(): Promise<readonly LogDirectory[]>
  /** Flushes, saves what a clean stop saves and gives the storage back. */
  close(): Promise<void>
}

/** I/O on a log failed or the log is offline: the partition answers KAFKA_STORAGE_ERROR from then on. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
}
