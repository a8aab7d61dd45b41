/** Unmodified kafkajs consumers in a group, over TCP to a broker in this process. */
import { afterEach, describe, expect, it } from '@jest/globals'
import { Kafka, logLevel, type Consumer } from 'kafkajs'
import { createBroker, type BrokerProperties } from '../../src/bootstrap/create-broker.ts'
import type { Broker } from '../../src/bootstrap/broker.ts'
import { temporaryFolder } from '../support/server-process.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(properties: BrokerProperties): Promise<Broker> {
  const broker = await createBroker({ 'group.initial.rebalance.delay.ms': 0, ...properties }).start()
  closing.push(() => broker.close())
  return broker
}

function clientOf(broker: Broker): Kafka {
  const { host, port } = broker.address()
  return new Kafka({
    brokers: [`${host}:${port}`],
    logLevel: logLevel.NOTHING,
    retry: { retries: 10, initialRetryTime: 20 },
  })
}

/** Collects until told what to wait for. */
class Collector {
  readonly values: string[] = []
  #waiting: { readonly count: number; readonly resolve: () => void } | null = null

  add(value: string): void {
    this.values.push(value)
    if (this.#waiting !== null && this.values.length >= this.#waiting.count) this.#waiting.resolve()
  }

  reached(count: number): Promise<void> {
    if (this.values.length >= count) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting = { count, resolve }
    })
  }
}

async function consumer(kafka: Kafka, groupId: string, into: Collector): Promise<Consumer> {
  const member = kafka.consumer({ groupId, heartbeatInterval: 100, maxWaitTimeInMs: 100 })
  closing.push(() => member.disconnect())
  await member.connect()
  await member.subscribe({ topics: ['orders'], fromBeginning: true })
  const joined = new Promise((resolve) => {
    const remove = member.on(member.events.GROUP_JOIN, () => {
      remove()
      resolve(null)
    })
  })
  await member.run({
    autoCommitThreshold: 1,
    eachMessage: ({ partition, message }) => {
      into.add(`${partition}:${message.value?.toString() ?? ''}`)
      return Promise.resolve()
    },
  })
  await joined
  return member
}

async function send(kafka: Kafka, from: number, to: number): Promise<void> {
  const producer = kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: to - from }, (_, i) => ({
    value: String(from + i),
    partition: (from + i) % 2,
  }))
  await producer.send({ topic: 'orders', messages })
  await producer.disconnect()
}

describe('kafkajs in a group', () => {
  it('shares a topic between two consumers, rebalances, commits, and resumes after a restart', async () => {
    const folder = temporaryFolder()
    closing.push(async () => {
      folder.remove()
    })
    let broker = await start({ 'log.dirs': folder.path })
    let kafka = clientOf(broker)
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 2 }] })
    await send(kafka, 0, 10)
    const seen = new Collector()
    const first = await consumer(kafka, 'billing', seen)
    await seen.reached(10)
    const second = await consumer(kafka, 'billing', seen)
    const { groups } = await admin.describeGroups(['billing'])
    expect(groups[0]).toMatchObject({ groupId: 'billing', state: 'Stable', protocol: 'RoundRobinAssigner' })
    expect(groups[0]!.members).toHaveLength(2)
    expect(await admin.listGroups()).toEqual({ groups: [{ groupId: 'billing', protocolType: 'consumer' }] })
    await send(kafka, 10, 20)
    await seen.reached(20)
    await first.disconnect()
    await second.disconnect()
    const committed = await admin.fetchOffsets({ groupId: 'billing', topics: ['orders'] })
    expect(committed[0]!.partitions.map(({ offset }) => offset)).toEqual(['10', '10'])
    await admin.disconnect()
    await broker.close()

    broker = await start({ 'log.dirs': folder.path })
    kafka = clientOf(broker)
    await send(kafka, 20, 30)
    const resumed = new Collector()
    await consumer(kafka, 'billing', resumed)
    await resumed.reached(10)
    expect(new Set(seen.values).size).toBe(20)
    expect(resumed.values.map((value) => Number(value.split(':')[1])).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, i) => 20 + i),
    )
  })
})
