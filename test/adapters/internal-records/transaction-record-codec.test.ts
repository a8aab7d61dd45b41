/** Every record of `__transaction_state` that a real Kafka wrote is read, and written again to the byte. */
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { TransactionRecordCodec } from '../../../src/adapters/internal-records/transaction-record-codec.ts'
import { RecordBatchView, batchBytesAt } from '../../../src/domain/log/record-batch.ts'
import { readRecords, type LogRecord } from '../../../src/domain/log/record.ts'
import { fromValue, recordOf } from '../../../src/domain/transactions/transaction.ts'

const codec = new TransactionRecordCodec(() => 2)

function recordsOf(partition: number): LogRecord[] {
  const log = `../../fixtures/golden/groups-txns/data/__transaction_state-${partition}/00000000000000000000.log`
  const view = new RecordBatchView(readFileSync(new URL(log, import.meta.url)))
  const records: LogRecord[] = []
  for (let bytes = batchBytesAt(view); bytes > 0; bytes = batchBytesAt(view)) {
    records.push(...readRecords(view, view.records()))
    view.at += bytes
  }
  return records
}

const hex = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('hex'))

describe('records of a real broker', () => {
  it.each([0, 1, 2])('__transaction_state-%i', (partition) => {
    const records = recordsOf(partition)
    expect(records.length).toBeGreaterThan(5)
    for (const { key, value } of records) {
      const record = codec.decode(key!, value)!
      const { transactionalId } = record
      expect(record.value).not.toBeNull()
      const again = codec.encode(recordOf(fromValue(transactionalId, record.value!, null)!))
      expect({ key: hex(again.key), value: hex(again.value) }).toEqual({ key: hex(key), value: hex(value) })
    }
  })
})

const value = {
  producerId: 7n,
  previousProducerId: 6n,
  nextProducerId: 8n,
  producerEpoch: 3,
  transactionTimeoutMs: 60_000,
  transactionStatus: 2,
  transactionPartitions: [{ topic: 't', partitionIds: [1, 0] }],
  transactionLastUpdateTimestampMs: 5n,
  transactionStartTimestampMs: 4n,
  clientTransactionVersion: 2,
}

describe('versions', () => {
  it('keeps everything from transaction.version 1 on', () => {
    const { key, value: bytes } = new TransactionRecordCodec(() => 1).encode({ transactionalId: 'id', value })
    expect(bytes!.subarray(0, 2)).toEqual(Uint8Array.of(0, 1))
    expect(codec.decode(key, bytes)).toEqual({ transactionalId: 'id', value })
  })

  it('writes what older brokers read below that, without what they do not know', () => {
    const { key, value: bytes } = new TransactionRecordCodec(() => 0).encode({ transactionalId: 'id', value })
    expect(bytes!.subarray(0, 2)).toEqual(Uint8Array.of(0, 0))
    const older = { ...value, previousProducerId: -1n, nextProducerId: -1n, clientTransactionVersion: 0 }
    expect(codec.decode(key, bytes)).toEqual({ transactionalId: 'id', value: older })
  })

  it('reads tombstones, and leaves alone what a newer broker wrote', () => {
    const { key, value: tombstone } = codec.encode({ transactionalId: 'id', value: null })
    expect(codec.decode(key, tombstone)).toEqual({ transactionalId: 'id', value: null })
    expect(codec.decode(Uint8Array.of(0, 1), null)).toBeNull()
    expect(codec.decode(key, Uint8Array.of(0, 2))).toBeNull()
  })
})
