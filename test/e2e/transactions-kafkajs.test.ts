/** Transactions of kafkajs, over records and offsets, on a broker in memory: what its read-committed consumers see. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Kafka, logLevel, type Consumer, type Producer } from 'kafkajs'
import { fetch } from '../../src/adapters/wire/apis/01-fetch.ts'
import { listOffsets } from '../../src/adapters/wire/apis/02-list-offsets.ts'
import { describeProducers } from '../../src/adapters/wire/apis/61-describe-producers.ts'
import { createBroker } from '../../src/bootstrap/create-broker.ts'
import type { Broker } from '../../src/bootstrap/broker.ts'
import { WireClient } from '../support/wire-client.ts'

let broker: Broker
let kafka: Kafka
let wire: WireClient
const producers: Producer[] = []

beforeAll(async () => {
  broker = await createBroker({ 'offsets.topic.num.partitions': 2, 'transaction.state.log.num.partitions': 2 }).start()
  const { host, port } = broker.address()
  kafka = new Kafka({ brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING, retry: { retries: 8 } })
  wire = await WireClient.connect(host, port)
  const admin = kafka.admin()
  await admin.connect()
  const topics = ['output', 'input', 'held', 'fenced'].map((topic) => ({ topic, numPartitions: 1 }))
  await admin.createTopics({ topics, waitForLeaders: true })
  await admin.disconnect()
})

afterAll(async () => {
  for (const producer of producers) await producer.disconnect()
  wire.close()
  await broker.close()
})

async function transactionalProducer(transactionalId: string): Promise<Producer> {
  const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  producers.push(producer)
  return producer
}

/** The first `count` values that a consumer gets of a topic. */
async function consume(topic: string, count: number, readUncommitted: boolean): Promise<string[]> {
  const consumer: Consumer = kafka.consumer({ groupId: `${topic}-${readUncommitted}`, readUncommitted })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      values.push(String(message.value))
      if (values.length === count) resolve()
      return Promise.resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return values
}

async function endOf(name: string, isolationLevel: number): Promise<bigint> {
  const topics = [{ name, partitions: [{ partitionIndex: 0, timestamp: -1n }] }]
  const answer = await wire.send(listOffsets, 8, { replicaId: -1, isolationLevel, topics })
  return answer.topics[0]!.partitions[0]!.offset
}

describe('transactions of kafkajs', () => {
  it('show what was committed, and nothing of what was aborted', async () => {
    const producer = await transactionalProducer('writer')
    for (const [value, commits] of [
      ['a', true],
      ['lost', false],
      ['b', true],
    ] as const) {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'output', messages: [{ value }] })
      await (commits ? transaction.commit() : transaction.abort())
    }
    expect(await consume('output', 2, false)).toEqual(['a', 'b'])
    expect(await consume('output', 3, true)).toEqual(['a', 'lost', 'b'])
  })

  it('take the offsets of a group with them', async () => {
    const producer = await transactionalProducer('transformer')
    const admin = kafka.admin()
    await admin.connect()
    const committed = async () => {
      const [of] = await admin.fetchOffsets({ groupId: 'transform', topics: ['input'] })
      return of!.partitions[0]!.offset
    }
    const offsets = (offset: string) => ({
      consumerGroupId: 'transform',
      topics: [{ topic: 'input', partitions: [{ partition: 0, offset }] }],
    })
    const kept = await producer.transaction()
    await kept.sendOffsets(offsets('5'))
    await kept.commit()
    expect(await committed()).toBe('5')
    const dropped = await producer.transaction()
    await dropped.sendOffsets(offsets('9'))
    await dropped.abort()
    expect(await committed()).toBe('5')
    await admin.disconnect()
  })

  it('hold read-committed readers back while they are open, and wake those that wait when they end', async () => {
    const producer = await transactionalProducer('holder')
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'held', messages: [{ value: 'x' }] })
    expect([await endOf('held', 0), await endOf('held', 1)]).toEqual([1n, 0n])
    const described = await wire.send(describeProducers, 0, { topics: [{ name: 'held', partitionIndexes: [0] }] })
    expect(described.topics[0]!.partitions[0]!.activeProducers).toMatchObject([{ currentTxnStartOffset: 0n }])
    const parked = wire.send(fetch, 12, {
      maxWaitMs: 25_000,
      minBytes: 1,
      maxBytes: 1 << 20,
      isolationLevel: 1,
      sessionEpoch: -1,
      topics: [{ topic: 'held', partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 << 20 }] }],
    })
    await transaction.abort()
    const woken = (await parked).responses[0]!.partitions[0]!
    expect(woken.abortedTransactions).toMatchObject([{ firstOffset: 0n }])
    expect([woken.highWatermark, woken.lastStableOffset]).toEqual([2n, 2n])
  })

  it('of a producer that was replaced are refused', async () => {
    const old = await transactionalProducer('same')
    const begun = await old.transaction()
    await begun.send({ topic: 'fenced', messages: [{ value: 'old' }] })
    const newer = await transactionalProducer('same')
    const transaction = await newer.transaction()
    await transaction.send({ topic: 'fenced', messages: [{ value: 'new' }] })
    await transaction.commit()
    await expect(begun.send({ topic: 'fenced', messages: [{ value: 'zombie' }] })).rejects.toThrow(/epoch|fenced/i)
    expect(await consume('fenced', 1, false)).toEqual(['new'])
  })
})
