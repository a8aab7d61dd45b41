/**
 * Walks the whole batches of a `.log` file or a snapshot through one window of bounded size, however long the file is.
 * It sees frames only: lengths, magic and ascending offsets; what is in a batch is `batch-verdict.ts`.
 */
import { BATCH_HEADER_BYTES, BYTES_UP_TO_MAGIC, RecordBatchView } from '../../domain/log/record-batch.ts'
import { readFully, type ReadOnlyFiles } from './read-only-files.ts'

/** Where the walk could not go on. */
export interface Fault {
  readonly position: number
  /** The offset that was due there. */
  readonly offset: bigint
  readonly reason: string
}

export interface WalkRange {
  readonly from: number
  readonly to: number
  /** Offsets below it are a fault. */
  readonly offsetMin: bigint
  /** Only the headers are read: `whole` is false for every batch. */
  readonly headersOnly?: boolean
}

export interface WalkEnd {
  /** After the last batch that was visited. */
  readonly position: number
  readonly nextOffset: bigint
  /** null = the range was walked to its end, or the visitor stopped it. */
  readonly fault: Fault | null
}

/** `view.at` is the batch; `whole` is false when only its header is there because it is too large for the window. */
export type VisitBatch = (view: RecordBatchView, position: number, whole: boolean) => boolean | Promise<boolean>

const WINDOW_BYTES = 4 * 1024 * 1024
const HEADERS_WINDOW_BYTES = 16 * 1024
/** A larger batch than this is walked over by its header. */
export const WINDOW_BYTES_MAX = 256 * 1024 * 1024
/** The smallest size field of any format. */
const LENGTH_MIN = 14

/** Visits the batches in `range` in order, until the visitor answers false or a frame does not hold. */
export async function walkBatches(
  files: ReadOnlyFiles,
  fd: number,
  range: WalkRange,
  visit: VisitBatch,
): Promise<WalkEnd> {
  const windowBytes = range.headersOnly === true ? HEADERS_WINDOW_BYTES : WINDOW_BYTES
  const window = new Window(files, fd, range.to, Math.min(windowBytes, range.to - range.from))
  let position = range.from
  let nextOffset = range.offsetMin
  const fault = (reason: string): WalkEnd => ({ position, nextOffset, fault: { position, offset: nextOffset, reason } })
  while (position < range.to) {
    if (!window.has(position, BYTES_UP_TO_MAGIC)) await window.load(position, BYTES_UP_TO_MAGIC)
    if (!window.has(position, BYTES_UP_TO_MAGIC)) return fault(TORN)
    const { view } = window
    view.at = position - window.begin
    const { batchLength, magic, sizeBytes } = view
    if (batchLength < LENGTH_MIN || magic < 0 || magic > 2) return fault('no batch begins here')
    if (position + sizeBytes > range.to) return fault(TORN)
    if (view.baseOffset < nextOffset) {
      return fault(`its base offset is ${view.baseOffset}, at least ${nextOffset} was due`)
    }
    if (magic === 2 && sizeBytes < BATCH_HEADER_BYTES) {
      return fault(`a batch of ${sizeBytes} bytes has no room for its header`)
    }
    const whole = range.headersOnly !== true && sizeBytes <= WINDOW_BYTES_MAX
    const wanted = whole ? sizeBytes : Math.min(sizeBytes, BATCH_HEADER_BYTES)
    if (!window.has(position, wanted)) await window.load(position, wanted)
    if (!window.has(position, wanted)) return fault(TORN)
    const at = position - window.begin
    window.view.at = at
    const last = lastOffsetOf(window.view)
    if (last < window.view.baseOffset) {
      return fault(`its last offset ${last} is below its first ${window.view.baseOffset}`)
    }
    const answer = visit(window.view, position, whole)
    const goOn = typeof answer === 'boolean' ? answer : await answer
    position += sizeBytes
    nextOffset = last + 1n
    if (!goOn) break
  }
  return { position, nextOffset, fault: null }
}

/** A wrapper of the old formats has the offset of its last message. */
export function lastOffsetOf(view: RecordBatchView): bigint {
  return view.magic < 2 ? view.baseOffset : view.lastOffset
}

/** What a write leaves that did not come to its end. */
export const TORN = 'the file ends inside a batch'

class Window {
  readonly #files: ReadOnlyFiles
  readonly #fd: number
  readonly #to: number
  view: RecordBatchView
  begin = 0
  #length = 0

  constructor(files: ReadOnlyFiles, fd: number, to: number, bytes: number) {
    this.#files = files
    this.#fd = fd
    this.#to = to
    this.view = new RecordBatchView(Buffer.allocUnsafeSlow(Math.max(bytes, BATCH_HEADER_BYTES)))
  }

  has(position: number, bytes: number): boolean {
    return position >= this.begin && position + bytes <= this.begin + this.#length
  }

  /** Moves the window to `position`, and makes it larger when `bytes` do not fit. */
  async load(position: number, bytes: number): Promise<void> {
    if (bytes > this.view.bytes.byteLength) this.view = new RecordBatchView(Buffer.allocUnsafeSlow(bytes))
    const buffer = this.view.bytes
    this.begin = position
    const wanted = Math.min(buffer.byteLength, this.#to - position)
    this.#length = await readFully(this.#files, this.#fd, buffer, 0, wanted, position)
  }
}
