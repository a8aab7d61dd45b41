/**
 * Walks the batches of a `.log` file from a position on: headers only, or with every byte checked. Memory is bounded
 * whatever lengths the file claims. It recognises magic 0 to 2.
 */
import { createRequire } from 'node:module'
import type * as Zlib from 'node:zlib'
import type { Checksum } from '../../application/ports/checksum.ts'
import {
  BATCH_HEADER_BYTES,
  BYTES_UP_TO_MAGIC,
  CRC_COVERS_FROM,
  LOG_OVERHEAD_BYTES,
  RecordBatchView,
} from '../../domain/log/record-batch.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { FileSystem } from './file-system.ts'

/** What is visited: where a batch lies and what its header says. */
export interface ScannedBatch {
  readonly position: number
  readonly sizeBytes: number
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly maxTimestamp: bigint
  /** -1 in legacy formats. */
  readonly leaderEpoch: number
  /** A control batch of a transaction: it ends one. */
  readonly isMarker: boolean
}

export interface ScanResult {
  /** After the last whole and sound batch. */
  readonly position: number
  /** Why it stopped before the end of the range; null when it did not, or when the visitor stopped it. */
  readonly problem: string | null
}

interface ScanRange {
  readonly from: number
  readonly to: number
  /** Offsets below it are a problem: they do not belong here. */
  readonly offsetMin: bigint
  /** Present: every batch is checked against its CRC. */
  readonly checksum?: Checksum
}

/** The smallest legacy message has this many bytes after its length field. */
const LENGTH_MIN = 14
const LEGACY_CRC_AT = 12
const LEGACY_TIMESTAMP_AT = 18
const LEGACY_HEADER_BYTES = 26
const VERIFY_CHUNK_BYTES = 1024 * 1024
const HEADER_CHUNK_BYTES = 16 * 1024

/** A window on the file that moves forward. */
class Window {
  readonly view: RecordBatchView
  readonly data: DataView
  readonly #fs: FileSystem
  readonly #fd: number
  readonly #to: number
  #begin = 0
  #length = 0

  constructor(fs: FileSystem, fd: number, buffer: Uint8Array, to: number) {
    this.#fs = fs
    this.#fd = fd
    this.#to = to
    this.view = new RecordBatchView(buffer)
    this.data = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  }

  /** Makes `bytes` bytes at `position` readable and answers where in the buffer; -1 = the file ends before. */
  async show(position: number, bytes: number): Promise<number> {
    if (position + bytes > this.#to) return -1
    if (position < this.#begin || position + bytes > this.#begin + this.#length) await this.#load(position)
    return position + bytes > this.#begin + this.#length ? -1 : position - this.#begin
  }

  async #load(position: number): Promise<void> {
    const buffer = this.view.bytes
    this.#begin = position
    this.#length = 0
    const wanted = Math.min(buffer.byteLength, this.#to - position)
    while (this.#length < wanted) {
      const got = await this.#fs.read(this.#fd, buffer, this.#length, wanted - this.#length, position + this.#length)
      if (got === 0) return
      this.#length += got
    }
  }

  /** The CRC of a range of the file, window by window. */
  async crc(update: (bytes: Uint8Array, previous?: number) => number, from: number, to: number): Promise<number> {
    let crc: number | undefined
    for (let position = from; position < to;) {
      if ((await this.show(position, 1)) < 0) return -1
      const at = position - this.#begin
      const bytes = Math.min(to - position, this.#length - at)
      crc = update(this.view.bytes.subarray(at, at + bytes), crc)
      position += bytes
    }
    return crc ?? update(new Uint8Array(0))
  }
}

/** Visits the batches in `range` in order until the visitor answers false, the range ends or a batch is not sound. */
export async function scanBatches(
  fs: FileSystem,
  pool: BufferPool,
  fd: number,
  range: ScanRange,
  visit: (batch: ScannedBatch) => boolean,
): Promise<ScanResult> {
  const chunkBytes = range.checksum === undefined ? HEADER_CHUNK_BYTES : VERIFY_CHUNK_BYTES
  // after a crash thousands of short segments are scanned: none needs more than its own size
  const buffer = pool.take(Math.min(chunkBytes, range.to - range.from))
  try {
    const window = new Window(fs, fd, buffer, range.to)
    let position = range.from
    let offsetMin = range.offsetMin
    while (position < range.to) {
      const batch = await batchAt(window, position, offsetMin, range)
      if (typeof batch === 'string') return { position, problem: batch }
      if (!visit(batch)) return { position, problem: null }
      position += batch.sizeBytes
      offsetMin = batch.lastOffset + 1n
    }
    return { position, problem: null }
  } finally {
    pool.give(buffer)
  }
}

/** The problem of a write that did not come to its end. */
export const TORN = 'the file ends inside a batch'

async function batchAt(
  window: Window,
  position: number,
  offsetMin: bigint,
  range: ScanRange,
): Promise<ScannedBatch | string> {
  const { view } = window
  view.at = await window.show(position, BYTES_UP_TO_MAGIC)
  if (view.at < 0) return TORN
  const { magic, batchLength, sizeBytes, baseOffset } = view
  if (batchLength < LENGTH_MIN || magic < 0 || magic > 2) return 'no batch begins here'
  if (position + sizeBytes > range.to) return TORN
  if (baseOffset < offsetMin) return `its base offset is ${baseOffset}, at least ${offsetMin} was due`
  if (magic < 2) return await legacyBatchAt(window, position, range)
  if (sizeBytes < BATCH_HEADER_BYTES) return `a batch of ${sizeBytes} bytes has no room for its header`
  view.at = await window.show(position, BATCH_HEADER_BYTES)
  if (view.at < 0) return TORN
  const { lastOffset, maxTimestamp, leaderEpoch, crc } = view
  if (lastOffset < baseOffset) return `its last offset ${lastOffset} is below its first ${baseOffset}`
  const { checksum } = range
  if (checksum !== undefined) {
    const crc32c = (bytes: Uint8Array, previous?: number): number => checksum.crc32c(bytes, previous)
    const actual = await window.crc(crc32c, position + CRC_COVERS_FROM, position + sizeBytes)
    if (actual !== crc) return `its CRC should be ${crc} and is ${actual}`
  }
  const isMarker = view.isControl && view.isTransactional
  return { position, sizeBytes, baseOffset, lastOffset, maxTimestamp, leaderEpoch, isMarker }
}

/**
 * A legacy message, or a wrapper of several, whose offset is that of its last message. Its CRC (CRC-32, not CRC-32C)
 * is what tells it from a newer batch whose end was lost: zeros in the place of the magic byte mean magic 0.
 */
async function legacyBatchAt(window: Window, position: number, range: ScanRange): Promise<ScannedBatch | string> {
  const at = await window.show(position, LOG_OVERHEAD_BYTES + LENGTH_MIN)
  const { view, data } = window
  view.at = at
  const { baseOffset, sizeBytes, magic } = view
  const crc = data.getUint32(at + LEGACY_CRC_AT)
  const timed = magic === 1 && sizeBytes >= LEGACY_HEADER_BYTES
  const maxTimestamp = timed ? data.getBigInt64(at + LEGACY_TIMESTAMP_AT) : -1n
  if (range.checksum !== undefined) {
    // loaded here: few directories hold legacy messages, and every start would wait for it
    const { crc32 } = createRequire(import.meta.url)('node:zlib') as typeof Zlib
    const actual = await window.crc(crc32, position + BYTES_UP_TO_MAGIC - 1, position + sizeBytes)
    if (actual !== crc) return `its CRC should be ${crc} and is ${actual}`
  }
  return { position, sizeBytes, baseOffset, lastOffset: baseOffset, maxTimestamp, leaderEpoch: -1, isMarker: false }
}

/** The remainder that is searched for sound batches is bounded; what lies behind it counts as lost. */
const SEARCH_BYTES_MAX = 16 * 1024 * 1024

/** Whether a whole batch whose CRC holds begins at any byte of the range: the range is then more than a torn tail. */
export async function holdsSoundBatch(
  fs: FileSystem,
  fd: number,
  range: { readonly from: number; readonly to: number; readonly offsetMin: bigint; readonly checksum: Checksum },
): Promise<boolean> {
  const bytes = new Uint8Array(Math.max(0, Math.min(range.to - range.from, SEARCH_BYTES_MAX)))
  const got = bytes.byteLength === 0 ? 0 : await fs.read(fd, bytes, 0, bytes.byteLength, range.from)
  const view = new RecordBatchView(bytes)
  for (; view.at + BATCH_HEADER_BYTES <= got; view.at++) {
    if (view.magic !== 2 || view.sizeBytes < BATCH_HEADER_BYTES || view.at + view.sizeBytes > got) continue
    if (view.baseOffset < range.offsetMin) continue
    if (range.checksum.crc32c(view.checksummed()) === view.crc) return true
  }
  return false
}
