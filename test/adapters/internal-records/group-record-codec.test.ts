/** Every record of `__consumer_offsets` that a real Kafka wrote is read, and written again to the byte. */
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { GroupRecordCodec } from '../../../src/adapters/internal-records/group-record-codec.ts'
import type { GroupRecord } from '../../../src/domain/groups/group-record.ts'
import { RecordBatchView, batchBytesAt } from '../../../src/domain/log/record-batch.ts'
import { readRecords, type LogRecord } from '../../../src/domain/log/record.ts'
import { ZERO_UUID } from '../../../src/domain/uuid.ts'

const codec = new GroupRecordCodec()

function recordsOf(directory: string): LogRecord[] {
  const log = `../../fixtures/golden/${directory}/00000000000000000000.log`
  const view = new RecordBatchView(readFileSync(new URL(log, import.meta.url)))
  const records: LogRecord[] = []
  for (let bytes = batchBytesAt(view); bytes > 0; bytes = batchBytesAt(view)) {
    if (!view.isControl) records.push(...readRecords(view, view.records()))
    view.at += bytes
  }
  return records
}

const hex = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('hex'))

function written(record: GroupRecord): { readonly key: string | null; readonly value: string | null } {
  const { key, value } = codec.encode(record)
  return { key: hex(key), value: hex(value) }
}

describe('records of a real broker', () => {
  it.each([0, 1, 2])('__consumer_offsets-%i', (partition) => {
    const records = recordsOf(`groups-txns/data/__consumer_offsets-${partition}`)
    expect(records.length).toBeGreaterThan(20)
    for (const { key, value } of records) {
      expect(written(codec.decode(key!, value)!)).toEqual({ key: hex(key), value: hex(value) })
    }
  })

  it('have their fields', () => {
    const records = recordsOf('groups-txns/data/__consumer_offsets-1').map(({ key, value }) =>
      codec.decode(key!, value),
    )
    expect(records.filter((record) => record?.type === 'GroupMetadata').at(-1)).toMatchObject({
      key: { group: 'g-classic' },
      value: { protocolType: 'consumer', generation: 2, protocol: null, leader: null, members: [] },
    })
  })
})

const offset = {
  offset: 7n,
  leaderEpoch: 3,
  metadata: 'm',
  commitTimestamp: 5n,
  expireTimestamp: -1n,
  topicId: ZERO_UUID,
}
const key = { group: 'g', topic: 't', partition: 1 }

describe('versions', () => {
  it('an offset that says when it expires is written in version 1, which has no leader epoch', () => {
    const record: GroupRecord = { type: 'OffsetCommit', key, value: { ...offset, expireTimestamp: 99n } }
    const { key: bytes, value } = codec.encode(record)
    expect(Buffer.from(value!).readInt16BE(0)).toBe(1)
    expect(codec.decode(bytes, value)).toEqual({
      ...record,
      value: { ...offset, leaderEpoch: -1, expireTimestamp: 99n },
    })
  })

  it('offsets of the first version, under the legacy key too, are read as those of today', () => {
    const { key: bytes } = codec.encode({ type: 'OffsetCommit', key, value: null })
    const legacy = Buffer.from(bytes)
    legacy.writeInt16BE(0)
    const value = Buffer.from('0000000000000000000700016d0000000000000005', 'hex')
    const expected = { type: 'OffsetCommit', key, value: { ...offset, leaderEpoch: -1 } }
    expect(codec.decode(bytes, value)).toEqual(expected)
    expect(codec.decode(legacy, value)).toEqual(expected)
  })

  it('what a newer broker wrote is left alone', () => {
    const { key: bytes, value } = codec.encode({ type: 'OffsetCommit', key, value: offset })
    const newer = Buffer.from(value!)
    newer.writeInt16BE(5)
    expect(codec.decode(bytes, newer)).toBeNull()
    expect(codec.decode(Buffer.from('007f0001', 'hex'), null)).toBeNull()
  })

  it('values of streams groups are kept as they are', () => {
    const record: GroupRecord = {
      type: 'StreamsGroupMetadata',
      key: { groupId: 's' },
      value: { version: 9, bytes: Uint8Array.of(1, 2) },
    }
    const { key: bytes, value } = codec.encode(record)
    expect(hex(value)).toBe('00090102')
    expect(codec.decode(bytes, value)).toEqual(record)
  })
})
