/**
 * Every batch of one segment and everything that points into it, in one pass over the log: `.index`, `.timeindex` and
 * `.txnindex` are held against the batches as they come by.
 */
import { OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES } from '../../domain/log/log-segment.ts'
import type { AbortedTransaction } from '../../domain/log/aborted-transaction.ts'
import { OffsetIndex, TimeIndex } from '../../domain/log/offset-index.ts'
import { readEndMarker } from '../../domain/log/end-marker.ts'
import type { LeaderEpochEntry } from '../../domain/log/leader-epochs.ts'
import type { RecordBatchView } from '../../domain/log/record-batch.ts'
import { parseAborted } from '../storage-fs/aborted-index.ts'
import { OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX } from '../storage-fs/file-names.ts'
import { lastOffsetOf, walkBatches, type WalkEnd } from './batch-walk.ts'
import { problemOfBatch, type BatchTools } from './batch-verdict.ts'
import { besideLog, type PartitionFiles, type SegmentFiles } from './partition-files.ts'
import { withReadOnly, type ReadOnlyFiles } from './read-only-files.ts'

export interface SegmentVerdict {
  /** Of the batches whose frames hold. */
  readonly end: WalkEnd
  readonly batches: number
  readonly records: number
  /** The first batch that is not sound inside, though its frame holds. */
  readonly firstUnsound: { readonly position: number; readonly offset: bigint; readonly reason: string } | null
  readonly unsoundBatches: number
  /** Offsets between two batches that no batch has: compaction leaves them. */
  readonly missingOffsets: bigint
  readonly legacyBatches: number
  /** Batches too large to be held in memory: only their frames were looked at. */
  readonly hugeBatches: number
  /** The first batch of each leader epoch, in order. */
  readonly epochs: readonly LeaderEpochEntry[]
  /** What is wrong with the files beside the log: name suffix and text. */
  readonly beside: readonly { readonly suffix: string; readonly text: string; readonly missing: boolean }[]
}

const TXN_ENTRY_BYTES = 34

export interface SegmentCheck {
  readonly files: ReadOnlyFiles
  readonly tools: BatchTools
  readonly listed: PartitionFiles
  readonly segment: SegmentFiles
  readonly onBytes: (bytes: number) => void
}

export async function checkSegment(check: SegmentCheck): Promise<SegmentVerdict> {
  const { files, listed, segment } = check
  const { base } = segment
  // the indexes first: what a running broker adds to them meanwhile points at bytes that are in the log by then
  const beside = new BesideFiles(base)
  for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX]) {
    beside.load(suffix, await files.readFile(besideLog(listed, base, suffix)))
  }
  const sizeBytes = Math.max(segment.sizeBytes, await files.sizeOf(segment.logPath))
  const pass = new Pass(check, beside)
  const end = await withReadOnly(files, segment.logPath, (fd) =>
    walkBatches(files, fd, { from: 0, to: sizeBytes, offsetMin: base }, (view, position, whole) =>
      pass.visit(view, position, whole),
    ),
  )
  if (end.fault === null) beside.finish(sizeBytes)
  return { ...pass.facts(), end, beside: beside.complaints }
}

/** The sums of one pass over a log. */
class Pass {
  readonly #check: SegmentCheck
  readonly #beside: BesideFiles
  readonly #epochs: LeaderEpochEntry[] = []
  #next: bigint | null = null
  #batches = 0
  #records = 0
  #firstUnsound: SegmentVerdict['firstUnsound'] = null
  #unsoundBatches = 0
  #missingOffsets = 0n
  #legacyBatches = 0
  #hugeBatches = 0

  constructor(check: SegmentCheck, beside: BesideFiles) {
    this.#check = check
    this.#beside = beside
  }

  visit(view: RecordBatchView, position: number, whole: boolean): boolean {
    const { baseOffset, magic } = view
    const { tools, onBytes } = this.#check
    const reason = whole ? problemOfBatch(view, tools) : null
    this.#batches++
    if (!whole) this.#hugeBatches++
    if (magic < 2) this.#legacyBatches++
    else this.#records += view.count
    if (reason !== null) {
      this.#unsoundBatches++
      this.#firstUnsound ??= { position, offset: baseOffset, reason }
    }
    if (this.#next !== null && magic === 2) this.#missingOffsets += baseOffset - this.#next
    this.#next = lastOffsetOf(view) + 1n
    if (magic === 2 && view.leaderEpoch >= 0 && view.leaderEpoch !== this.#epochs.at(-1)?.epoch) {
      this.#epochs.push({ epoch: view.leaderEpoch, startOffset: baseOffset })
    }
    if (reason === null) this.#beside.batch(view, position)
    else this.#beside.unsound(view, position)
    onBytes(view.sizeBytes)
    return true
  }

  facts(): Omit<SegmentVerdict, 'end' | 'beside'> {
    return {
      batches: this.#batches,
      records: this.#records,
      firstUnsound: this.#firstUnsound,
      unsoundBatches: this.#unsoundBatches,
      missingOffsets: this.#missingOffsets,
      legacyBatches: this.#legacyBatches,
      hugeBatches: this.#hugeBatches,
      epochs: this.#epochs,
    }
  }
}

/** The index files of a segment, held against its batches in order. */
class BesideFiles {
  readonly complaints: { readonly suffix: string; readonly text: string; readonly missing: boolean }[] = []
  readonly #base: bigint
  #offsets: DataView | null = null
  #offsetEntries = 0
  #offsetAt = 0
  #times: DataView | null = null
  #timeEntries = 0
  #timeAt = 0
  #maxTimestamp = -1n
  /** By the offset of the marker. */
  readonly #aborted = new Map<bigint, AbortedTransaction>()

  constructor(base: bigint) {
    this.#base = base
  }

  load(suffix: string, bytes: Uint8Array | null): void {
    if (suffix === TXN_INDEX_SUFFIX) {
      if (bytes !== null) this.#loadAborted(bytes)
      return
    }
    if (bytes === null) {
      this.complaints.push({ suffix, text: 'is missing', missing: true })
      return
    }
    const parsed = suffix === OFFSET_INDEX_SUFFIX ? OffsetIndex.parse(bytes) : TimeIndex.parse(bytes)
    if (parsed === null) {
      this.#complain(suffix, 'is no index: its length is odd, or its entries do not ascend')
      return
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (suffix === OFFSET_INDEX_SUFFIX) [this.#offsets, this.#offsetEntries] = [view, parsed.count]
    else [this.#times, this.#timeEntries] = [view, parsed.count]
  }

  #loadAborted(bytes: Uint8Array): void {
    const entries = parseAborted(bytes)
    if (entries.length * TXN_ENTRY_BYTES !== bytes.byteLength) {
      this.#complain(TXN_INDEX_SUFFIX, `has ${entries.length} entries in ${bytes.byteLength} bytes`)
    }
    let last = -1n
    for (const entry of entries) {
      if (entry.lastOffset <= last || entry.firstOffset > entry.lastOffset) {
        this.#complain(
          TXN_INDEX_SUFFIX,
          `its entry of offsets ${entry.firstOffset} to ${entry.lastOffset} is out of order`,
        )
      }
      last = entry.lastOffset
      this.#aborted.set(entry.lastOffset, entry)
    }
  }

  /** A sound batch at `position`. */
  batch(view: RecordBatchView, position: number): void {
    this.#matchOffsets(view, position)
    this.#matchTimes(view)
    if (this.#aborted.size === 0 || view.magic < 2 || !view.isControl) return
    const entry = this.#aborted.get(view.baseOffset)
    if (entry === undefined || readEndMarker(view)?.committed !== false) return
    if (entry.producerId !== view.producerId) {
      const text = `its entry at offset ${view.baseOffset} names producer ${entry.producerId}, the marker ${view.producerId}`
      this.#complain(TXN_INDEX_SUFFIX, text)
    }
    this.#aborted.delete(view.baseOffset)
  }

  /** A batch whose bytes cannot be trusted: what points at it is passed over. */
  unsound(view: RecordBatchView, position: number): void {
    while (this.#offsetAt < this.#offsetEntries && this.#entryPosition() < position + view.sizeBytes) this.#offsetAt++
    while (this.#timeAt < this.#timeEntries && this.#entryTimeOffset() <= lastOffsetOf(view)) this.#timeAt++
  }

  #entryPosition(): number {
    return this.#offsets!.getInt32(this.#offsetAt * OFFSET_ENTRY_BYTES + 4)
  }

  #entryTimeOffset(): bigint {
    return this.#base + BigInt(this.#times!.getInt32(this.#timeAt * TIME_ENTRY_BYTES + 8))
  }

  #matchOffsets(view: RecordBatchView, position: number): void {
    while (this.#offsetAt < this.#offsetEntries) {
      const at = this.#entryPosition()
      if (at >= position + view.sizeBytes) return
      const offset = this.#base + BigInt(this.#offsets!.getInt32(this.#offsetAt * OFFSET_ENTRY_BYTES))
      if (at !== position) {
        this.#complain(OFFSET_INDEX_SUFFIX, `its entry of offset ${offset} points into a batch, at byte ${at}`)
      } else if (offset !== lastOffsetOf(view)) {
        const text = `its entry at byte ${at} says offset ${offset}, the batch there ends at ${lastOffsetOf(view)}`
        this.#complain(OFFSET_INDEX_SUFFIX, text)
      }
      this.#offsetAt++
    }
  }

  /** An entry says the largest timestamp up to the batch that holds its offset, which is the batch that has it. */
  #matchTimes(view: RecordBatchView): void {
    const timestamp = view.magic < 2 ? -1n : view.maxTimestamp
    const before = this.#maxTimestamp
    if (timestamp > before) this.#maxTimestamp = timestamp
    while (this.#timeAt < this.#timeEntries && this.#entryTimeOffset() <= lastOffsetOf(view)) {
      const offset = this.#entryTimeOffset()
      const said = this.#times!.getBigInt64(this.#timeAt * TIME_ENTRY_BYTES)
      this.#timeAt++
      if (view.magic < 2) continue
      if (offset < view.baseOffset) {
        this.#complain(TIME_INDEX_SUFFIX, `its entry of offset ${offset} names an offset that is not in the log`)
      } else if (said !== timestamp) {
        this.#complain(TIME_INDEX_SUFFIX, `its entry of offset ${offset} says ${said}, the batch there ${timestamp}`)
      } else if (before > said) {
        this.#complain(TIME_INDEX_SUFFIX, `its entry of offset ${offset} says ${said}, an earlier batch has ${before}`)
      }
    }
  }

  /** The whole log went by: what is left points past it. */
  finish(sizeBytes: number): void {
    const late = this.#offsetEntries - this.#offsetAt
    if (late > 0) this.#complain(OFFSET_INDEX_SUFFIX, `${late} of its entries point past the log's ${sizeBytes} bytes`)
    const lateTimes = this.#timeEntries - this.#timeAt
    if (lateTimes > 0) this.#complain(TIME_INDEX_SUFFIX, `${lateTimes} of its entries point past the log's end`)
    for (const { firstOffset, lastOffset, producerId } of this.#aborted.values()) {
      const text = `the log has no marker at offset ${lastOffset} that aborts producer ${producerId} from ${firstOffset} on`
      this.#complain(TXN_INDEX_SUFFIX, text)
    }
  }

  #complain(suffix: string, text: string): void {
    this.complaints.push({ suffix, text, missing: false })
  }
}
