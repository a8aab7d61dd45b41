/**
 * Reads whole batches out of segments into pooled memory: one read and no copy where the reader goes on from where
 * the last one stopped, which is remembered. Knows nothing of what may be read; its caller sets the bounds.
 */
import type { LogSlice, ReadLimits } from '../../application/ports/log-store.ts'
import { StorageError } from '../../application/ports/log-store.ts'
import { BATCH_HEADER_BYTES, LOG_OVERHEAD_BYTES, RecordBatchView } from '../../domain/log/record-batch.ts'
import type { FileSegment } from './file-segment.ts'
import type { StorageContext } from './storage-context.ts'

/** One read is at most this long, except for a batch that is longer. */
const READ_BYTES_MAX = 4 * 1024 * 1024
const READ_BYTES_MIN = 4096
const PLACES_MAX = 16

/** Where the next batch of a reader begins, and how large its last one was: the next one may be as large. */
interface Place {
  readonly segment: FileSegment
  readonly position: number
  readonly batchBytes: number
}

/** A slice in the making. */
interface Reading {
  readonly limits: ReadLimits
  readonly chunks: Uint8Array[]
  readonly buffers: Uint8Array[]
  bytes: number
  nextOffset: bigint
  /** A batch did not fit or lies past the bound. */
  full: boolean
}

export class SegmentReader {
  readonly #context: StorageContext
  readonly #places = new Map<bigint, Place>()

  constructor(context: StorageContext) {
    this.#context = context
  }

  /** Reads from the batch that holds `from` on through `segments`, the first of which is the one to begin with. */
  async read(segments: readonly FileSegment[], from: bigint, limits: ReadLimits): Promise<LogSlice> {
    const { pool } = this.#context
    const reading: Reading = { limits, chunks: [], buffers: [], bytes: 0, nextOffset: from, full: false }
    const release = () => {
      for (const buffer of reading.buffers) pool.give(buffer)
      reading.buffers.length = 0
    }
    try {
      for (const segment of segments) {
        await this.#readSegment(segment, from, reading)
        if (reading.full || reading.bytes >= limits.bytesMax) break
      }
    } catch (error) {
      release()
      throw error
    }
    return { chunks: reading.chunks, bytes: reading.bytes, nextOffset: reading.nextOffset, release }
  }

  /** Forgets where readers are: the log was cut. */
  forget(): void {
    this.#places.clear()
  }

  async #readSegment(segment: FileSegment, from: bigint, reading: Reading): Promise<void> {
    const place = this.#places.get(from)
    const known = place?.segment === segment ? place : null
    let position = known?.position ?? 0
    let batchBytes = known?.batchBytes ?? 0
    if (known === null && from > segment.baseOffset && reading.bytes === 0) {
      position = (await segment.indexes()).offset.floorPosition(segment.relative(from))
    }
    while (position < segment.sizeBytes) {
      const one = reading.limits.atLeastOne && reading.bytes === 0
      const room = reading.limits.bytesMax - reading.bytes
      if (room < LOG_OVERHEAD_BYTES && !one) return
      const wanted = Math.min(Math.max(room, one ? batchBytes : 0), READ_BYTES_MAX)
      const buffer = await this.#load(segment, position, Math.max(wanted, batchBytes > READ_BYTES_MAX ? batchBytes : 0))
      const taken = takeBatches(buffer.view, from, buffer.bytes, room, one, reading)
      if (taken.to > taken.from) {
        reading.buffers.push(buffer.view.bytes)
        reading.chunks.push(buffer.view.bytes.subarray(taken.from, taken.to))
        reading.bytes += taken.to - taken.from
      } else {
        this.#context.pool.give(buffer.view.bytes)
      }
      // a batch that the buffer holds only the beginning of is read whole next time
      if (taken.next === 0 && !reading.full) {
        const behind = position + taken.batchBytes > segment.sizeBytes
        if (behind || taken.batchBytes <= buffer.bytes) {
          throw new StorageError(`${segment.logPath}: no whole batch at byte ${position}`)
        }
      }
      batchBytes = taken.batchBytes
      position += taken.next
      if (reading.full) break
    }
    if (reading.bytes > 0) this.#remember(reading.nextOffset, { segment, position, batchBytes })
  }

  async #load(
    segment: FileSegment,
    position: number,
    wanted: number,
  ): Promise<{ view: RecordBatchView; bytes: number }> {
    const { fs, files, pool } = this.#context
    const length = Math.min(Math.max(wanted, READ_BYTES_MIN), segment.sizeBytes - position)
    const buffer = pool.take(length)
    try {
      let bytes = 0
      await files.use(segment.logPath, async (fd) => {
        while (bytes < length) {
          const got = await fs.read(fd, buffer, bytes, length - bytes, position + bytes)
          if (got === 0) throw new StorageError(`${segment.logPath} ends at ${position + bytes}, inside of the log`)
          bytes += got
        }
      })
      return { view: new RecordBatchView(buffer), bytes }
    } catch (error) {
      pool.give(buffer)
      throw error
    }
  }

  #remember(nextOffset: bigint, place: Place): void {
    this.#places.delete(nextOffset)
    this.#places.set(nextOffset, place)
    if (this.#places.size <= PLACES_MAX) return
    for (const [oldest] of this.#places) {
      this.#places.delete(oldest)
      return
    }
  }
}

/**
 * Which part of a buffer belongs to the slice. `next` is where the first batch begins that was not looked at or does
 * not lie wholly in the buffer, `batchBytes` the size of that one where it is known, else of the last one.
 */
function takeBatches(
  view: RecordBatchView,
  offset: bigint,
  length: number,
  room: number,
  one: boolean,
  reading: Reading,
): { readonly from: number; readonly to: number; readonly next: number; readonly batchBytes: number } {
  let from = -1
  let batchBytes = 0
  view.at = 0
  while (view.at + LOG_OVERHEAD_BYTES <= length) {
    const size = view.sizeBytes
    if (size <= LOG_OVERHEAD_BYTES) throw new StorageError(`a batch of ${size} bytes in the log`)
    batchBytes = size
    const whole = view.at + size <= length
    if (!whole && view.at + BATCH_HEADER_BYTES > length) break
    const lastOffset = view.magic >= 2 ? view.lastOffset : view.baseOffset
    if (from >= 0 || lastOffset >= offset) {
      const begin = from < 0 ? view.at : from
      const fits = view.at + size - begin <= room || (one && from < 0)
      reading.full = !fits || view.baseOffset >= reading.limits.before
      if (reading.full || !whole) break
      from = begin
      reading.nextOffset = lastOffset + 1n
    }
    // a batch before the offset may end behind the buffer: what is left of it is not read
    view.at += size
  }
  return { from: Math.max(from, 0), to: from < 0 ? 0 : view.at, next: view.at, batchBytes }
}
