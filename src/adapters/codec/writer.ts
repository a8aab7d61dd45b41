/**
 * Where compiled writers put bytes, and what they call for anything longer than a few instructions.
 *
 * A `Writer` hands out pieces of a slab, one after the other, and never writes into a piece again: they may sit in a
 * socket's queue for as long as they like, and the garbage collector takes a slab when the last of them has left.
 * Records are not copied into the slab but become chunks of their own, in between, unless they are so short that a
 * copy costs less than a chunk.
 *
 * Nobody asks beforehand whether there is room. A message that reaches the end of the slab starts again on a larger
 * one: that is rare, and it spares every other message a check for each field.
 */
import { isRangeError } from './protocol-error.ts'

/** Records up to this size are copied: they then leave in the same piece as what surrounds them. */
const COPIED_MAX = 1024

/** Without its records, a message is never this long: what still does not fit is an endless one, a bug. */
const SLAB_MAX = 256 * 1024 * 1024

export class Writer {
  /** For compiled writers: the slab, and where the next byte goes. */
  bytes: Buffer
  view: DataView
  position = 0

  readonly #slabBytes: number
  #pieceStart = 0
  #chunks: Uint8Array[] = []
  #chunkedBytes = 0

  constructor(slabBytes = 65_536) {
    this.#slabBytes = slabBytes
    this.bytes = Buffer.allocUnsafeSlow(slabBytes)
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, slabBytes)
  }

  /** What `write` writes, as chunks in order. `write` may run more than once, so it has no effect but writing. */
  message(write: (writer: Writer) => void): readonly Uint8Array[] {
    return this.#write(write, 0)
  }

  /** The same, with the size as an int32 before it. */
  frame(write: (writer: Writer) => void): readonly Uint8Array[] {
    return this.#write(write, 4)
  }

  /** For compiled writers: takes over `chunks`, which together have `size` bytes. */
  append(chunks: Uint8Array | readonly Uint8Array[], size: number): void {
    if (size <= COPIED_MAX) {
      this.#copy(chunks)
      return
    }
    this.#cut()
    if (chunks instanceof Uint8Array) this.#chunks.push(chunks)
    else for (const chunk of chunks) if (chunk.length > 0) this.#chunks.push(chunk)
    this.#chunkedBytes += size
  }

  #write(write: (writer: Writer) => void, prefixBytes: number): readonly Uint8Array[] {
    const { bytes: slab, position: start } = this
    for (;;) {
      try {
        const from = this.position
        this.position += prefixBytes
        write(this)
        this.#cut()
        if (prefixBytes > 0) this.view.setInt32(from, this.#chunkedBytes - prefixBytes)
        const chunks = this.#chunks
        this.#startMessage()
        return chunks
      } catch (error) {
        if (!isRangeError(error) || this.bytes.length >= SLAB_MAX) {
          if (this.bytes === slab) this.position = start
          this.#startMessage()
          throw error
        }
        this.#replaceSlab(Math.max(this.#slabBytes, 4 * (this.bytes.length - (this.bytes === slab ? start : 0))))
      }
    }
  }

  /** Ends the piece being written. Text that ran over the end of the slab was dropped silently and is noticed here. */
  #cut(): void {
    const { position } = this
    if (position > this.bytes.length) throw new RangeError('the slab is full')
    if (position === this.#pieceStart) return
    this.#chunks.push(this.bytes.subarray(this.#pieceStart, position))
    this.#chunkedBytes += position - this.#pieceStart
    this.#pieceStart = position
  }

  #copy(chunks: Uint8Array | readonly Uint8Array[]): void {
    if (chunks instanceof Uint8Array) {
      this.bytes.set(chunks, this.position)
      this.position += chunks.length
      return
    }
    for (const chunk of chunks) {
      this.bytes.set(chunk, this.position)
      this.position += chunk.length
    }
  }

  #startMessage(): void {
    this.#pieceStart = this.position
    this.#chunks = []
    this.#chunkedBytes = 0
  }

  #replaceSlab(size: number): void {
    const capacity = Math.min(size, SLAB_MAX)
    this.bytes = Buffer.allocUnsafeSlow(capacity)
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, capacity)
    this.position = 0
    this.#startMessage()
  }
}

/** All functions below write at `p` and return the position behind what they wrote. */

export function writeUvarint(bytes: Buffer, p: number, value: number): number {
  let rest = value
  while (rest > 0x7f) {
    bytes[p++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[p++] = rest
  return p
}

const TEXT_BYTES_MAX = 32_767
/** Up to here, writing a string by its characters beats a call into the engine's encoder. */
const SHORT = 16

export function writeString(bytes: Buffer, p: number, text: string): number {
  if (text.length <= SHORT && writeShortAscii(bytes, p + 2, text)) {
    bytes[p] = 0
    bytes[p + 1] = text.length
    return p + 2 + text.length
  }
  const size = textSize(text)
  bytes[p] = size >>> 8
  bytes[p + 1] = size & 0xff
  bytes.write(text, p + 2, 'utf8')
  return p + 2 + size
}

export function writeCompactString(bytes: Buffer, p: number, text: string): number {
  if (text.length <= SHORT && writeShortAscii(bytes, p + 1, text)) {
    bytes[p] = text.length + 1
    return p + 1 + text.length
  }
  const size = textSize(text)
  p = writeUvarint(bytes, p, size + 1)
  bytes.write(text, p, 'utf8')
  return p + size
}

function writeShortAscii(bytes: Buffer, p: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return false
    bytes[p + i] = code
  }
  return true
}

function textSize(text: string): number {
  const size = Buffer.byteLength(text, 'utf8')
  if (size > TEXT_BYTES_MAX) throw new TypeError(`a string of ${size} bytes does not fit into the protocol`)
  return size
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const NOT_IN_ALPHABET = 0x40
const SEXTETS = new Uint8Array(128).fill(NOT_IN_ALPHABET)
for (let i = 0; i < 64; i++) SEXTETS[ALPHABET.charCodeAt(i)] = i

function sextet(text: string, i: number): number {
  return SEXTETS[text.charCodeAt(i)] ?? NOT_IN_ALPHABET
}

/** 22 characters of base64url as 16 bytes. */
export function writeUuid(bytes: Buffer, p: number, text: string): number {
  if (text.length !== 22) throw new TypeError(`not a uuid: ${text}`)
  let seen = 0
  for (let i = 0; i < 20; i += 4) {
    const a = sextet(text, i)
    const b = sextet(text, i + 1)
    const c = sextet(text, i + 2)
    const d = sextet(text, i + 3)
    seen |= a | b | c | d
    bytes[p++] = (a << 2) | (b >> 4)
    bytes[p++] = (b << 4) | (c >> 2)
    bytes[p++] = (c << 6) | d
  }
  const a = sextet(text, 20)
  const b = sextet(text, 21)
  if (((seen | a | b) & NOT_IN_ALPHABET) !== 0) throw new TypeError(`not a uuid: ${text}`)
  bytes[p++] = (a << 2) | (b >> 4)
  return p
}

/** How many bytes a records value has. */
export function sizeOf(chunks: Uint8Array | readonly Uint8Array[]): number {
  if (chunks instanceof Uint8Array) return chunks.length
  let size = 0
  for (const chunk of chunks) size += chunk.length
  return size
}

/**
 * Completes a tagged field: its data is at `start + 1` up to `p`, its size goes to `start`. Most are shorter than 128
 * bytes; the data of longer ones moves to make room.
 */
export function closeTag(bytes: Buffer, start: number, p: number): number {
  const size = p - start - 1
  if (size < 0x80) {
    bytes[start] = size
    return p
  }
  const sizeBytes = size < 0x4000 ? 2 : size < 0x20_0000 ? 3 : size < 0x1000_0000 ? 4 : 5
  bytes.copyWithin(start + sizeBytes, start + 1, p)
  writeUvarint(bytes, start, size)
  return start + sizeBytes + size
}
