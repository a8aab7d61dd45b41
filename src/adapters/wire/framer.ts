/**
 * Cuts the byte stream of one connection into frames: an int32 size, then that many bytes.
 *
 * Reads go into `target()`, and `filled(n)` says how much arrived. While nothing is pending the target is a scratch
 * buffer that all connections share (an idle connection costs no memory), from which bytes are copied once; while a
 * frame is incomplete the target is the frame's own pooled memory, so that the kernel writes large frames where they
 * stay. Complete frames are slices of a pooled block and hold a reference to it.
 *
 * The size is checked before anything is allocated, and memory follows the bytes that arrived (at most
 * `growthFactor` times as much, or the smallest class), never the size that was claimed.
 *
 * It knows no header and no API; what a frame means is the router's business.
 */
import { Frame, type FramePool } from './frame-pool.ts'

/** One whole request: its bytes without the size, valid while `lease` is held (the receiver holds one reference). */
export interface InboundFrame {
  readonly bytes: Buffer
  readonly lease: Frame
}

export interface FramerOptions {
  readonly pool: FramePool
  /** The read buffer that is shared by all connections of the server: emptied before `filled` returns. */
  readonly scratch: Buffer
  /** `socket.request.max.bytes`. */
  readonly frameBytesMax: number
  /** Whether an incomplete frame may get more memory than what has arrived of it; always, where it is left out. */
  readonly mayGrow?: () => boolean
}

const sizeBytes = 4
/** The smallest request: api key, version, correlation id. */
const frameBytesMin = 8
/** What reads are given at least while data is streaming in, so that small frames do not mean small reads. */
const streamingReadBytes = 65_536
/** An incomplete frame gets memory for so many times what has arrived of it. */
const growthFactor = 16
/** Blocks up to this size are left to the garbage collector: a parked long poll must not pin a pooled block. */
const unpooledBytesMax = 4096

/** Bytes `[start, end)` of a block. */
interface Span {
  readonly block: Frame
  start: number
  end: number
}

export class Framer {
  readonly #pool: FramePool
  readonly #scratch: Buffer
  readonly #frameBytesMax: number
  readonly #mayGrow: () => boolean
  /** Complete frames, waiting to be taken; each span holds a reference to its block. */
  readonly #complete: Span[] = []
  /** The beginning of a frame that has not fully arrived; the next read goes behind it. */
  #partial: Span | null = null
  #failure: string | null = null

  constructor(options: FramerOptions) {
    this.#pool = options.pool
    this.#scratch = options.scratch
    this.#frameBytesMax = options.frameBytesMax
    this.#mayGrow = options.mayGrow ?? (() => true)
  }

  /** Why no further frame can be found, once the frames before it have been taken; null while all is well. */
  get failure(): string | null {
    return this.#complete.length === 0 ? this.#failure : null
  }

  /** Whether complete frames wait in `next`. */
  get ready(): boolean {
    return this.#complete.length > 0
  }

  /** The memory that an incomplete frame lies in. */
  get partialBytes(): number {
    return this.#partial?.block.bytes.length ?? 0
  }

  /** Whether the stream ends inside a frame. */
  get midFrame(): boolean {
    return this.#partial !== null
  }

  /** Where the next read belongs; never empty. */
  target(): Buffer {
    const partial = this.#partial
    return partial === null ? this.#scratch : partial.block.bytes.subarray(partial.end)
  }

  /** `count` bytes were read into the buffer that `target` gave last. */
  filled(count: number): void {
    if (this.#failure !== null) return
    const partial = this.#partial
    if (partial === null) this.#takeScratch(count)
    else this.#extend(partial, count)
  }

  /** The next complete frame, or null. The caller owns one reference to its lease. */
  next(): InboundFrame | null {
    const span = this.#complete[0]
    if (span === undefined) return null
    const { block } = span
    const begin = span.start + sizeBytes
    const end = begin + block.bytes.readInt32BE(span.start)
    span.start = end
    // The span's own reference goes to the last frame in it.
    if (end === span.end) this.#complete.shift()
    else block.retain()
    return { bytes: block.bytes.subarray(begin, end), lease: block }
  }

  /** Gives back what was not taken; nothing may be read afterwards. */
  close(): void {
    for (const span of this.#complete) span.block.release()
    this.#complete.length = 0
    this.#partial?.block.release()
    this.#partial = null
    this.#failure ??= 'closed'
  }

  /** Copies what lies in the scratch buffer out of it: whole frames together, the beginning of one by itself. */
  #takeScratch(count: number): void {
    const end = this.#scan(this.#scratch, 0, count)
    if (end > 0) {
      const block = end <= unpooledBytesMax ? new Frame(Buffer.allocUnsafe(end), null) : this.#pool.take(end)
      this.#scratch.copy(block.bytes, 0, 0, end)
      this.#complete.push({ block, start: 0, end })
    }
    if (end < count && this.#failure === null) this.#begin(this.#scratch, end, count, count)
  }

  /** `count` more bytes came in behind an incomplete frame. */
  #extend(partial: Span, count: number): void {
    const { block } = partial
    const end = partial.end + count
    const complete = this.#scan(block.bytes, partial.start, end)
    if (this.#failure !== null || complete === end) this.#partial = null
    else if (complete === partial.start && this.#fits(block.bytes, complete, end)) partial.end = end
    else this.#begin(block.bytes, complete, end, count)
    // The reference of the span that was `partial` moves to its complete frames, stays with it, or ends here.
    if (complete > partial.start) this.#complete.push({ block, start: partial.start, end: complete })
    else if (this.#partial !== partial) block.release()
  }

  /** Whether the rest of the frame that begins at `start` should be read where its beginning is. */
  #fits(bytes: Buffer, start: number, end: number): boolean {
    return start + neededFor(bytes, start, end) <= bytes.length || bytes.length - end >= end - start
  }

  /** Moves the beginning of a frame into memory of its own; `lastRead` bytes came with the read that brought its end. */
  #begin(source: Buffer, start: number, end: number, lastRead: number): void {
    const arrived = end - start
    const grows = this.#mayGrow()
    const earned = grows ? growthFactor * Math.max(arrived, lastRead) : arrived
    const streaming = grows && lastRead >= streamingReadBytes / 4 ? streamingReadBytes : 0
    const block = this.#pool.take(Math.max(Math.min(neededFor(source, start, end), earned), streaming, arrived + 1))
    source.copy(block.bytes, 0, start, end)
    this.#partial = { block, start: 0, end: arrived }
  }

  /** The end of the last whole frame in `[start, end)`; notes a size that cannot be. */
  #scan(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (end - at >= sizeBytes) {
      const size = bytes.readInt32BE(at)
      if (size < frameBytesMin || size > this.#frameBytesMax) {
        this.#failure = describeBadSize(size, this.#frameBytesMax)
        return at
      }
      if (end - at - sizeBytes < size) return at
      at += sizeBytes + size
    }
    return at
  }
}

/** The bytes of the frame that begins at `start`, as far as they can be known. */
function neededFor(bytes: Buffer, start: number, end: number): number {
  return end - start < sizeBytes ? sizeBytes : sizeBytes + bytes.readInt32BE(start)
}

function describeBadSize(size: number, max: number): string {
  if (size < frameBytesMin && size >= 0) return `a request of ${size} bytes is too short for a header`
  if (size < 0) return `the request size ${size} is negative`
  const text = Buffer.alloc(sizeBytes)
  text.writeInt32BE(size)
  const guess = /^(GET |POST|HEAD|PUT |OPTI)/.test(text.toString('latin1'))
    ? ' (the client seems to speak HTTP)'
    : text[0] === 0x16 && text[1] === 3
      ? ' (the client seems to speak TLS)'
      : ''
  return `the request size ${size} is larger than socket.request.max.bytes (${max})${guess}`
}
