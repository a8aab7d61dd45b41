/**
 * One round of compaction over one log: a first pass notes the newest offset of each key in the dirty part, a second
 * one rewrites the log from its beginning, group of segments by group of segments, without what is superseded. Both
 * read whole batches in small steps, so that everything else goes on meanwhile.
 */
import type { AbortedTransaction } from '../../../domain/log/aborted-transaction.ts'
import { CleanedTransactions } from '../../../domain/log/cleaned-transactions.ts'
import {
  compactBatch,
  judgeBatch,
  mapKeys,
  type BatchFinish,
  type CompactionRound,
} from '../../../domain/log/compaction.ts'
import { groupSegments, type CleanableRange, type SegmentGroup } from '../../../domain/log/compaction-plan.ts'
import type { OffsetMap } from '../../../domain/log/offset-map.ts'
import { RecordBatchView } from '../../../domain/log/record-batch.ts'
import type { Checksum } from '../../ports/checksum.ts'
import { CorruptCompressedData, type Compressor } from '../../ports/compressor.ts'
import type { LogSlice, StampedBatch } from '../../ports/log-store.ts'
import type { Upkeep } from '../../upkeep.ts'
import type { Pace } from './pace.ts'

/** What a round works with. */
export interface CleaningTools {
  readonly map: OffsetMap
  readonly checksum: Checksum
  readonly compressor: Compressor
  readonly pace: Pace
  /** How much is read at a time; larger batches come whole. */
  readonly readBytes: number
}

/** What a round did. */
export interface CleanedLog {
  /** Where the next round begins: everything before it is compacted. */
  readonly firstDirtyOffset: bigint
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/** The log holds what compaction cannot read: it is left as it is. */
export class UncleanableLog extends Error {
  override readonly name = 'UncleanableLog'
}

/**
 * Compacts `range` of a log. null = it was told to stop, or the log's segments changed meanwhile; what was rewritten
 * by then stays rewritten.
 * @throws UncleanableLog, StorageError
 */
export async function cleanLog(
  upkeep: Upkeep,
  range: CleanableRange,
  nowMs: bigint,
  tools: CleaningTools,
): Promise<CleanedLog | null> {
  return await new Cleaning(upkeep, range, nowMs, tools).run()
}

/** Thrown out of a rewrite that is not to be finished. */
class Stopped extends Error {}

class Cleaning {
  readonly #upkeep: Upkeep
  readonly #range: CleanableRange
  readonly #round: CompactionRound
  readonly #tools: CleaningTools

  constructor(upkeep: Upkeep, range: CleanableRange, nowMs: bigint, tools: CleaningTools) {
    this.#upkeep = upkeep
    this.#range = range
    this.#tools = tools
    this.#round = {
      map: tools.map,
      nowMs,
      deleteRetentionMs: upkeep.config.deleteRetentionMs,
      lastOfProducers: upkeep.lastOfProducers(),
      before: range.firstUncleanableOffset,
    }
  }

  async run(): Promise<CleanedLog | null> {
    const { log, config } = this.#upkeep
    try {
      await this.#mapDirtyPart()
      const firstDirtyOffset = this.#round.map.latestOffset + 1n
      const groups = groupSegments(log.segments(), firstDirtyOffset, config)
      const last = groups.at(-1)
      if (last === undefined) return null
      const aborted = await log.abortedTransactions(groups[0]!.from, last.before)
      const transactions = new CleanedTransactions(aborted)
      const bytesBefore = log.sizeBytes()
      for (const group of groups) {
        const rewritten = this.#rewrite(group, transactions)
        if ((await log.replaceSegments(group.from, group.before, rewritten)) === 'conflict') return null
        this.#upkeep.rewritten()
      }
      await log.saveFirstDirtyOffset(firstDirtyOffset)
      return { firstDirtyOffset, bytesBefore, bytesAfter: log.sizeBytes() }
    } catch (error) {
      if (error instanceof Stopped) return null
      throw error
    }
  }

  /** The first pass: up to the end of the range, or until the map is full. */
  async #mapDirtyPart(): Promise<void> {
    const { map } = this.#round
    const { firstDirtyOffset: from, firstUncleanableOffset: before } = this.#range
    const transactions = new CleanedTransactions(await this.#upkeep.log.abortedTransactions(from, before))
    map.clear(from)
    for await (const slice of this.#slices(from, before)) {
      for (const batch of this.#batches(slice)) {
        if (batch.isControl) transactions.seeControlBatch(batch)
        else if (!transactions.seeBatch(batch) && !mapKeys(batch, this.#section(batch), from, map)) return
        map.reach(batch.lastOffset)
      }
    }
    map.reach(before - 1n)
  }

  /** The second pass over one group: the batches of the segment that takes its place. */
  async *#rewrite(group: SegmentGroup, transactions: CleanedTransactions): AsyncGenerator<StampedBatch[]> {
    const { start } = this.#upkeep.log.range()
    for await (const slice of this.#slices(group.from > start ? group.from : start, group.before)) {
      const left: StampedBatch[] = []
      let bytes = 0
      for (const batch of this.#batches(slice)) {
        const kept = this.#compact(batch, transactions)
        if (kept === null) continue
        left.push(kept)
        bytes += kept.bytes.length
      }
      yield left
      await this.#tools.pace.spent(bytes)
    }
  }

  #compact(batch: RecordBatchView, transactions: CleanedTransactions): StampedBatch | null {
    const { checksum, compressor } = this.#tools
    const bytes = batch.bytes.subarray(batch.at, batch.at + batch.sizeBytes)
    // a damaged batch must not get a checksum that holds
    if (checksum.crc32c(batch.checksummed()) !== batch.crc) throw damaged(batch)
    const verdict = judgeBatch(batch, transactions, this.#round)
    const codec = batch.codec
    const crc32c = (part: Uint8Array) => checksum.crc32c(part)
    const finish: BatchFinish = {
      compress: (section) => (codec === null || codec === 'none' ? section : compressor.compress(codec, section)),
      crc32c,
    }
    const section = verdict.discarded ? batch.records() : this.#section(batch)
    const kept = compactBatch(batch, section, verdict, this.#round, finish)
    if (kept === null) return null
    return stamped(kept === 'whole' ? bytes : kept, verdict.aborted)
  }

  /** The plain records of a batch. */
  #section(batch: RecordBatchView): Uint8Array {
    const { codec } = batch
    if (codec === 'none' || batch.count === 0) return batch.records()
    if (codec === null) throw damaged(batch)
    try {
      const bytesMax = this.#upkeep.config.maxDecompressedMessageBytes
      return this.#tools.compressor.decompress(codec, batch.records(), bytesMax)
    } catch (error) {
      if (error instanceof CorruptCompressedData) throw damaged(batch, error)
      throw error
    }
  }

  /** Reads [from, before) step by step; each slice is given back when the next one is asked for. */
  async *#slices(from: bigint, before: bigint): AsyncGenerator<LogSlice> {
    const { pace, readBytes } = this.#tools
    for (let next = from; next < before;) {
      if (pace.stopped) throw new Stopped()
      const slice = await this.#upkeep.log.read(next, { bytesMax: readBytes, atLeastOne: true, before })
      try {
        // nothing more up to `before`: compaction left a gap
        if (slice.bytes === 0) return
        yield slice
        await pace.spent(slice.bytes)
        next = slice.nextOffset
      } finally {
        slice.release()
      }
    }
  }

  *#batches(slice: LogSlice): Generator<RecordBatchView> {
    for (const chunk of slice.chunks) {
      const view = new RecordBatchView(chunk)
      for (; view.at < chunk.length; view.at += view.sizeBytes) {
        if (view.magic !== 2) throw new UncleanableLog(`a message set of format ${view.magic} at ${view.baseOffset}`)
        yield view
      }
    }
  }
}

function stamped(bytes: Uint8Array, aborted: AbortedTransaction | null): StampedBatch {
  const { baseOffset, lastOffset, maxTimestamp, leaderEpoch } = new RecordBatchView(bytes)
  return { bytes, baseOffset, lastOffset, maxTimestamp, leaderEpoch, ...(aborted === null ? {} : { aborted }) }
}

function damaged(batch: RecordBatchView, cause?: unknown): UncleanableLog {
  return new UncleanableLog(`the batch at offset ${batch.baseOffset} is damaged`, { cause })
}
