/**
 * One segment in the making that takes the place of others, by Kafka's protocol of renames: written as `.cleaned`,
 * brought to the disk, renamed to `.swap` (log file first), the old files renamed to `.deleted`, and the suffix
 * dropped. Whatever a crash leaves of it, `settleUnfinished` undoes (`.cleaned`) or completes (`.swap`), and Kafka does.
 */
import type { RewrittenBatches, StampedBatch } from '../../application/ports/log-store.ts'
import type { AbortedTransaction } from '../../domain/log/aborted-transaction.ts'
import { SegmentShape } from '../../domain/log/log-segment.ts'
import { OffsetIndex, TimeIndex } from '../../domain/log/offset-index.ts'
import { formatAborted } from './aborted-index.ts'
import {
  CLEANED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetName,
  SWAP_SUFFIX,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from './file-names.ts'
import { FileSegment } from './file-segment.ts'
import { setAside } from './segment-cutting.ts'
import type { SegmentIndexes } from './segment-indexes.ts'
import { addBatch, endTimeIndex } from './segment-indexes.ts'
import type { StorageContext } from './storage-context.ts'
import { withFile, writeFully } from './whole-files.ts'

/** Positions in a segment are int32. */
const SEGMENT_BYTES_MAX = 0x7fff_ffff

export class SegmentRewrite {
  readonly #context: StorageContext
  readonly #folder: string
  readonly #baseOffset: bigint
  readonly #before: bigint
  readonly #indexIntervalBytes: number
  readonly #fd: number
  readonly #indexes: SegmentIndexes = { offset: new OffsetIndex(), time: new TimeIndex() }
  readonly #shape: SegmentShape
  readonly #aborted: AbortedTransaction[] = []
  #nextOffset: bigint
  #open = true
  #swapped = false

  private constructor(
    context: StorageContext,
    folder: string,
    range: { readonly from: bigint; readonly before: bigint },
    indexIntervalBytes: number,
    fd: number,
  ) {
    this.#context = context
    this.#folder = folder
    this.#baseOffset = range.from
    this.#before = range.before
    this.#indexIntervalBytes = indexIntervalBytes
    this.#fd = fd
    this.#shape = new SegmentShape({ baseOffset: range.from, jitterMs: 0n })
    this.#nextOffset = range.from
  }

  /** Begins an empty one at `range.from`; what a failed one left there goes. */
  static async begin(
    context: StorageContext,
    folder: string,
    range: { readonly from: bigint; readonly before: bigint },
    { indexIntervalBytes }: { readonly indexIntervalBytes: number },
  ): Promise<SegmentRewrite> {
    const fd = await context.fs.open(`${folder}/${offsetName(range.from)}${LOG_SUFFIX}${CLEANED_SUFFIX}`, 'w')
    return new SegmentRewrite(context, folder, range, indexIntervalBytes, fd)
  }

  /**
   * Writes all of `batches`; then `swap` puts it in its place, with `swapIn`, or answers that this cannot be any more.
   * Whatever fails before `swapIn` leaves nothing behind.
   */
  async run(batches: RewrittenBatches, swap: () => Promise<boolean>): Promise<'replaced' | 'conflict'> {
    try {
      for await (const group of batches) await this.#append(group)
      await this.#finish()
      return (await swap()) ? 'replaced' : 'conflict'
    } finally {
      if (!this.#swapped) await this.#discard()
    }
  }

  #path(suffix: string): string {
    return `${this.#folder}/${offsetName(this.#baseOffset)}${suffix}`
  }

  async #append(batches: readonly StampedBatch[]): Promise<void> {
    const position = this.#shape.sizeBytes
    const chunks: Uint8Array[] = []
    for (const { bytes, baseOffset, lastOffset, maxTimestamp, aborted } of batches) {
      if (baseOffset < this.#nextOffset || lastOffset >= this.#before) {
        throw new RangeError(`a batch from ${baseOffset} to ${lastOffset} is outside of what it replaces`)
      }
      if (this.#shape.sizeBytes + bytes.byteLength > SEGMENT_BYTES_MAX) throw new RangeError('the segment is too large')
      chunks.push(bytes)
      addBatch(
        this.#indexes,
        this.#shape,
        { sizeBytes: bytes.byteLength, lastOffset, maxTimestamp },
        this.#indexIntervalBytes,
      )
      if (aborted !== undefined) this.#aborted.push(aborted)
      this.#nextOffset = lastOffset + 1n
    }
    if (chunks.length > 0) await writeFully(this.#context.fs, this.#fd, chunks, position)
  }

  /** Brings all that was appended, and its indexes, to the disk. */
  async #finish(): Promise<void> {
    const { fs } = this.#context
    await fs.sync(this.#fd)
    await this.#closeFile()
    endTimeIndex(this.#indexes.time, this.#shape)
    await this.#write(OFFSET_INDEX_SUFFIX, this.#indexes.offset.bytes())
    await this.#write(TIME_INDEX_SUFFIX, this.#indexes.time.bytes())
    if (this.#aborted.length > 0) await this.#write(TXN_INDEX_SUFFIX, formatAborted(this.#aborted))
    await fs.syncDirectory(this.#folder)
  }

  async #write(suffix: string, bytes: Uint8Array): Promise<void> {
    const { fs } = this.#context
    await withFile(fs, this.#path(suffix + CLEANED_SUFFIX), 'w', async (fd) => {
      if (bytes.byteLength > 0) await writeFully(fs, fd, [bytes], 0)
      await fs.sync(fd)
    })
  }

  /** Takes the place of `old`; nobody may read those meanwhile. */
  async swapIn(old: readonly FileSegment[], fileDeleteDelayMs: bigint): Promise<FileSegment> {
    const { fs } = this.#context
    this.#swapped = true
    await this.#rename(CLEANED_SUFFIX, SWAP_SUFFIX)
    // from here on a crash completes it
    await fs.syncDirectory(this.#folder)
    await setAside(this.#context, old, fileDeleteDelayMs)
    await this.#rename(SWAP_SUFFIX, '')
    await fs.syncDirectory(this.#folder)
    const { sizeBytes, maxTimestamp } = this.#shape
    const segment = new FileSegment(this.#context, this.#folder, this.#baseOffset, sizeBytes, this.#indexIntervalBytes)
    segment.remember(maxTimestamp)
    segment.aborted.remember(this.#aborted)
    return segment
  }

  async #rename(from: string, to: string): Promise<void> {
    const suffixes = [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX]
    if (this.#aborted.length > 0) suffixes.push(TXN_INDEX_SUFFIX)
    for (const suffix of suffixes) await this.#context.fs.rename(this.#path(suffix + from), this.#path(suffix + to))
  }

  /** Removes what was written. A file that stays is removed at the next start. */
  async #discard(): Promise<void> {
    const { fs, logger } = this.#context
    try {
      await this.#closeFile()
      for (const suffix of [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX]) {
        await fs.remove(this.#path(suffix + CLEANED_SUFFIX))
      }
    } catch (error) {
      logger.warn('not removed', { path: this.#path(LOG_SUFFIX + CLEANED_SUFFIX), error })
    }
  }

  async #closeFile(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#context.fs.close(this.#fd)
  }
}
