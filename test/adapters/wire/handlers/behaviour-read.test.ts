import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { encode } from '../../../../src/adapters/codec/codec.ts'
import type { WritableOf } from '../../../../src/adapters/codec/schema.ts'
import { Reader } from '../../../../src/adapters/codec/reader.ts'
import type { RequestOf } from '../../../../src/adapters/wire/api.ts'
import { produce } from '../../../../src/adapters/wire/apis/00-produce.ts'
import { fetch } from '../../../../src/adapters/wire/apis/01-fetch.ts'
import { deleteRecords } from '../../../../src/adapters/wire/apis/21-delete-records.ts'
import type { Api } from '../../../../src/adapters/wire/api.ts'
import {
  readRequestBody,
  readRequestHeader,
  requestHeader,
  requestHeaderVersion,
} from '../../../../src/adapters/wire/header.ts'
import { errorCode } from '../../../../src/domain/errors.ts'
import { RecordBatchView } from '../../../../src/domain/log/record-batch.ts'
import { decodeAnswer, openReadBroker, type SeededTopic } from '../../../support/read-broker.ts'
import { storedBatch } from '../../../support/stored-batches.ts'

interface Row {
  readonly row: number
  readonly requestHex: string
  readonly responseHex: string | null
}

const rows = new Map(
  readFileSync('test/fixtures/wire/behaviour.jsonl', 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
    .map((row) => [row.row, row]),
)

const requestOf = (row: number) => Buffer.from(rows.get(row)!.requestHex, 'hex')
const responseOf = (row: number) => Buffer.from(rows.get(row)!.responseHex!, 'hex')

interface Fetched {
  errorCode: number
  sessionId: number
  responses: { partitions: { errorCode: number; records: Uint8Array }[] }[]
}

const fetchedIn = (row: number) => decodeAnswer(requestOf(row), responseOf(row)) as Fetched

/** Kafka cuts the last batch at the limit, and clients throw the piece away; only whole batches go out here. */
function wholeBatches(bytes: Uint8Array): Uint8Array[] {
  const view = new RecordBatchView(bytes)
  const batches: Uint8Array[] = []
  while (bytes.length - view.at >= 61 && view.at + view.sizeBytes <= bytes.length) {
    batches.push(bytes.slice(view.at, view.at + view.sizeBytes))
    view.at += view.sizeBytes
  }
  return batches
}

const batchesIn = (row: number) => wholeBatches(fetchedIn(row).responses[0]!.partitions[0]!.records)

/** The transactional batch of row 264, as the log had it: at offset 2 of txt-1. */
function openTransaction(): Uint8Array {
  const reader = new Reader(requestOf(264))
  readRequestHeader(produce, 12, reader)
  const request: RequestOf<typeof produce> = readRequestBody<typeof produce>(produce, 12, reader)
  const bytes = request.topicData[0]!.partitionData[0]!.records!.slice()
  new RecordBatchView(bytes).stamp(2n, 0)
  return bytes
}

/** The logs that the recording found, put together from what it read of them. */
const topics: readonly SeededTopic[] = [
  {
    name: 'beh',
    id: 'PX5bDGBIT3u7aOvQRfBfSA',
    partitions: 2,
    batches: {
      0: [...batchesIn(169).slice(0, 2), ...batchesIn(194)],
      1: [storedBatch({ baseOffset: 0n, count: 3, bodyBytes: 153 }).bytes],
    },
  },
  { name: 'lat', id: 'bGF0AAAAAAAAAAAAAAAAAA', batches: { 0: [storedBatch({ baseOffset: 0n }).bytes] } },
  { name: 'cmp', id: 'Y21wAAAAAAAAAAAAAAAAAA', configs: { 'cleanup.policy': 'compact' } },
  { name: 'txt', id: 'dHh0AAAAAAAAAAAAAAAAAA', partitions: 2, batches: { 1: [...batchesIn(267), openTransaction()] } },
]

function frame<A extends Api>(api: A, version: number, body: WritableOf<A['request']>): Buffer {
  const header = encode(requestHeader, requestHeaderVersion(api, version), {
    apiKey: api.key,
    apiVersion: version,
    correlationId: 1,
    clientId: 'test',
  })
  return Buffer.concat([header, encode(api.request, version, body)])
}

/** What happened between rows 175 and 176. */
const deletedUpTo4 = frame(deleteRecords, 2, {
  topics: [{ name: 'beh', partitions: [{ partitionIndex: 0, offset: 4n }] }],
  timeoutMs: 1000,
})

describe('reading, against what a real broker answered', () => {
  it('answers the rows to the last byte, in their order', async () => {
    const { ask } = await openReadBroker(topics)
    const answersAlike = async (numbers: readonly number[]) => {
      for (const row of numbers) {
        expect([row, (await ask(requestOf(row))).toString('hex')]).toEqual([row, rows.get(row)!.responseHex])
      }
    }
    await answersAlike([170, 171, 172, 174, 175])
    await ask(deletedUpTo4)
    await answersAlike([176, 177, 179, 180, 181, 182, 184, 190, 191, 194, 196])
    await answersAlike([197, 199, 200, 201, 202, 204, 205, 206, 207, 209, 210, 211])
    await answersAlike([212, 214, 215, 216, 217, 265, 266, 267])
  })

  it.each([169, 192])('answers row %i alike but for the piece of a batch at the end', async (row) => {
    const { ask } = await openReadBroker(topics)
    if (row === 192) await ask(deletedUpTo4)
    const expected = fetchedIn(row)
    const [first] = expected.responses[0]!.partitions
    first!.records = Buffer.concat(wholeBatches(first!.records))
    const answer = decodeAnswer(requestOf(row), await ask(requestOf(row))) as Fetched
    const [got] = answer.responses[0]!.partitions
    got!.records = Buffer.from(got!.records)
    expect(answer).toEqual(expected)
  })

  it('answers row 195 with INVALID_REQUEST: Kafka fails on an isolation level that does not exist', async () => {
    const { ask } = await openReadBroker(topics)
    const expected = fetchedIn(195)
    expected.errorCode = errorCode('INVALID_REQUEST')
    expected.responses[0]!.partitions[0]!.errorCode = errorCode('INVALID_REQUEST')
    expect(decodeAnswer(requestOf(195), await ask(requestOf(195)))).toEqual(expected)
  })

  it('keeps the session of rows 185 to 189', async () => {
    const recorded = fetchedIn(186)
    const { ask } = await openReadBroker(topics, () => recorded.sessionId - 1)
    await ask(deletedUpTo4)
    const opening = (sessionId: number, sessionEpoch: number) =>
      frame(fetch, 12, {
        maxWaitMs: 300,
        minBytes: 1,
        sessionId,
        sessionEpoch,
        topics: [{ topic: 'beh', partitions: [{ partition: 0, fetchOffset: 4n, partitionMaxBytes: 100 }] }],
      })
    const first = opening(0, 0)
    expect(decodeAnswer(first, await ask(first))).toMatchObject({ errorCode: 0, sessionId: recorded.sessionId })
    const [expected] = recorded.responses[0]!.partitions
    expected!.records = Buffer.concat(wholeBatches(expected!.records))
    const again = decodeAnswer(requestOf(186), await ask(requestOf(186))) as Fetched
    again.responses[0]!.partitions[0]!.records = Buffer.from(again.responses[0]!.partitions[0]!.records)
    expect(again).toEqual(recorded)
    expect((await ask(requestOf(187))).toString('hex')).toBe(rows.get(187)!.responseHex)
    const closing = opening(recorded.sessionId, -1)
    expect(decodeAnswer(closing, await ask(closing))).toMatchObject({ errorCode: 0, sessionId: 0 })
    expect((await ask(requestOf(189))).toString('hex')).toBe(rows.get(189)!.responseHex)
  })

  it('describes the log directory of row 364', async () => {
    const { ask } = await openReadBroker(topics)
    const answer = decodeAnswer(requestOf(364), await ask(requestOf(364)))
    expect(answer).toMatchObject({ errorCode: 0, results: [{ errorCode: 0, logDir: '', isCordoned: false }] })
    interface Dirs {
      results: { topics: { name: string; partitions: { partitionIndex: number }[] }[] }[]
    }
    const partitionsOf = (dirs: Dirs) =>
      dirs.results[0]!.topics.find(({ name }) => name === 'beh')!.partitions.toSorted(
        (a, b) => a.partitionIndex - b.partitionIndex,
      )
    expect(partitionsOf(answer as Dirs)).toEqual(partitionsOf(decodeAnswer(requestOf(364), responseOf(364)) as Dirs))
  })
})
