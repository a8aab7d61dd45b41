/**
 * Snappy in the framing of the Java library xerial, which Kafka uses: a 16-byte header, then chunks of int32 length
 * and a raw snappy block. The reader also takes one raw block without any framing, and streams that were joined
 * (header between chunks). Google's own framing is refused, as Kafka does.
 */
import { createRequire } from 'node:module'
import type * as Snappy from 'snappy'
import { CorruptCompressedData } from '../../application/ports/compressor.ts'
import { tooLarge, type FramedCodec } from './framed-codec.ts'

const require = createRequire(import.meta.url)

/** Magic, version 1, compatible with version 1. */
const HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1)
const MAGIC_BYTES = 8
/** The header's first four bytes, which no chunk length can be. */
const HEADER_START = 0x82534e41
/** Block size of the Java writer. */
const BLOCK_BYTES = 32_768
/** A copy of three bytes yields 64 at most, so a block cannot claim more than this for each of its bytes. */
const RATIO_MAX = 64

export function snappyCodec(): FramedCodec {
  const snappy = require('snappy') as typeof Snappy
  const block = (bytes: Uint8Array): Uint8Array => snappy.uncompressSync(bytes) as Uint8Array
  return {
    compress: (bytes) => {
      const chunks: Uint8Array[] = [HEADER]
      for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
        const compressed = snappy.compressSync(bytes.subarray(at, at + BLOCK_BYTES))
        const length = new Uint8Array(4)
        new DataView(length.buffer).setInt32(0, compressed.length)
        chunks.push(length, compressed)
      }
      return Buffer.concat(chunks)
    },
    decompress: (bytes, bytesMax) => {
      if (!hasMagic(bytes)) {
        claimWithin(bytes, bytesMax)
        return block(bytes)
      }
      const plain: Uint8Array[] = []
      let total = 0
      for (const chunk of chunksOf(bytes)) {
        total += claimWithin(chunk, bytesMax - total)
        plain.push(block(chunk))
      }
      return plain.length === 1 ? plain[0]! : Buffer.concat(plain)
    },
  }
}

function hasMagic(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER.length) return false
  for (let i = 0; i < MAGIC_BYTES; i++) if (bytes[i] !== HEADER[i]) return false
  return true
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = HEADER.length; at < bytes.length;) {
    if (bytes.length - at < 4) throw new CorruptCompressedData('A snappy chunk is cut off')
    const length = view.getUint32(at)
    if (length === HEADER_START && hasMagic(bytes.subarray(at))) {
      at += HEADER.length
      continue
    }
    at += 4
    if (length > bytes.length - at) throw new CorruptCompressedData('A snappy chunk is longer than the stream')
    yield bytes.subarray(at, at + length)
    at += length
  }
}

/** How many bytes a raw block claims to hold, before anything is allocated for it. */
function claimWithin(block: Uint8Array, bytesMax: number): number {
  let claimed = 0
  for (let i = 0; i < 5; i++) {
    const byte = block[i]
    if (byte === undefined) break
    claimed += (byte & 0x7f) * 2 ** (7 * i)
    if (byte >= 0x80) continue
    if (claimed > block.length * RATIO_MAX) break
    if (claimed > bytesMax) throw tooLarge('snappy', bytesMax)
    return claimed
  }
  throw new CorruptCompressedData('Not a snappy block')
}
