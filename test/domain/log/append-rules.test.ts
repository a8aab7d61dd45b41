import { describe, expect, it } from '@jest/globals'
import { BrokerConfig } from '../../../src/domain/config/broker-config.ts'
import { topicConfigOf } from '../../../src/domain/config/topic-config.ts'
import {
  judgeRecords,
  refuseFrame,
  refuseHeader,
  refuseSize,
  takeSoleBatch,
  targetCodec,
  type AppendRules,
} from '../../../src/domain/log/append-rules.ts'
import { buildBatch, type NewBatch, type NewRecord } from '../../../src/domain/log/batch-writer.ts'
import { RecordBatchView } from '../../../src/domain/log/record-batch.ts'
import { testChecksum } from '../../support/stored-batches.ts'

const crc = (bytes: Uint8Array) => testChecksum.crc32c(bytes)
const defaults: AppendRules = topicConfigOf(new Map(), BrokerConfig.of(new Map([['node.id', '1']])))
const NOW = 1_700_000_000_000n
const keyed = (timestamp: bigint, key: Uint8Array | null = Uint8Array.of(1)): NewRecord => ({
  timestamp,
  key,
  value: Uint8Array.of(2),
})
const batchOf = (records: readonly NewRecord[], batch: NewBatch = {}) =>
  new RecordBatchView(buildBatch(records, batch, crc))
const good = batchOf([keyed(NOW), keyed(NOW + 1n)])

/** A good batch with some header bytes changed. */
function patched(change: (view: DataView) => void): RecordBatchView {
  const bytes = Uint8Array.from(good.bytes)
  change(new DataView(bytes.buffer))
  return new RecordBatchView(bytes)
}

function judge(view: RecordBatchView, rules: Partial<AppendRules> = {}) {
  return judgeRecords(view, view.records(), { ...defaults, ...rules }, 'topic-0', NOW)
}

describe('the sole batch of a partition', () => {
  const bytes = good.bytes
  const zstd = batchOf([keyed(NOW)], { codec: 'zstd' }).bytes
  it.each([
    ['null', null, 'INVALID_RECORD'],
    ['nothing', new Uint8Array(0), 'INVALID_RECORD'],
    ['a cut batch', bytes.subarray(0, -1), 'INVALID_RECORD'],
    ['two batches', Buffer.concat([bytes, bytes]), 'INVALID_RECORD'],
    ['a batch and a corrupt one', Buffer.concat([bytes, new Uint8Array(20)]), 'CORRUPT_MESSAGE'],
    ['a batch shorter than its header', patched((v) => v.setInt32(8, 40)).bytes.subarray(0, 52), 'CORRUPT_MESSAGE'],
    ['zstd in an old version', zstd, 'UNSUPPORTED_COMPRESSION_TYPE'],
  ])('is not %s', (_, records, error) => {
    expect(takeSoleBatch(records, false)).toMatchObject({ error, tellsLogStart: false })
  })

  it('is refused in words only when it is itself corrupt', () => {
    const corrupt = patched((v) => v.setInt8(16, 3)).bytes
    expect(takeSoleBatch(corrupt, true)).toMatchObject({ message: 'Invalid magic found in record: 3' })
    expect(takeSoleBatch(Buffer.concat([bytes, corrupt]), true)).toMatchObject({ message: null })
  })

  it('is taken without what trails it', () => {
    const taken = takeSoleBatch(Buffer.concat([bytes, new Uint8Array(11)]), true) as RecordBatchView
    expect(taken.bytes).toHaveLength(bytes.length)
    expect(takeSoleBatch(zstd, true)).toBeInstanceOf(RecordBatchView)
  })
})

describe('the header', () => {
  it.each([
    ['a count that disagrees with the offsets', patched((v) => v.setInt32(57, 3)), 'INVALID_RECORD', true],
    ['a count of zero', patched((v) => v.setInt32(57, 0)), 'INVALID_RECORD', true],
    ['offsets that run backwards', patched((v) => v.setInt32(23, -1)), 'INVALID_RECORD', true],
    ['the control bit', patched((v) => v.setInt16(21, 0x20)), 'INVALID_RECORD', true],
    ['a producer without sequence', patched((v) => v.setBigInt64(43, 1n)), 'INVALID_RECORD', true],
    ['a codec that does not exist', patched((v) => v.setInt16(21, 7)), 'UNSUPPORTED_COMPRESSION_TYPE', true],
  ])('with %s is refused from clients', (_, view, error, tellsLogStart) => {
    expect(refuseHeader(view, defaults, 'client')).toMatchObject({ error, tellsLogStart })
  })

  it('must begin at offset 0 and be no larger than the topic allows', () => {
    expect(refuseFrame(good, defaults, 'client')).toBeNull()
    expect(refuseHeader(good, defaults, 'client')).toBeNull()
    const moved = patched((v) => v.setBigInt64(0, 5n))
    expect(refuseFrame(moved, defaults, 'client')).toMatchObject({ error: 'INVALID_RECORD', tellsLogStart: true })
    expect(refuseFrame(moved, defaults, 'coordinator')).toBeNull()
    const small = { ...defaults, maxMessageBytes: good.bytes.length - 1 }
    expect(refuseFrame(good, small, 'client')).toMatchObject({ error: 'MESSAGE_TOO_LARGE', tellsLogStart: false })
    const short = { ...defaults, segmentBytes: good.bytes.length - 1 }
    expect(refuseSize(good, short)).toMatchObject({ error: 'RECORD_LIST_TOO_LARGE', tellsLogStart: false })
    expect(refuseSize(good, { ...defaults, segmentBytes: good.bytes.length })).toBeNull()
  })
})

describe('the records', () => {
  it('tell the largest timestamp', () => {
    expect(judge(good)).toEqual({ maxTimestamp: NOW + 1n, sequential: true })
    expect(judge(batchOf([keyed(0n)]))).toEqual({ maxTimestamp: 0n, sequential: true })
    expect(judge(batchOf([keyed(-5n)]))).toEqual({ maxTimestamp: -1n, sequential: true })
  })

  it('must have keys on a compacted topic', () => {
    const rules = { cleanupPolicy: { compact: true, delete: false } }
    const message = 'Compacted topic cannot accept message without key in topic partition topic-0'
    const view = batchOf([keyed(NOW, null), keyed(NOW), keyed(NOW, null), keyed(NOW, null), keyed(NOW, null)])
    const shown = [0, 2, 3].map((i) => `RecordError(batchIndex=${i}, message='${message}')`).join(', ')
    expect(judge(view, rules)).toEqual({
      error: 'INVALID_RECORD',
      message:
        'One or more records have been rejected due to 4 record errors in total, ' +
        `and only showing the first three errors at most: [${shown}]`,
      recordProblems: [0, 2, 3, 4].map((batchIndex) => ({ batchIndex, message })),
      tellsLogStart: true,
    })
    expect(judge(good, rules)).toMatchObject({ maxTimestamp: NOW + 1n })
  })

  it('must be of the time that the topic allows', () => {
    const hour = 3_600_000n
    expect(judge(batchOf([keyed(NOW + hour)]))).toMatchObject({ maxTimestamp: NOW + hour })
    expect(judge(batchOf([keyed(NOW), keyed(NOW + hour + 1n)]))).toEqual({
      error: 'INVALID_TIMESTAMP',
      message: 'One or more records have been rejected due to invalid timestamp',
      recordProblems: [
        {
          batchIndex: 1,
          message:
            `Timestamp ${NOW + hour + 1n} of message with offset 1 is out of range. ` +
            `The timestamp should be within [${NOW - 0x7fff_ffff_ffff_ffffn}, ${NOW + hour}]`,
        },
      ],
      tellsLogStart: true,
    })
    const rules = { messageTimestampBeforeMaxMs: 10n }
    expect(judge(batchOf([keyed(NOW - 10n), keyed(-1n)]), rules)).toMatchObject({ maxTimestamp: NOW - 10n })
    expect(judge(batchOf([keyed(NOW - 11n)]), rules)).toMatchObject({ error: 'INVALID_TIMESTAMP' })
    const appended = { ...rules, messageTimestampType: 'LogAppendTime' } as const
    expect(judge(batchOf([keyed(5n)]), appended)).toMatchObject({ sequential: true })
  })

  it('of a producer that claims append time are refused where the broker sets it', () => {
    const view = batchOf([keyed(NOW)], { logAppendTime: true })
    expect(judge(view, { messageTimestampType: 'LogAppendTime' })).toMatchObject({
      error: 'INVALID_TIMESTAMP',
      recordProblems: [
        {
          message:
            `Invalid timestamp type in message DefaultRecord(offset=0, timestamp=${NOW}, key=1 bytes, value=1 bytes). ` +
            'Producer should not set timestamp type to LogAppendTime.',
        },
      ],
    })
    expect(judge(view)).toMatchObject({ maxTimestamp: NOW })
  })

  it('that are malformed are refused without a word, as Kafka does', () => {
    const view = patched((v) => v.setInt8(61, 1))
    expect(judge(view)).toEqual({ error: 'INVALID_RECORD', message: null, recordProblems: [], tellsLogStart: true })
  })
})

describe('the codec that a topic stores', () => {
  it.each([
    ['producer', 'lz4', 'lz4'],
    ['producer', 'none', 'none'],
    ['uncompressed', 'lz4', 'none'],
    ['gzip', 'none', 'gzip'],
    ['zstd', 'gzip', 'zstd'],
  ] as const)('%s, sent %s: %s', (compressionType, source, target) => {
    expect(targetCodec({ ...defaults, compressionType }, source)).toBe(target)
  })
})
