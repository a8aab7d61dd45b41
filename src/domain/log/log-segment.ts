/**
 * When a log goes on in a new segment, and which batches of a segment get index entries: Kafka's rules, as arithmetic
 * over a few numbers. Files, bytes and clocks are elsewhere; a storage advances one `SegmentShape` per active segment
 * and a second one ahead of it for what is announced and not yet written.
 */

/** What the rules need to know of one batch. */
export interface SegmentBatch {
  readonly sizeBytes: number
  readonly lastOffset: bigint
  readonly maxTimestamp: bigint
}

export interface SegmentRules {
  readonly segmentBytes: number
  readonly segmentMs: bigint
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
}

/** Bytes of one `.index` entry: relative offset int32, position int32. */
export const OFFSET_ENTRY_BYTES = 8
/** Bytes of one `.timeindex` entry: timestamp int64, relative offset int32. */
export const TIME_ENTRY_BYTES = 12
/** Offsets inside a segment are int32 relative to its base. */
const RELATIVE_OFFSET_MAX = 0x7fff_ffffn
const NO_TIMESTAMP = -1n

/** The largest size of an index file: `segment.index.bytes` rounded down to whole entries. */
export function indexFileBytes(segmentIndexBytes: number, entryBytes: number): number {
  return segmentIndexBytes - (segmentIndexBytes % entryBytes)
}

/** How a segment looked when it was last seen; what is left out is that of an empty segment. */
export interface SegmentShapeState {
  readonly baseOffset: bigint
  readonly jitterMs: bigint
  readonly sizeBytes?: number
  readonly firstTimestamp?: bigint
  readonly maxTimestamp?: bigint
  readonly maxTimestampOffset?: bigint
  readonly offsetEntries?: number
  readonly timeEntries?: number
  readonly lastTimeEntry?: bigint
  readonly bytesSinceEntry?: number
}

/** The numbers of one growing segment that its roll and its index entries depend on. */
export class SegmentShape {
  readonly baseOffset: bigint
  /** `segment.ms` is shortened by this much, drawn once per segment (`segment.jitter.ms`). */
  readonly jitterMs: bigint
  sizeBytes: number
  /** The max timestamp of the first batch; -1 = no batch, or one without timestamps. */
  firstTimestamp: bigint
  /** The largest timestamp so far and the last offset of the first batch that had it; -1 = none. */
  maxTimestamp: bigint
  maxTimestampOffset: bigint
  offsetEntries: number
  timeEntries: number
  lastTimeEntry: bigint
  bytesSinceEntry: number
  /** When it was first asked about a batch: the age of a segment whose records have no timestamps. */
  #seenMs: bigint | null = null

  constructor(state: SegmentShapeState) {
    this.baseOffset = state.baseOffset
    this.jitterMs = state.jitterMs
    this.sizeBytes = state.sizeBytes ?? 0
    this.firstTimestamp = state.firstTimestamp ?? NO_TIMESTAMP
    this.maxTimestamp = state.maxTimestamp ?? NO_TIMESTAMP
    this.maxTimestampOffset = state.maxTimestampOffset ?? state.baseOffset
    this.offsetEntries = state.offsetEntries ?? 0
    this.timeEntries = state.timeEntries ?? 0
    this.lastTimeEntry = state.lastTimeEntry ?? NO_TIMESTAMP
    this.bytesSinceEntry = state.bytesSinceEntry ?? 0
  }

  copy(): SegmentShape {
    const copy = new SegmentShape(this)
    copy.#seenMs = this.#seenMs
    return copy
  }

  /**
   * Whether `batch` must begin a new segment. Time is that of the records: the batch's max timestamp against the
   * first batch's; only a segment whose first batch has no timestamp goes by the clock. An empty segment never rolls.
   */
  mustRoll(batch: SegmentBatch, nowMs: bigint, rules: SegmentRules): boolean {
    this.#seenMs ??= nowMs
    if (this.sizeBytes === 0) return false
    const waited = this.firstTimestamp >= 0n ? batch.maxTimestamp - this.firstTimestamp : nowMs - this.#seenMs
    return (
      this.sizeBytes > rules.segmentBytes - batch.sizeBytes ||
      waited > rules.segmentMs - this.jitterMs ||
      this.offsetEntries >= Math.floor(rules.segmentIndexBytes / OFFSET_ENTRY_BYTES) ||
      // one entry is kept free for the last one, which closing the segment adds
      this.timeEntries >= Math.floor(rules.segmentIndexBytes / TIME_ENTRY_BYTES) - 1 ||
      batch.lastOffset - this.baseOffset > RELATIVE_OFFSET_MAX
    )
  }

  /**
   * Counts `batch` in. True when it gets an entry in the offset index (its last offset, and where it begins). The
   * time index gets one with it (the largest timestamp so far) if that is news; `timeEntries` has grown then.
   */
  add(batch: SegmentBatch, indexIntervalBytes: number): boolean {
    if (this.sizeBytes === 0) this.firstTimestamp = batch.maxTimestamp
    if (batch.maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = batch.maxTimestamp
      this.maxTimestampOffset = batch.lastOffset
    }
    const indexed = this.bytesSinceEntry > indexIntervalBytes
    if (indexed) {
      this.offsetEntries++
      this.bytesSinceEntry = 0
    }
    this.sizeBytes += batch.sizeBytes
    this.bytesSinceEntry += batch.sizeBytes
    if (indexed) this.takeTimeEntry()
    return indexed
  }

  /**
   * Whether the largest timestamp is not in the time index yet; counts the entry that it now gets. Due with each
   * offset entry and once more when the segment ends.
   */
  takeTimeEntry(): boolean {
    if (this.maxTimestamp <= this.lastTimeEntry) return false
    this.timeEntries++
    this.lastTimeEntry = this.maxTimestamp
    return true
  }
}

/** How much earlier than `segment.ms` a new segment rolls, given a random whole number. */
export function segmentJitter(random: number, segmentJitterMs: bigint, segmentMs: bigint): bigint {
  const bound = segmentJitterMs < segmentMs ? segmentJitterMs : segmentMs
  return bound > 0n ? BigInt(random) % bound : 0n
}

/**
 * Answers for each batch, in order and ahead of its append, whether it begins a new segment: follows the active
 * segment through everything that was announced.
 */
export class RollPlan {
  #ahead: SegmentShape
  #end: bigint

  /** @param active the active segment of a log that ends at `end` */
  constructor(active: SegmentShape, end: bigint) {
    this.#ahead = active.copy()
    this.#end = end
  }

  /** The offset after everything announced. */
  get end(): bigint {
    return this.#end
  }

  /** Forgets what was announced and not appended. */
  reset(active: SegmentShape, end: bigint): void {
    this.#ahead = active.copy()
    this.#end = end
  }

  announce(batch: SegmentBatch, nowMs: bigint, rules: SegmentRules, drawJitterMs: () => bigint): boolean {
    const rolls = this.#ahead.mustRoll(batch, nowMs, rules)
    if (rolls) this.#ahead = new SegmentShape({ baseOffset: this.#end, jitterMs: drawJitterMs() })
    this.#ahead.add(batch, rules.indexIntervalBytes)
    this.#end = batch.lastOffset + 1n
    return rolls
  }
}
