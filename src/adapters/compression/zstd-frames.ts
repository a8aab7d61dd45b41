/**
 * The outside of a zstd stream (RFC 8878): its frames, the headers of their blocks, and nothing of what is in them.
 *
 * Decompressors differ in what they make of a stream that is cut off: Node 22 answers with what came until then, without
 * an error. And an input that claims little and holds gigabytes is found out without decompressing it.
 */
import { CorruptCompressedData } from '../../application/ports/compressor.ts'

/** Plain bytes that one block can hold at most. */
const BLOCK_BYTES_MAX = 131_072
const MAGIC = 0xfd2fb528
/** The four low bits are the application's. */
const SKIPPABLE_MAGIC = 0x184d2a50
const CHECKSUM_BYTES = 4

interface Frame {
  /** Where the next one begins. */
  readonly end: number
  readonly plainBytesMax: number
}

/**
 * How much a stream can hold at most, over all its frames.
 *
 * @throws CorruptCompressedData where a frame is cut off, or something else lies between them
 */
export function plainBytesMax(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let total = 0
  let at = 0
  do {
    const frame = frameAt(view, at)
    if (frame.end > bytes.length) throw new CorruptCompressedData('A zstd frame is cut off')
    total += frame.plainBytesMax
    at = frame.end
  } while (at < bytes.length)
  return total
}

function frameAt(view: DataView, start: number): Frame {
  if (view.byteLength - start < 6) throw new CorruptCompressedData('No zstd frame')
  const magic = view.getUint32(start, true)
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) return skippableAt(view, start)
  if (magic !== MAGIC) throw new CorruptCompressedData('No zstd frame')
  const descriptor = view.getUint8(start + 4)
  const singleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag
  const blocks = start + 5 + (singleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]! + sizeBytes
  const { end, plainBytesMax } = blocksAt(view, blocks)
  return { end: end + ((descriptor & 4) === 0 ? 0 : CHECKSUM_BYTES), plainBytesMax }
}

function skippableAt(view: DataView, start: number): Frame {
  if (view.byteLength - start < 8) throw new CorruptCompressedData('A zstd frame is cut off')
  return { end: start + 8 + view.getUint32(start + 4, true), plainBytesMax: 0 }
}

function blocksAt(view: DataView, start: number): Frame {
  let at = start
  let total = 0
  for (;;) {
    if (view.byteLength - at < 3) throw new CorruptCompressedData('A zstd frame is cut off')
    const head = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    const type = (head >> 1) & 3
    const size = head >> 3
    total += type === 2 ? BLOCK_BYTES_MAX : size
    at += 3 + (type === 1 ? 1 : size)
    if ((head & 1) === 1) return { end: at, plainBytesMax: total }
  }
}
