import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { buildBatch, renumberRecords, replaceSection, type NewRecord } from '../../../src/domain/log/batch-writer.ts'
import { RecordBatchView } from '../../../src/domain/log/record-batch.ts'
import {
  findByTimestamp,
  findMaxTimestamp,
  readRecords,
  scanAnyRecords,
  scanRecords,
} from '../../../src/domain/log/record.ts'
import { scanUsualRecords } from '../../../src/domain/log/usual-records.ts'
import { testChecksum } from '../../support/stored-batches.ts'

const crc = (bytes: Uint8Array) => testChecksum.crc32c(bytes)
const bytes = fc.uint8Array({ maxLength: 40 })
const nullable = fc.option(bytes)
const header = fc.record({ key: fc.string().map((key) => new TextEncoder().encode(key)), value: nullable })
const record: fc.Arbitrary<NewRecord> = fc.record({
  timestamp: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  key: nullable,
  value: nullable,
  headers: fc.array(header, { maxLength: 3 }),
})
const usual: fc.Arbitrary<NewRecord> = fc.record({
  timestamp: fc.bigInt({ min: 1_700_000_000_000n, max: 1_800_000_000_000n }),
  key: nullable,
  value: nullable,
})

describe('records', () => {
  it('read back as they were written, and pass the scan', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(record, usual), { minLength: 1, maxLength: 20 }), (records) => {
        const batch = new RecordBatchView(buildBatch(records, { baseOffset: 100n }, crc))
        const scan = scanRecords(batch.records(), records.length)
        expect(scan).toMatchObject({ problem: null, sequential: true })
        expect(scan.withoutKey).toBe(records.filter(({ key }) => key === null).length)
        const times = records.map(({ timestamp }) => timestamp!)
        const [least, most] = times.reduce(([a, b], t) => [t < a ? t : a, t > b ? t : b], [times[0]!, times[0]!])
        expect(batch.baseTimestamp + scan.minTimestampDelta).toBe(least)
        expect(batch.baseTimestamp + scan.maxTimestampDelta).toBe(most)
        const read = [...readRecords(batch, batch.records())]
        expect(read).toEqual(
          records.map(({ timestamp, key, value, headers = [] }, i) => ({
            offset: 100n + BigInt(i),
            timestamp,
            key,
            value,
            headers: headers.map((h) => ({ key: new TextDecoder().decode(h.key), value: h.value })),
          })),
        )
      }),
    )
  })

  it('that are random bytes neither crash the scan nor read past their end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (section, count) => {
        const scan = scanRecords(section, count)
        if (scan.problem !== null) return
        const view = new RecordBatchView(buildBatch([], {}, crc))
        expect([...readRecords(view, section)].length).toBeLessThanOrEqual(count)
      }),
      { numRuns: 2000 },
    )
  })

  const plain = buildBatch([{ key: Uint8Array.of(1), value: Uint8Array.of(2) }], {}, crc).subarray(61)
  const changed = (at: number, byte: number) => plain.map((b, i) => (i === at ? byte : b))
  // length, attributes, timestamp delta, offset delta, key length, key, value length, value, header count
  it.each([
    ['one record missing', plain, 2],
    ['one record too many', plain, 0],
    ['a length that ends early', changed(0, 14), 1],
    ['a length past the end', changed(0, 18), 1],
    ['a negative length', changed(0, 1), 1],
    ['a key past the end', changed(4, 100), 1],
    ['a value past the end', changed(6, 100), 1],
    ['a negative header count', changed(8, 1), 1],
    ['more headers than bytes', changed(8, 100), 1],
    ['a number without end', Uint8Array.from({ length: 12 }, () => 0xff), 1],
    ['nothing at all', new Uint8Array(0), 1],
  ])('with %s are malformed', (_, section, count) => {
    expect(scanRecords(section, count).problem).not.toBeNull()
  })

  const short = fc.record({
    timestamp: fc.bigInt({ min: 1_700_000_000_000n, max: 1_700_000_900_000n }),
    key: nullable,
    value: fc.option(fc.uint8Array({ maxLength: 200 })),
  })

  it('of the usual kind pass in the quick look, with what the thorough one finds', () => {
    fc.assert(
      fc.property(fc.array(short, { minLength: 1, maxLength: 150 }), (records) => {
        const section = new RecordBatchView(buildBatch(records, {}, crc)).records()
        const { sequential, withoutKey, min, max } = scanUsualRecords(section, records.length)!
        const found = { sequential, withoutKey, minTimestampDelta: BigInt(min), maxTimestampDelta: BigInt(max) }
        expect({ problem: null, ...found }).toEqual(scanAnyRecords(section, records.length))
      }),
    )
  })

  it('damaged anywhere never pass in the quick look with anything else than the thorough one finds', () => {
    const damage = fc.record({ at: fc.nat(), byte: fc.nat(255) })
    fc.assert(
      fc.property(
        fc.array(fc.oneof(short, record), { minLength: 1, maxLength: 4 }),
        fc.array(damage, { maxLength: 3 }),
        fc.integer({ min: -2, max: 2 }),
        fc.nat(3),
        (records, damages, off, cut) => {
          const section = new RecordBatchView(buildBatch(records, {}, crc)).records().slice()
          for (const { at, byte } of damages) section[at % section.length] = byte
          const left = section.subarray(0, Math.max(0, section.length - cut))
          const quick = scanUsualRecords(left, records.length + off)
          if (quick === null) return
          const { sequential, withoutKey, min, max } = quick
          const found = { sequential, withoutKey, minTimestampDelta: BigInt(min), maxTimestampDelta: BigInt(max) }
          expect({ problem: null, ...found }).toEqual(scanAnyRecords(left, records.length + off))
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('are numbered anew without changing anything else', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 2, maxLength: 300 }), (drawn) => {
        // At one time, so that the timestamp deltas are those of one batch; each alone has offset delta 0.
        const records = drawn.map((r) => ({ ...r, timestamp: 5n }))
        const alone = records.map((r) => new RecordBatchView(buildBatch([r], {}, crc)).records())
        const joined = Buffer.concat(alone)
        expect(scanRecords(joined, records.length)).toMatchObject({ problem: null, sequential: false })
        const together = new RecordBatchView(buildBatch(records, {}, crc)).records()
        expect(Buffer.compare(renumberRecords(joined, records.length), together)).toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  it('are found by time', () => {
    const times = [50n, 10n, 70n, 70n, 60n]
    const records = times.map((timestamp) => ({ timestamp, key: null, value: null }))
    const batch = new RecordBatchView(buildBatch(records, { baseOffset: 7n }, crc))
    const find = (timestamp: bigint, from = 0n) => findByTimestamp(batch, batch.records(), timestamp, from)?.offset
    expect([find(0n), find(51n), find(70n, 10n), find(60n, 11n), find(71n)]).toEqual([7n, 9n, 10n, 11n, undefined])
    expect(findMaxTimestamp(batch, batch.records())).toMatchObject({ offset: 9n, timestamp: 70n })
    const appended = new RecordBatchView(replaceSection(batch, batch.records(), 'none'))
    appended.stampTime(true, 99n)
    expect(findMaxTimestamp(appended, appended.records())).toMatchObject({ offset: 7n, timestamp: 99n })
  })
})
