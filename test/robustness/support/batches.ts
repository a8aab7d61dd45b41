/** Record batches as a producer sends them. */
import { crc32c } from '@node-rs/crc32'
import { BATCH_HEADER_BYTES, RecordBatchView, writeBatchHeader } from '../../../src/domain/log/record-batch.ts'

export interface SentBatch {
  /** One record each; small texts. */
  readonly values: readonly string[]
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly timestamp?: bigint
}

export function producedBatch(sent: SentBatch): Uint8Array {
  const records = sent.values.map((value, index) => record(index, Buffer.from(value)))
  return batchWith(Buffer.concat(records), { ...sent, count: sent.values.length })
}

/** A batch around whatever stands for its records, compressed or not, with a CRC that holds. */
export function batchWith(
  section: Uint8Array,
  batch: Omit<SentBatch, 'values'> & { readonly count: number; readonly attributes?: number },
): Uint8Array {
  const { timestamp = 1_700_000_000_000n, count } = batch
  const bytes = new Uint8Array(BATCH_HEADER_BYTES + section.length)
  writeBatchHeader(bytes, {
    baseOffset: 0n,
    sizeBytes: bytes.length,
    leaderEpoch: -1,
    attributes: batch.attributes ?? 0,
    lastOffsetDelta: count - 1,
    baseTimestamp: timestamp,
    maxTimestamp: timestamp,
    producerId: batch.producerId ?? -1n,
    producerEpoch: batch.producerEpoch ?? -1,
    baseSequence: batch.baseSequence ?? -1,
    count,
  })
  bytes.set(section, BATCH_HEADER_BYTES)
  const view = new RecordBatchView(bytes)
  view.setCrc(crc32c(Buffer.from(view.checksummed())))
  return bytes
}

function record(delta: number, value: Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(0),
    varint(delta),
    varint(-1),
    varint(value.length),
    value,
    varint(0),
  ])
  return Buffer.concat([varint(body.length), body])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}

/** The values of all records in stored, uncompressed batches, with the offset of each. */
export function storedValues(bytes: Uint8Array): { readonly offset: bigint; readonly value: string }[] {
  const values: { offset: bigint; value: string }[] = []
  const view = new RecordBatchView(bytes)
  for (; view.at < bytes.length; view.at += view.sizeBytes) {
    if (crc32c(Buffer.from(view.checksummed())) !== view.crc) throw new Error(`bad CRC at offset ${view.baseOffset}`)
    const section = Buffer.from(view.records())
    let at = 0
    const next = (): number => {
      let value = 0
      for (let shift = 0; ; shift += 7) {
        const byte = section[at++]!
        value += (byte & 0x7f) * 2 ** shift
        if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      }
    }
    for (let left = view.count; left > 0; left--) {
      const end = next() + at
      at += 1
      next()
      const delta = next()
      next()
      const size = next()
      values.push({ offset: view.baseOffset + BigInt(delta), value: section.toString('utf8', at, at + size) })
      at = end
    }
  }
  return values
}
