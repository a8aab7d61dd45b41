/** One segment in memory: its pieces in order, the numbers of its roll rule, and binary search by offset. */
import type { StampedBatch } from '../../application/ports/log-store.ts'
import { SegmentShape } from '../../domain/log/log-segment.ts'
import { RecordBatchView } from '../../domain/log/record-batch.ts'
import { MemoryPiece } from './memory-piece.ts'

/** The index of the first item whose `nextOffset` lies past `offset`; the length when there is none. */
export function firstPast(items: readonly { readonly nextOffset: bigint }[], offset: bigint): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (items[middle]!.nextOffset <= offset) low = middle + 1
    else high = middle
  }
  return low
}

export class MemorySegment {
  readonly baseOffset: bigint
  readonly pieces: MemoryPiece[] = []
  shape: SegmentShape
  nextOffset: bigint
  sizeBytes = 0

  constructor(baseOffset: bigint, jitterMs: bigint) {
    this.baseOffset = baseOffset
    this.nextOffset = baseOffset
    this.shape = new SegmentShape({ baseOffset, jitterMs })
  }

  append(batch: StampedBatch, indexIntervalBytes: number): void {
    if (MemoryPiece.worthHolding(batch)) this.pieces.push(MemoryPiece.hold(batch))
    else this.#copy(batch)
    this.#count(batch, indexIntervalBytes)
  }

  /** As `append`, for a batch whose memory is used again afterwards. */
  appendCopy(batch: StampedBatch, indexIntervalBytes: number): void {
    this.#copy(batch)
    this.#count(batch, indexIntervalBytes)
  }

  #copy(batch: StampedBatch): void {
    const last = this.pieces.at(-1)
    if (last?.tryAdd(batch) !== true) this.pieces.push(MemoryPiece.copy(batch, last))
  }

  #count(batch: StampedBatch, indexIntervalBytes: number): void {
    this.sizeBytes += batch.bytes.byteLength
    this.nextOffset = batch.lastOffset + 1n
    this.shape.add(
      { sizeBytes: batch.bytes.byteLength, lastOffset: batch.lastOffset, maxTimestamp: batch.maxTimestamp },
      indexIntervalBytes,
    )
  }

  /** Frees the pieces that lie wholly below `offset`. */
  dropBelow(offset: bigint): void {
    for (const piece of this.pieces.splice(0, firstPast(this.pieces, offset))) this.#free(piece)
  }

  /** Whether no batch holds records on both sides of `offset`. */
  isBoundary(offset: bigint): boolean {
    const piece = this.pieces[firstPast(this.pieces, offset)]
    if (piece === undefined || piece.baseOffset >= offset) return true
    const view = new RecordBatchView(piece.bytes)
    while (view.lastOffset < offset) view.at += view.sizeBytes
    return view.baseOffset === offset
  }

  /** Cuts everything at and after `offset`, a batch boundary within the segment. */
  truncate(offset: bigint, indexIntervalBytes: number): void {
    const kept = this.pieces.findIndex((piece) => piece.nextOffset > offset)
    if (kept >= 0) {
      const piece = this.pieces[kept]!
      const whole = piece.baseOffset >= offset
      for (const gone of this.pieces.splice(whole ? kept : kept + 1)) this.#free(gone)
      if (!whole) {
        this.sizeBytes -= piece.bytes.byteLength
        piece.cut(offset)
        this.sizeBytes += piece.bytes.byteLength
      }
    }
    this.nextOffset = offset
    this.shape = new SegmentShape({ baseOffset: this.baseOffset, jitterMs: this.shape.jitterMs })
    for (const piece of this.pieces) {
      const view = new RecordBatchView(piece.bytes)
      for (; view.at < piece.bytes.byteLength; view.at += view.sizeBytes) this.shape.add(view, indexIntervalBytes)
    }
  }

  #free(piece: MemoryPiece): void {
    this.sizeBytes -= piece.bytes.byteLength
    piece.lease?.release()
  }
}
