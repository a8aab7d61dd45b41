/**
 * Bytes being read, and what compiled readers call for anything longer than a few instructions.
 *
 * A `Reader` is a position in one frame; compiled code keeps the position in a local variable and stores it here when
 * it is done. Reads past the end throw the RangeError of DataView, which compiled code turns into a ProtocolError.
 */
import { ProtocolError } from './protocol-error.ts'

export class Reader {
  readonly bytes: Buffer
  /** Spans exactly `bytes`, so that its own bounds check is the check against the end of the frame. */
  readonly view: DataView
  position: number
  /** How many items all arrays together may still hold. */
  itemsLeft: number

  constructor(bytes: Uint8Array, position = 0, itemsMax = 0x7fff_ffff) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.position = position
    this.itemsLeft = itemsMax
  }
}

/** The rest of an unsigned varint whose first byte had its high bit set; `reader.position` is behind that byte. */
export function readUvarintRest(reader: Reader, first: number): number {
  let value = first & 0x7f
  for (let shift = 7; shift <= 28; shift += 7) {
    const byte = reader.view.getUint8(reader.position++)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value >>> 0
  }
  throw new ProtocolError('a varint is longer than 5 bytes')
}

const ASCII_MAX = 0x7f
/** Up to here, making a string from its characters beats a call into the engine's decoder. */
const SHORT = 12

/**
 * Decodes UTF-8; what is invalid becomes U+FFFD, as in Kafka.
 * The caller has checked that the bytes are there.
 */
export function readText(bytes: Buffer, position: number, size: number): string {
  return size <= SHORT
    ? (readShortAscii(bytes, position, position + size) ?? bytes.toString('utf8', position, position + size))
    : bytes.toString('utf8', position, position + size)
}

function readShortAscii(bytes: Buffer, start: number, end: number): string | undefined {
  let text = ''
  let p = start
  while (p + 4 <= end) {
    const a = bytes[p]!
    const b = bytes[p + 1]!
    const c = bytes[p + 2]!
    const d = bytes[p + 3]!
    if ((a | b | c | d) > ASCII_MAX) return undefined
    text += String.fromCharCode(a, b, c, d)
    p += 4
  }
  while (p < end) {
    const a = bytes[p++]!
    if (a > ASCII_MAX) return undefined
    text += String.fromCharCode(a)
  }
  return text
}

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 'latin1')

/** The 22 characters that base64url has for no bits set. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** 16 bytes as 22 characters of base64url. */
export function readUuid(view: DataView, position: number): string {
  const a = view.getUint32(position)
  const b = view.getUint32(position + 4)
  const c = view.getUint32(position + 8)
  const d = view.getUint32(position + 12)
  if ((a | b | c | d) === 0) return ZERO_UUID
  return String.fromCharCode(
    ALPHABET[a >>> 26]!,
    ALPHABET[(a >>> 20) & 63]!,
    ALPHABET[(a >>> 14) & 63]!,
    ALPHABET[(a >>> 8) & 63]!,
    ALPHABET[(a >>> 2) & 63]!,
    ALPHABET[((a & 3) << 4) | (b >>> 28)]!,
    ALPHABET[(b >>> 22) & 63]!,
    ALPHABET[(b >>> 16) & 63]!,
    ALPHABET[(b >>> 10) & 63]!,
    ALPHABET[(b >>> 4) & 63]!,
    ALPHABET[((b & 15) << 2) | (c >>> 30)]!,
    ALPHABET[(c >>> 24) & 63]!,
    ALPHABET[(c >>> 18) & 63]!,
    ALPHABET[(c >>> 12) & 63]!,
    ALPHABET[(c >>> 6) & 63]!,
    ALPHABET[c & 63]!,
    ALPHABET[d >>> 26]!,
    ALPHABET[(d >>> 20) & 63]!,
    ALPHABET[(d >>> 14) & 63]!,
    ALPHABET[(d >>> 8) & 63]!,
    ALPHABET[(d >>> 2) & 63]!,
    ALPHABET[(d & 3) << 4]!,
  )
}

/** A copy, for what outlives the frame. */
export function readCopy(bytes: Buffer, position: number, size: number): Uint8Array {
  const copy = new Uint8Array(size)
  copy.set(new Uint8Array(bytes.buffer, bytes.byteOffset + position, size))
  return copy
}

/** A slice of the frame, for records. */
export function readSlice(bytes: Buffer, position: number, size: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + position, size)
}

/** An array to be filled with `count` items. Long ones grow as their items really come. */
export function newArray(count: number): unknown[] {
  return count <= 1024 ? new Array<unknown>(count) : []
}
