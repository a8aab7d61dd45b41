/** Record batches as the append path hands them to a storage: stamped, with a CRC that holds, records opaque. */
import { crc32c } from '@node-rs/crc32'
import type { Checksum } from '../../src/application/ports/checksum.ts'
import type { Lease } from '../../src/application/ports/lease.ts'
import type {
  BatchMaxTimestampLookup,
  BatchTimestampLookup,
  LogOptions,
  LogSlice,
  PartitionLog,
  StampedBatch,
} from '../../src/application/ports/log-store.ts'
import {
  BATCH_HEADER_BYTES,
  CONTROL_BIT,
  RecordBatchView,
  TRANSACTIONAL_BIT,
  writeBatchHeader,
} from '../../src/domain/log/record-batch.ts'

export const testChecksum: Checksum = { crc32c: (bytes, previous) => crc32c(bytes, previous) }

export const testLogOptions: LogOptions = {
  topicId: 'dG9waWMtaWQtZm9yLXRlc3',
  segmentBytes: 1 << 30,
  segmentMs: 7n * 24n * 3_600_000n,
  segmentJitterMs: 0n,
  segmentIndexBytes: 10 * 1024 * 1024,
  indexIntervalBytes: 4096,
  flushMessages: 0x7fff_ffff_ffff_ffffn,
  flushMs: 0x7fff_ffff_ffff_ffffn,
  fileDeleteDelayMs: 60_000n,
  preallocate: false,
}

export interface BatchSpec {
  readonly baseOffset: bigint
  readonly count?: number
  /** Of the first record; the others follow by one millisecond each. */
  readonly timestamp?: bigint
  readonly leaderEpoch?: number
  readonly bodyBytes?: number
  readonly lease?: Lease
  /** Its header says that it ends a transaction. */
  readonly marker?: boolean
}

/** A batch of `count` records whose record bytes are filler that differs from offset to offset. */
export function storedBatch(spec: BatchSpec): StampedBatch {
  const { baseOffset, count = 1, timestamp = 1000n + baseOffset, leaderEpoch = 0, bodyBytes = 20 } = spec
  const bytes = new Uint8Array(BATCH_HEADER_BYTES + bodyBytes)
  const maxTimestamp = timestamp + BigInt(count - 1)
  writeBatchHeader(bytes, {
    baseOffset,
    sizeBytes: bytes.byteLength,
    leaderEpoch,
    attributes: spec.marker === true ? CONTROL_BIT | TRANSACTIONAL_BIT : 0,
    lastOffsetDelta: count - 1,
    baseTimestamp: timestamp,
    maxTimestamp,
    producerId: -1n,
    producerEpoch: -1,
    baseSequence: -1,
    count,
  })
  for (let i = BATCH_HEADER_BYTES; i < bytes.byteLength; i++) bytes[i] = (Number(baseOffset) * 7 + i) & 0xff
  const view = new RecordBatchView(bytes)
  view.setCrc(crc32c(view.checksummed()))
  const lastOffset = baseOffset + BigInt(count - 1)
  return { bytes, baseOffset, lastOffset, maxTimestamp, leaderEpoch, ...(spec.lease && { lease: spec.lease }) }
}

/** Announces and appends as the owner of a log does, each batch with a snapshot where a segment begins. */
export async function appendAll(
  log: PartitionLog,
  batches: readonly StampedBatch[],
  nowMs = 1_000_000n,
): Promise<'appended' | 'conflict'> {
  const marked = batches.map((batch) => {
    const announced = {
      sizeBytes: batch.bytes.byteLength,
      lastOffset: batch.lastOffset,
      maxTimestamp: batch.maxTimestamp,
    }
    if (log.announce(announced, nowMs) === 'same segment') return batch
    return { ...batch, newSegment: { snapshot: producerSnapshot() } }
  })
  return await log.append(batches[0]!.baseOffset, marked)
}

/** An empty state of producers as Kafka writes it: version 1, CRC, no entries. */
export function producerSnapshot(): Uint8Array {
  const bytes = new Uint8Array(10)
  const view = new DataView(bytes.buffer)
  view.setInt16(0, 1)
  view.setUint32(2, crc32c(bytes.subarray(6)))
  return bytes
}

/** The bytes of a slice in one piece; gives the slice back. */
export function takeBytes(slice: LogSlice): Uint8Array {
  const bytes = new Uint8Array(Buffer.concat(slice.chunks))
  slice.release()
  return bytes
}

/** The base offsets of the batches in `bytes`, which must be whole batches. */
export function baseOffsets(bytes: Uint8Array): bigint[] {
  const view = new RecordBatchView(bytes)
  const offsets: bigint[] = []
  for (; view.at < bytes.byteLength; view.at += view.sizeBytes) offsets.push(view.baseOffset)
  if (view.at !== bytes.byteLength) throw new Error('not whole batches')
  return offsets
}

/** For batches of `storedBatch`: record i has the base timestamp plus i. */
export const lookupTimestamp: BatchTimestampLookup = (batch, timestamp, from) => {
  const view = new RecordBatchView(batch)
  for (let offset = view.baseOffset; offset <= view.lastOffset; offset++) {
    const at = view.baseTimestamp + offset - view.baseOffset
    if (at >= timestamp && offset >= from) return { timestamp: at, offset, leaderEpoch: view.leaderEpoch }
  }
  return null
}

export const lookupMaxTimestamp: BatchMaxTimestampLookup = (batch) => {
  const { maxTimestamp, lastOffset, leaderEpoch } = new RecordBatchView(batch)
  return { timestamp: maxTimestamp, offset: lastOffset, leaderEpoch }
}

/** A lease that counts: `held` is 1 while only its maker holds it. */
export function countedLease(): Lease & { readonly held: number } {
  let held = 1
  return {
    retain: () => {
      held++
    },
    release: () => {
      if (--held < 0) throw new Error('released too often')
    },
    get held() {
      return held
    },
  }
}
