import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { buildBatch } from '../../../src/domain/log/batch-writer.ts'
import {
  CORRUPT_BATCH,
  NO_BATCH,
  RecordBatchView,
  batchBytesAt,
  corruptionMessage,
} from '../../../src/domain/log/record-batch.ts'
import { testChecksum } from '../../support/stored-batches.ts'

const crc = (bytes: Uint8Array) => testChecksum.crc32c(bytes)
const one = [{ key: null, value: Uint8Array.of(1, 2, 3), timestamp: 1234n }]

describe('batch header', () => {
  it('of every batch that a real broker stored is read, and its CRC holds', () => {
    for (const folder of ['codec-none-0', 'lat-0', 'producers-0', 'segs-by-time-0']) {
      const view = new RecordBatchView(
        readFileSync(`test/fixtures/golden/basic-clean/data/${folder}/00000000000000000000.log`),
      )
      let next = 0n
      for (let bytes = batchBytesAt(view); bytes > 0; bytes = batchBytesAt(view)) {
        expect([view.baseOffset, view.magic, view.crc]).toEqual([next, 2, crc(view.checksummed())])
        next = view.lastOffset + 1n
        view.at += bytes
      }
      expect(next).toBeGreaterThan(0n)
    }
  })

  it('is stamped with its place without touching the CRC', () => {
    const view = new RecordBatchView(buildBatch(one, { producerId: 5n, producerEpoch: 1, baseSequence: 9 }, crc))
    view.stamp(1n << 40n, 77)
    expect([view.baseOffset, view.lastOffset, view.leaderEpoch]).toEqual([1n << 40n, 1n << 40n, 77])
    expect([view.producerId, view.producerEpoch, view.baseSequence]).toEqual([5n, 1, 9])
    expect(view.crc).toBe(crc(view.checksummed()))
  })

  it('is stamped with the append time, which clears what no bit means', () => {
    const view = new RecordBatchView(buildBatch(one, { transactional: true, codec: 'lz4' }, crc))
    new DataView(view.bytes.buffer).setInt16(21, view.attributes | 0x4000)
    view.stampTime(true, 99n)
    expect([view.isLogAppendTime, view.maxTimestamp, view.baseTimestamp]).toEqual([true, 99n, 1234n])
    expect([view.isTransactional, view.codec, view.attributes & 0x4000]).toEqual([true, 'lz4', 0])
    view.stampTime(false, 98n)
    expect([view.isLogAppendTime, view.maxTimestamp]).toEqual([false, 98n])
  })
})

describe('the next batch in a row of them', () => {
  const batch = buildBatch(one, {}, crc)
  const sized = (size: number, magic: number) => {
    const bytes = Uint8Array.from(batch)
    new DataView(bytes.buffer).setInt32(8, size)
    bytes[16] = magic
    return bytes
  }

  it.each([
    ['whole', batch, batch.length],
    ['whole, with something behind it', Uint8Array.from([...batch, 0, 0, 0]), batch.length],
    ['cut off', batch.subarray(0, -1), NO_BATCH],
    ['cut off in its size', batch.subarray(0, 11), NO_BATCH],
    ['cut off before its magic', batch.subarray(0, 16), NO_BATCH],
    ['longer than what is there', sized(batch.length, 2), NO_BATCH],
    ['shorter than any can be', sized(13, 2), CORRUPT_BATCH],
    ['of negative size', sized(-1, 2), CORRUPT_BATCH],
    ['of a magic to come', sized(20, 3), CORRUPT_BATCH],
    ['a message of old', sized(20, 1), 32],
  ])('%s', (_, bytes, expected) => {
    expect(batchBytesAt(new RecordBatchView(bytes))).toBe(expected)
  })

  it('is called corrupt in the words of Kafka', () => {
    expect(corruptionMessage(new RecordBatchView(sized(20, 3)))).toBe('Invalid magic found in record: 3')
    expect(corruptionMessage(new RecordBatchView(sized(0, 2)))).toBe(
      'Record size 0 is less than the minimum record overhead (14)',
    )
  })
})
