/**
 * A run of whole, consecutive batches in one stretch of memory: either one batch in the frame that it came in, held
 * by a lease, or many small batches copied together, so that a small batch never keeps a large frame alive. Knows
 * offsets and sizes only; what is in a batch is none of its business.
 */
import type { Lease } from '../../application/ports/lease.ts'
import type { StampedBatch } from '../../application/ports/log-store.ts'
import { RecordBatchView } from '../../domain/log/record-batch.ts'

/** Copied batches share stretches that double from the first size to the last, so that a quiet log stays small. */
const ROOM_BYTES_MIN = 1024
const ROOM_BYTES_MAX = 64 * 1024

export class MemoryPiece {
  readonly baseOffset: bigint
  nextOffset: bigint
  maxTimestamp: bigint
  bytes: Uint8Array
  readonly lease: Lease | null
  /** The memory that copied batches go into; null = no batch may be added. */
  #room: Uint8Array | null

  private constructor(batch: StampedBatch, bytes: Uint8Array, lease: Lease | null, room: Uint8Array | null) {
    this.baseOffset = batch.baseOffset
    this.nextOffset = batch.lastOffset + 1n
    this.maxTimestamp = batch.maxTimestamp
    this.bytes = bytes
    this.lease = lease
    this.#room = room
  }

  /** Whether keeping the batch where it is wastes no more memory than a copy would take. */
  static worthHolding(batch: StampedBatch): boolean {
    return batch.bytes.byteLength * 2 >= batch.bytes.buffer.byteLength
  }

  /** Keeps the batch in the memory that it came in. */
  static hold(batch: StampedBatch): MemoryPiece {
    batch.lease?.retain()
    return new MemoryPiece(batch, batch.bytes, batch.lease ?? null, null)
  }

  /** Begins a run of copied batches; `previous` is the piece before it in the segment. */
  static copy(batch: StampedBatch, previous: MemoryPiece | undefined): MemoryPiece {
    const before = previous === undefined ? null : previous.#room
    const doubled = Math.min((before?.byteLength ?? 0) * 2, ROOM_BYTES_MAX)
    const room = new Uint8Array(Math.max(doubled, ROOM_BYTES_MIN, batch.bytes.byteLength))
    room.set(batch.bytes)
    return new MemoryPiece(batch, room.subarray(0, batch.bytes.byteLength), null, room)
  }

  /** Copies one more batch in, if there is room. */
  tryAdd(batch: StampedBatch): boolean {
    const used = this.bytes.byteLength
    if (this.#room === null || this.#room.byteLength - used < batch.bytes.byteLength) return false
    this.#room.set(batch.bytes, used)
    this.bytes = this.#room.subarray(0, used + batch.bytes.byteLength)
    this.nextOffset = batch.lastOffset + 1n
    if (batch.maxTimestamp > this.maxTimestamp) this.maxTimestamp = batch.maxTimestamp
    return true
  }

  /** The largest timestamp of the batches that reach `offset`; -1 = none. */
  maxTimestampFrom(offset: bigint): bigint {
    if (this.baseOffset >= offset) return this.maxTimestamp
    let max = -1n
    const view = new RecordBatchView(this.bytes)
    for (; view.at < this.bytes.byteLength; view.at += view.sizeBytes) {
      if (view.lastOffset >= offset && view.maxTimestamp > max) max = view.maxTimestamp
    }
    return max
  }

  /** Cuts the batches at and after `offset` off. Readers may hold what is cut, so nothing is written there again. */
  cut(offset: bigint): void {
    const view = new RecordBatchView(this.bytes)
    let maxTimestamp = -1n
    while (view.at < this.bytes.byteLength && view.lastOffset < offset) {
      if (view.maxTimestamp > maxTimestamp) maxTimestamp = view.maxTimestamp
      view.at += view.sizeBytes
    }
    this.bytes = this.bytes.subarray(0, view.at)
    this.nextOffset = offset
    this.maxTimestamp = maxTimestamp
    this.#room = null
  }
}
