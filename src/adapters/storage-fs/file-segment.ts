/**
 * One segment on the disk: its `.log` file and its two indexes. Indexes are loaded when they are first needed; one
 * that is missing or not sound is made again from the log. Knows nothing of the other segments.
 */
import { StorageError } from '../../application/ports/log-store.ts'
import { indexFileBytes, OFFSET_ENTRY_BYTES, SegmentShape, TIME_ENTRY_BYTES } from '../../domain/log/log-segment.ts'
import { OffsetIndex, TimeIndex } from '../../domain/log/offset-index.ts'
import { AbortedList } from './aborted-list.ts'
import type { ScannedBatch } from './batch-scan.ts'
import { holdsSoundBatch, scanBatches } from './batch-scan.ts'
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, offsetName, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX } from './file-names.ts'
import type { IndexHolder } from './index-cache.ts'
import type { StorageContext } from './storage-context.ts'
import type { SegmentIndexes } from './segment-indexes.ts'
import { addBatch, endTimeIndex } from './segment-indexes.ts'
import { withFile, writeFully } from './whole-files.ts'

/** What a full look at a segment found. */
export interface SegmentScan {
  readonly indexes: SegmentIndexes
  readonly shape: SegmentShape
  /** After the last sound batch; the base offset when there is none. */
  readonly nextOffset: bigint
  readonly problem: string | null
  /** The first batch of each leader epoch, in order. */
  readonly epochs: readonly { readonly epoch: number; readonly startOffset: bigint }[]
  /** Whether transactions end in it. */
  readonly holdsMarkers: boolean
}

export class FileSegment implements IndexHolder {
  readonly baseOffset: bigint
  readonly logPath: string
  /** The aborted transactions whose markers lie here. */
  readonly aborted: AbortedList
  readonly #context: StorageContext
  readonly #folder: string
  /** Bytes of whole batches; what a write that is under way has put behind them does not count. */
  sizeBytes: number
  #indexes: SegmentIndexes | null = null
  #loading: Promise<SegmentIndexes> | null = null
  /** While it is the active segment its indexes stay in memory. */
  #pinned = false
  #indexIntervalBytes: number
  /** Of a closed segment, once it is known; -1 = its batches have none. */
  #largestTimestamp: bigint | null = null

  constructor(
    context: StorageContext,
    folder: string,
    baseOffset: bigint,
    sizeBytes: number,
    indexIntervalBytes: number,
  ) {
    this.#context = context
    this.#folder = folder
    this.baseOffset = baseOffset
    this.sizeBytes = sizeBytes
    this.#indexIntervalBytes = indexIntervalBytes
    this.logPath = this.path(LOG_SUFFIX)
    this.aborted = new AbortedList(context.fs, this.path(TXN_INDEX_SUFFIX))
  }

  path(suffix: string): string {
    return `${this.#folder}/${offsetName(this.baseOffset)}${suffix}`
  }

  relative(offset: bigint): number {
    return Number(offset - this.baseOffset)
  }

  /** Creates the files, empty, with indexes as large as they may grow. */
  async create(segmentIndexBytes: number): Promise<void> {
    const { fs } = this.#context
    await withFile(fs, this.logPath, 'wx', () => Promise.resolve())
    await this.preallocateIndexes(segmentIndexBytes, 'w')
    this.pin({ offset: new OffsetIndex(), time: new TimeIndex() })
    this.aborted.remember([])
  }

  /** Kafka maps the whole of an active index into memory, and so gives it its full size at once. */
  async preallocateIndexes(segmentIndexBytes: number, flags: 'w' | 'a'): Promise<void> {
    const { fs } = this.#context
    const grow = (path: string, entryBytes: number) =>
      withFile(fs, path, flags, (fd) => fs.truncate(fd, indexFileBytes(segmentIndexBytes, entryBytes)))
    await Promise.all([
      grow(this.path(OFFSET_INDEX_SUFFIX), OFFSET_ENTRY_BYTES),
      grow(this.path(TIME_INDEX_SUFFIX), TIME_ENTRY_BYTES),
    ])
  }

  /** Makes these its indexes and keeps them in memory until `unpin`. */
  pin(indexes: SegmentIndexes): void {
    this.#context.indexes.forget(this)
    this.#indexes = indexes
    this.#pinned = true
  }

  unpin(): void {
    this.#pinned = false
    if (this.#indexes !== null) this.#touch(this.#indexes)
  }

  dropIndexes(): void {
    if (!this.#pinned) this.#indexes = null
  }

  /** The indexes of the active segment, without a promise; null when they are not pinned. */
  get pinnedIndexes(): SegmentIndexes | null {
    return this.#pinned ? this.#indexes : null
  }

  /** Its indexes, from memory, from their files or, where these are missing or not sound, from the log. */
  async indexes(): Promise<SegmentIndexes> {
    if (this.#indexes !== null) {
      if (!this.#pinned) this.#touch(this.#indexes)
      return this.#indexes
    }
    this.#loading ??= this.#load()
    try {
      const indexes = await this.#loading
      // what was pinned meanwhile is newer
      if (!this.#pinned) {
        this.#indexes = indexes
        this.#touch(indexes)
      }
      return this.#indexes ?? indexes
    } finally {
      this.#loading = null
    }
  }

  async #load(): Promise<SegmentIndexes> {
    const found = await this.readIndexes()
    if (found !== null) return found
    const scan = await this.scan(true)
    if (scan.problem !== null) throw damaged(this.logPath, scan)
    await this.writeIndexes(scan.indexes)
    this.#context.logger.info('index rebuilt', { path: this.path(OFFSET_INDEX_SUFFIX) })
    return scan.indexes
  }

  /** The indexes as their files have them; null when these are missing or cannot belong to the log. */
  async readIndexes(): Promise<SegmentIndexes | null> {
    const { fs } = this.#context
    const [offsetBytes, timeBytes] = await Promise.all([
      fs.readFile(this.path(OFFSET_INDEX_SUFFIX)),
      fs.readFile(this.path(TIME_INDEX_SUFFIX)),
    ])
    const offset = offsetBytes === null ? null : OffsetIndex.parse(offsetBytes)
    const time = timeBytes === null ? null : TimeIndex.parse(timeBytes)
    if (offset === null || time === null) return null
    return offset.count > 0 && offset.lastPosition() >= this.sizeBytes ? null : { offset, time }
  }

  /** Writes both index files whole and cuts them to size, as Kafka does when a segment ends. */
  async writeIndexes(indexes: SegmentIndexes, sync = false): Promise<void> {
    const { fs } = this.#context
    const write = (path: string, bytes: Uint8Array) =>
      withFile(fs, path, 'w', async (fd) => {
        if (bytes.byteLength > 0) await writeFully(fs, fd, [bytes], 0)
        if (sync) await fs.sync(fd)
      })
    await write(this.path(OFFSET_INDEX_SUFFIX), indexes.offset.bytes())
    await write(this.path(TIME_INDEX_SUFFIX), indexes.time.bytes())
  }

  /** Writes behind its last batch; `sizeBytes` is the caller's to move. */
  async write(chunks: readonly Uint8Array[]): Promise<void> {
    const { fs, files } = this.#context
    const position = this.sizeBytes
    try {
      await files.use(this.logPath, (fd) => writeFully(fs, fd, chunks, position))
    } catch (error) {
      // best effort: without it the next start cuts the torn tail; synced, so that no power loss brings back what
      // that start did not see
      const cut = async (fd: number) => {
        await fs.truncate(fd, position)
        await fs.sync(fd)
      }
      await files.use(this.logPath, cut).catch(() => undefined)
      throw error
    }
  }

  /** As `write`, in this turn; false = it was not done, and what part of it was is to be written again. */
  writeNow(chunks: readonly Uint8Array[], bytes: number): boolean {
    const { fs, files } = this.#context
    const fd = fs.writevNow === undefined ? null : files.peek(this.logPath)
    return fd !== null && fs.writevNow!(fd, chunks, this.sizeBytes) === bytes
  }

  /** Looks at every batch (`verify`: also at its CRC) and makes indexes and numbers anew. Changes nothing. */
  async scan(verify: boolean, jitterMs = 0n): Promise<SegmentScan> {
    const { fs, pool, files, checksum } = this.#context
    const indexes = { offset: new OffsetIndex(), time: new TimeIndex() }
    const shape = new SegmentShape({ baseOffset: this.baseOffset, jitterMs })
    const epochs: { epoch: number; startOffset: bigint }[] = []
    let nextOffset = this.baseOffset
    let holdsMarkers = false
    const visit = (batch: ScannedBatch) => {
      addBatch(indexes, shape, batch, this.#indexIntervalBytes)
      if (batch.leaderEpoch >= 0 && batch.leaderEpoch !== epochs.at(-1)?.epoch) {
        epochs.push({ epoch: batch.leaderEpoch, startOffset: batch.baseOffset })
      }
      if (batch.isMarker) holdsMarkers = true
      nextOffset = batch.lastOffset + 1n
      return true
    }
    const range = { from: 0, to: this.sizeBytes, offsetMin: this.baseOffset, ...(verify && { checksum }) }
    const { problem } = await files.use(this.logPath, (fd) => scanBatches(fs, pool, fd, range, visit))
    endTimeIndex(indexes.time, shape)
    return { indexes, shape, nextOffset, problem, epochs, holdsMarkers }
  }

  /** Whether a sound batch lies somewhere behind the fault that `scan` found. */
  async holdsMore(scan: SegmentScan): Promise<boolean> {
    const { fs, files, checksum } = this.#context
    const range = { from: scan.shape.sizeBytes + 1, to: this.sizeBytes, offsetMin: scan.nextOffset, checksum }
    return await files.use(this.logPath, (fd) => holdsSoundBatch(fs, fd, range))
  }

  /** Visits batch headers from the one that holds `offset`, or the first one after it, on. */
  async scanFrom(offset: bigint, visit: (batch: ScannedBatch) => boolean): Promise<void> {
    const { fs, pool, files } = this.#context
    const relative = this.relative(offset)
    const from = relative <= 0 ? 0 : (await this.indexes()).offset.floorPosition(relative)
    const range = { from, to: this.sizeBytes, offsetMin: this.baseOffset }
    const { problem } = await files.use(this.logPath, (fd) =>
      scanBatches(fs, pool, fd, range, (batch) => batch.lastOffset < offset || visit(batch)),
    )
    if (problem !== null) throw new StorageError(`${this.logPath}: ${problem}`)
  }

  /** Reads one whole batch that a scan found. */
  async readBatch(batch: ScannedBatch): Promise<Uint8Array> {
    const { fs, files } = this.#context
    const bytes = new Uint8Array(batch.sizeBytes)
    const got = await files.use(this.logPath, (fd) => fs.read(fd, bytes, 0, bytes.byteLength, batch.position))
    if (got < bytes.byteLength) throw new StorageError(`${this.logPath}: the file ends inside a batch`)
    return bytes
  }

  /** What its writer knows, so that no file need be read for it. */
  remember(largestTimestamp: bigint): void {
    this.#largestTimestamp = largestTimestamp
  }

  /** The largest timestamp of a closed segment; when its batches have none, when it was last written. */
  async largestTimestamp(): Promise<bigint> {
    this.#largestTimestamp ??= (await this.indexes()).time.lastTimestamp()
    return this.#largestTimestamp >= 0n ? this.#largestTimestamp : await this.modifiedMs()
  }

  /** Brings what was written to the disk; answers whether there is a new file, whose name is not there yet. */
  async sync(): Promise<boolean> {
    const { fs, files } = this.#context
    const named = await this.aborted.sync()
    await files.use(this.logPath, (fd) => fs.sync(fd))
    return named
  }

  modifiedMs(): Promise<bigint> {
    return this.#context.fs.modifiedMs(this.logPath)
  }

  configure(indexIntervalBytes: number): void {
    this.#indexIntervalBytes = indexIntervalBytes
  }

  #touch(indexes: SegmentIndexes): void {
    this.#context.indexes.touch(this, indexes.offset.capacityBytes + indexes.time.capacityBytes)
  }
}

/** What is wrong with a log that must not be cut. */
export function damaged(path: string, scan: SegmentScan): StorageError {
  return new StorageError(
    `${path} is damaged at byte ${scan.shape.sizeBytes}, offset ${scan.nextOffset}: ${scan.problem ?? ''}`,
  )
}
