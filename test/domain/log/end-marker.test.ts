import { describe, expect, it } from '@jest/globals'
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { buildEndMarker, readEndMarker } from '../../../src/domain/log/end-marker.ts'
import { RecordBatchView, batchBytesAt } from '../../../src/domain/log/record-batch.ts'
import { testChecksum } from '../../support/stored-batches.ts'

const golden = 'test/fixtures/golden/groups-txns/data'
const crc = (bytes: Uint8Array) => testChecksum.crc32c(bytes)

describe('an end marker', () => {
  it('is written byte for byte as a real broker writes it', () => {
    const logs = readdirSync(golden, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.log'))
    const seen = { commits: 0, aborts: 0 }
    for (const name of logs) {
      const view = new RecordBatchView(readFileSync(path.join(golden, name)))
      for (let bytes = batchBytesAt(view); bytes > 0; bytes = batchBytesAt(view)) {
        const marker = readEndMarker(view)
        if (marker !== null) {
          seen[marker.committed ? 'commits' : 'aborts']++
          const { producerId, producerEpoch, maxTimestamp: timestamp } = view
          const built = new RecordBatchView(buildEndMarker({ ...marker, producerId, producerEpoch, timestamp }, crc))
          built.stamp(view.baseOffset, view.leaderEpoch)
          expect(Buffer.compare(built.bytes, view.bytes.subarray(view.at, view.at + bytes))).toBe(0)
        }
        view.at += bytes
      }
    }
    expect(seen.commits).toBeGreaterThan(3)
    expect(seen.aborts).toBeGreaterThan(1)
  })
})
