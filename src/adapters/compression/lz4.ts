/**
 * LZ4 frames as Kafka's Java classes write and read them: independent blocks of 64 KB without checksums are written;
 * block sizes from 64 KB to 4 MB, a content size and block checksums are read (the content checksum is skipped, not
 * verified, as Java does), and only the first frame counts. Dependent blocks, a wrong descriptor checksum and a
 * missing end mark are refused. The package compresses at one level only: `compression.lz4.level` has no effect.
 */
import { createRequire } from 'node:module'
import type * as Lz4 from 'lz4-napi'
import { CorruptCompressedData } from '../../application/ports/compressor.ts'
import { tooLarge, type FramedCodec } from './framed-codec.ts'
import { xxhash32 } from './xxhash32.ts'

const require = createRequire(import.meta.url)

/** Magic, FLG (version 1, independent blocks), BD (64 KB), and the checksum of these two. */
const HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82)
const MAGIC = 0x184d2204
const BLOCK_BYTES = 65_536
const STORED_BIT = 0x80000000
/** What the package puts before a block, and expects there: its plain size, little-endian. */
const PREFIX_BYTES = 4

export function lz4Codec(): FramedCodec {
  const lz4 = require('lz4-napi') as typeof Lz4
  return {
    compress: (bytes) => {
      const chunks: Uint8Array[] = [HEADER]
      for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
        const plain = bytes.subarray(at, at + BLOCK_BYTES)
        const compressed = lz4.compressSync(asBuffer(plain)).subarray(PREFIX_BYTES)
        const smaller = compressed.length < plain.length
        chunks.push(uint32(smaller ? compressed.length : (plain.length | STORED_BIT) >>> 0))
        chunks.push(smaller ? compressed : plain)
      }
      chunks.push(uint32(0))
      return Buffer.concat(chunks)
    },
    decompress: (bytes, bytesMax) => {
      const frame = readDescriptor(bytes)
      const prefixed = Buffer.allocUnsafe(PREFIX_BYTES + frame.blockBytesMax)
      prefixed.writeUInt32LE(frame.blockBytesMax)
      const plain: Uint8Array[] = []
      let total = 0
      for (const { block, stored } of blocksOf(bytes, frame)) {
        if (stored) plain.push(block)
        else {
          prefixed.set(block, PREFIX_BYTES)
          plain.push(lz4.uncompressSync(prefixed.subarray(0, PREFIX_BYTES + block.length)))
        }
        total += plain[plain.length - 1]!.length
        if (total > bytesMax) throw tooLarge('lz4', bytesMax)
      }
      return plain.length === 1 ? plain[0]! : Buffer.concat(plain)
    },
  }
}

interface FrameDescriptor {
  readonly blockBytesMax: number
  readonly blockChecksums: boolean
  /** Where the first block begins. */
  readonly at: number
}

function readDescriptor(bytes: Uint8Array): FrameDescriptor {
  if (bytes.length < HEADER.length) throw new CorruptCompressedData('An LZ4 frame is cut off')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== MAGIC) throw new CorruptCompressedData('No LZ4 frame')
  const flags = view.getUint8(4)
  const sizeCode = (view.getUint8(5) >> 4) & 7
  const known = flags >> 6 === 1 && (flags & 0x03) === 0 && sizeCode >= 4 && (view.getUint8(5) & 0x8f) === 0
  const independent = (flags & 0x20) !== 0
  if (!known || !independent) throw new CorruptCompressedData('An LZ4 frame of a kind that Kafka does not read')
  const at = (flags & 0x08) === 0 ? 6 : 14
  if (bytes.length <= at || ((xxhash32(bytes.subarray(4, at)) >>> 8) & 0xff) !== bytes[at]) {
    throw new CorruptCompressedData('The descriptor checksum of an LZ4 frame is wrong')
  }
  return { blockBytesMax: 1 << (8 + 2 * sizeCode), blockChecksums: (flags & 0x10) !== 0, at: at + 1 }
}

function* blocksOf(
  bytes: Uint8Array,
  frame: FrameDescriptor,
): Generator<{ readonly block: Uint8Array; readonly stored: boolean }, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = frame.at
  while (bytes.length - at >= 4) {
    const head = view.getUint32(at, true)
    if (head === 0) return
    at += 4
    const size = head & ~STORED_BIT
    const left = bytes.length - at - (frame.blockChecksums ? 4 : 0)
    if (size > frame.blockBytesMax || size > left) throw new CorruptCompressedData('An LZ4 block is too long')
    const block = bytes.subarray(at, at + size)
    at += size
    if (frame.blockChecksums) {
      if (view.getUint32(at, true) !== xxhash32(block)) {
        throw new CorruptCompressedData('The checksum of an LZ4 block is wrong')
      }
      at += 4
    }
    yield { block, stored: head >= STORED_BIT }
  }
  throw new CorruptCompressedData('An LZ4 frame has no end mark')
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
