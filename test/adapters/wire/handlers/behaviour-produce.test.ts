import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { produce } from '../../../../src/adapters/wire/apis/00-produce.ts'
import { initProducerId } from '../../../../src/adapters/wire/apis/22-init-producer-id.ts'
import { CLOSE_CONNECTION, NO_RESPONSE } from '../../../../src/adapters/wire/handler.ts'
import { errorCode } from '../../../../src/domain/errors.ts'
import { buildBatch, type NewBatch } from '../../../../src/domain/log/batch-writer.ts'
import { encode } from '../../../../src/adapters/codec/codec.ts'
import { requestHeader, requestHeaderVersion } from '../../../../src/adapters/wire/header.ts'
import { decodeProduced, openProduceBroker } from '../../../support/produce-broker.ts'
import { testChecksum } from '../../../support/stored-batches.ts'

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

const topics = [
  { name: 'beh', id: 'PX5bDGBIT3u7aOvQRfBfSA', partitions: 2 },
  { name: 'lat', id: 'bGF0AAAAAAAAAAAAAAAAAA', configs: { 'message.timestamp.type': 'LogAppendTime' } },
  { name: 'small', id: 'c21hbGwAAAAAAAAAAAAAAA', configs: { 'max.message.bytes': '1000' } },
  { name: 'cmp', id: 'Y21wAAAAAAAAAAAAAAAAAA', configs: { 'cleanup.policy': 'compact' } },
  { name: 'txt', id: 'dHh0AAAAAAAAAAAAAAAAAA', partitions: 2 },
]

/** When the rows were recorded, to the second of row 119. */
const RECORDED_MS = 1_795_354_989_451n

const frameOf = (row: number) => Buffer.from(rows.get(row)!.requestHex, 'hex')

function expectedOf(row: number): unknown {
  const frame = frameOf(row)
  const api = frame.readInt16BE(0) === produce.key ? produce : initProducerId
  return decodeProduced(api, frame.readInt16BE(2), Buffer.from(rows.get(row)!.responseHex!, 'hex'))
}

interface Produced {
  responses: {
    name: string
    partitionResponses: {
      index: number
      errorCode: number
      baseOffset: bigint
      logAppendTimeMs: bigint
      logStartOffset: bigint
    }[]
  }[]
}

/** A Produce v12 frame with one batch of `count` records, to fill the places of rows that left no frame. */
function filler(topic: string, partition: number, count: number, acks = -1, batch: NewBatch = {}): Buffer {
  const bytes = buildBatch(
    Array.from({ length: count }, () => ({ key: null, value: Uint8Array.of(1), timestamp: RECORDED_MS })),
    batch,
    (part) => testChecksum.crc32c(part),
  )
  const body = encode(produce.request, 12, {
    transactionalId: null,
    acks,
    timeoutMs: 1000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records: bytes }] }],
  })
  const header = encode(requestHeader, requestHeaderVersion(produce, 12), {
    apiKey: 0,
    apiVersion: 12,
    correlationId: 1,
    clientId: 'filler',
  })
  return Buffer.concat([header, body])
}

/** Replays rows in order; where the recording holds appends that left no frame, their places are filled. */
async function replay(broker: Awaited<ReturnType<typeof openProduceBroker>>, numbers: readonly number[]) {
  for (const row of numbers) {
    for (const { name, partitionResponses } of (expectedOf(row) as Produced).responses) {
      for (const { index, baseOffset } of partitionResponses) {
        const end = broker.partitions.find(name, index)?.highWatermark ?? 0n
        if (name !== '' && baseOffset > end) await broker.ask(filler(name, index, Number(baseOffset - end)))
      }
    }
    expect([row, await broker.ask(frameOf(row))]).toEqual([row, expectedOf(row)])
  }
}

describe('produce, against what a real broker answered', () => {
  it('answers the rows of the topic beh and of the special topics alike, in their order', async () => {
    const broker = await openProduceBroker(topics, { startMs: RECORDED_MS })
    await replay(
      broker,
      [116, 117, 119, 120, 121, 122, 124, 125, 126, 127, 129, 130, 131, 132, 134, 135, 136, 137, 139, 140, 141, 142],
    )
    // Row 144: Kafka answers UNKNOWN_SERVER_ERROR to bytes that are no gzip; the batch is at fault, not the server.
    const lied = expectedOf(144) as Produced
    lied.responses[0]!.partitionResponses[0]!.errorCode = errorCode('INVALID_RECORD')
    expect(await broker.ask(frameOf(144))).toEqual(lied)
    await replay(broker, [145, 146, 147, 149, 150, 151, 152, 155, 156, 157, 159, 160, 161, 162, 166, 167])
  })

  it('answers acks=0 by closing the connection when it fails (row 164), else not at all (row 165)', async () => {
    const { ask } = await openProduceBroker(topics, { startMs: RECORDED_MS })
    expect(await ask(filler('nope', 0, 1, 0))).toBe(CLOSE_CONNECTION)
    expect(await ask(filler('beh', 0, 1, 0))).toBe(NO_RESPONSE)
  })

  it('answers the rows about idempotence alike', async () => {
    const broker = await openProduceBroker(topics, { startMs: RECORDED_MS })
    // Row 229 repeats a batch of which no frame is left: itself, but sent seven milliseconds earlier.
    const first = (await broker.ask(frameOf(229))) as Produced
    expect(first.responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0n })
    const repeated = expectedOf(229) as Produced
    repeated.responses[0]!.partitionResponses[0]!.logAppendTimeMs += 7n
    expect(await broker.ask(frameOf(229))).toEqual(repeated)
    await replay(broker, [230, 231, 232, 234, 235, 236, 237, 239])
  })

  it('refuses a batch larger than a megabyte as row 154', async () => {
    const { ask } = await openProduceBroker(topics)
    const records = [{ key: null, value: new Uint8Array(2 << 20) }]
    const bytes = buildBatch(records, {}, (part) => testChecksum.crc32c(part))
    const body = encode(produce.request, 12, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 'beh', partitionData: [{ index: 0, records: bytes }] }],
    })
    const header = frameOf(116).subarray(0, 8)
    const answer = (await ask(Buffer.concat([header, Buffer.from([0, 0, 0]), body]))) as Produced
    expect(answer.responses[0]!.partitionResponses[0]).toMatchObject({
      errorCode: errorCode('MESSAGE_TOO_LARGE'),
      baseOffset: -1n,
      logStartOffset: -1n,
    })
  })

  // What a coordinator that knows the transaction says to these rows is compared in test/e2e/behaviour.test.ts.
  it('refuses batches of a transactional id that the coordinator does not know', async () => {
    const { ask } = await openProduceBroker(topics, { startMs: RECORDED_MS })
    for (const row of [255, 256, 264]) {
      const answer = (await ask(frameOf(row))) as Produced
      expect(answer.responses[0]!.partitionResponses[0]!.errorCode).toBe(errorCode('INVALID_PRODUCER_ID_MAPPING'))
    }
  })
})

describe('InitProducerId, against what a real broker answered', () => {
  it('gives out ids, and refuses an empty transactional id as row 220', async () => {
    const { ask } = await openProduceBroker([])
    // Row 219 met a broker that was still fetching its first block, and was told to come again.
    expect(await ask(frameOf(219))).toMatchObject({ errorCode: 0, producerId: 0n, producerEpoch: 0 })
    expect(await ask(frameOf(219))).toMatchObject({ errorCode: 0, producerId: 1n, producerEpoch: 0 })
    expect(await ask(frameOf(220))).toEqual(expectedOf(220))
  })

  it('answers transactional producers COORDINATOR_NOT_AVAILABLE before anybody asked for a coordinator', async () => {
    const { ask } = await openProduceBroker([])
    expect(await ask(frameOf(242))).toMatchObject({
      errorCode: errorCode('COORDINATOR_NOT_AVAILABLE'),
      producerId: -1n,
    })
  })
})
