/**
 * What is wrong inside of one whole batch: CRC, codec, counts, the structure of every record, offsets. Memory is bounded
 * by what a batch may grow to when it is decompressed.
 */
import { crc32 } from 'node:zlib'
import { CorruptCompressedData, type Compressor } from '../../application/ports/compressor.ts'
import type { Checksum } from '../../application/ports/checksum.ts'
import { BYTES_UP_TO_MAGIC, type RecordBatchView } from '../../domain/log/record-batch.ts'
import { RecordCursor, scanRecords } from '../../domain/log/record.ts'

export interface BatchTools {
  readonly checksum: Checksum
  readonly compressor: Compressor
}

/** Records of one batch may decompress to this much. */
const PLAIN_BYTES_MAX = 512 * 1024 * 1024
const LEGACY_CRC_AT = 12

/** null = sound. */
export function problemOfBatch(view: RecordBatchView, tools: BatchTools): string | null {
  return problemOfCrc(view, tools) ?? (view.magic < 2 ? null : problemOfRecords(view, tools))
}

/** null = the checksum holds. */
export function problemOfCrc(view: RecordBatchView, { checksum }: BatchTools): string | null {
  if (view.magic < 2) return problemOfLegacyCrc(view)
  const actual = checksum.crc32c(view.checksummed())
  return actual === view.crc ? null : `its CRC should be ${view.crc} and is ${actual}`
}

function problemOfLegacyCrc(view: RecordBatchView): string | null {
  const covered = view.bytes.subarray(view.at + BYTES_UP_TO_MAGIC - 1, view.at + view.sizeBytes)
  const said = new DataView(view.bytes.buffer, view.bytes.byteOffset).getUint32(view.at + LEGACY_CRC_AT)
  const actual = crc32(covered)
  return actual === said ? null : `its CRC should be ${said} and is ${actual}`
}

function problemOfRecords(view: RecordBatchView, tools: BatchTools): string | null {
  const { count, lastOffsetDelta } = view
  if (count < 0 || count > lastOffsetDelta + 1) {
    return `it counts ${count} records in ${lastOffsetDelta + 1} offsets`
  }
  const section = plainRecords(view, tools.compressor)
  if (typeof section === 'string') return section
  const scan = scanRecords(section, count)
  if (scan.problem !== null) return scan.problem
  return scan.sequential ? null : problemOfOffsets(section, count, lastOffsetDelta)
}

/** The records section as it was before compression, or what is wrong with it. */
export function plainRecords(view: RecordBatchView, compressor: Compressor): Uint8Array | string {
  const { codec } = view
  if (codec === null) return `its attributes ${view.attributes} name no known codec`
  // what is left of a batch of which compaction removed every record is nothing, not even a frame of the codec
  if (codec === 'none' || view.count === 0) return view.records()
  try {
    return compressor.decompress(codec, view.records(), PLAIN_BYTES_MAX)
  } catch (error) {
    if (!(error instanceof CorruptCompressedData)) throw error
    return `its records cannot be decompressed: ${error.message}`
  }
}

/** The deltas of a batch that lost records to compaction still ascend and stay inside of the batch. */
function problemOfOffsets(section: Uint8Array, count: number, lastOffsetDelta: number): string | null {
  const cursor = new RecordCursor(section)
  let last = -1
  for (let i = 0; i < count; i++) {
    const end = cursor.varint() + cursor.at
    cursor.at++
    cursor.bigVarlong()
    const delta = cursor.varint()
    if (delta <= last || delta > lastOffsetDelta) {
      return `a record has the offset delta ${delta} behind ${last}, in a batch that ends at ${lastOffsetDelta}`
    }
    last = delta
    cursor.at = end
  }
  return null
}
