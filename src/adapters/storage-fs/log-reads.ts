/**
 * The questions that one log answers from its files, beside whatever changes it: a question that meets a file which was
 * just trimmed away is asked again, any other failure takes the log offline.
 */
import type {
  BatchMaxTimestampLookup,
  BatchTimestampLookup,
  LogSlice,
  ReadLimits,
  TimestampOffset,
} from '../../application/ports/log-store.ts'
import type { AbortedTransaction } from '../../domain/log/aborted-transaction.ts'
import type { FileSegment } from './file-segment.ts'
import { isMissing } from './file-system.ts'
import type { LogActivity } from './log-activity.ts'
import { collectAborted, floorSegment } from './segment-list.ts'
import { SegmentReader } from './segment-reader.ts'
import type { StorageContext } from './storage-context.ts'
import { searchMaxTimestamp, searchTimestamp } from './timestamp-search.ts'

/** The numbers of the log at this moment. */
export interface ReadableRange {
  readonly start: bigint
  readonly end: bigint
  readonly activeMaxTimestamp: bigint
}

export class LogReads {
  readonly #activity: LogActivity
  readonly #segments: readonly FileSegment[]
  readonly #now: () => ReadableRange
  readonly #reader: SegmentReader

  constructor(
    context: StorageContext,
    activity: LogActivity,
    segments: readonly FileSegment[],
    now: () => ReadableRange,
  ) {
    this.#activity = activity
    this.#segments = segments
    this.#now = now
    this.#reader = new SegmentReader(context)
  }

  /** Segments were cut or replaced: where readers stopped is no place any more. */
  forget(): void {
    this.#reader.forget()
  }

  read(from: bigint, limits: ReadLimits): Promise<LogSlice> {
    return this.#reading(async () => {
      const { end } = this.assertWithin(from)
      const first = floorSegment(this.#segments, from)
      const before = limits.before < end ? limits.before : end
      return await this.#reader.read(this.#segments.slice(first), from, { ...limits, before })
    }, from)
  }

  offsetForTimestamp(timestamp: bigint, lookup: BatchTimestampLookup): Promise<TimestampOffset | null> {
    return this.#reading(() => searchTimestamp(this.#searched(), timestamp, lookup))
  }

  offsetOfMaxTimestamp(lookup: BatchMaxTimestampLookup): Promise<TimestampOffset | null> {
    return this.#reading(() => searchMaxTimestamp(this.#searched(), lookup))
  }

  #searched() {
    return { segments: [...this.#segments], ...this.#now() }
  }

  largestTimestamp(baseOffset: bigint): Promise<bigint | 'conflict'> {
    return this.#reading(async () => {
      const segment = this.#segments.find((known) => known.baseOffset === baseOffset)
      if (segment === undefined) return 'conflict'
      if (segment !== this.#segments.at(-1)) return await segment.largestTimestamp()
      const { activeMaxTimestamp } = this.#now()
      return activeMaxTimestamp >= 0n ? activeMaxTimestamp : await segment.modifiedMs()
    })
  }

  abortedTransactions(from: bigint, before: bigint): Promise<readonly AbortedTransaction[]> {
    return this.#reading(() => collectAborted(this.#segments.slice(floorSegment(this.#segments, from)), from, before))
  }

  #reading<T>(work: () => Promise<T>, from: bigint | null = null): Promise<T> {
    return this.#activity.gate.read(async () => {
      this.#activity.assertUsable()
      const { start } = this.#now()
      try {
        return await work()
      } catch (error) {
        if (error instanceof RangeError) throw error
        this.#activity.assertUsable()
        // a file may be trimmed away between our look at the segments and our open
        if (isMissing(error) && start < this.#now().start) {
          if (from === null) return await this.#reading(work)
          throw new RangeError(`offset ${from} is below ${this.#now().start}`, { cause: error })
        }
        throw this.#activity.failed(error)
      }
    })
  }

  assertWithin(offset: bigint): ReadableRange {
    const range = this.#now()
    if (offset < range.start || offset > range.end) {
      throw new RangeError(`offset ${offset} is outside of the log, ${range.start} to ${range.end}`)
    }
    return range
  }
}
