/**
 * Thirty consumers that join and leave at random while records keep coming, in each protocol: every record is consumed,
 * no partition is owned twice at once by what the broker says, and committed offsets never go back.
 *
 *   ODRADEK_CHURN_SECONDS=60 npm run jest -- test/e2e/group-churn     longer
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Consumer as PlatformaticConsumer, stringDeserializers } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { createTopics } from '../../src/adapters/wire/apis/19-create-topics.ts'
import { createBroker } from '../../src/index.ts'
import { ownersOf, offsetsOf } from '../support/group-lives.ts'
import { seeded } from '../support/killed-producers.ts'
import { batchOf, produceBatch } from '../support/records.ts'
import { WireClient } from '../support/wire-client.ts'

const seconds = Number(process.env['ODRADEK_CHURN_SECONDS'] ?? 4)
const PARTITIONS = 12
const SLOTS = 30

/** Leaves the group. */
type Leave = () => Promise<unknown>

describe('consumers that come and go', () => {
  const broker = createBroker({
    'node.id': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.consumer.min.heartbeat.interval.ms': 100,
    'group.consumer.heartbeat.interval.ms': 100,
    'group.consumer.assignment.interval.ms': 0,
  })
  let client: WireClient

  beforeAll(async () => {
    await broker.start()
    const { host, port } = broker.address()
    client = await WireClient.connect(host, port)
  })

  afterAll(async () => {
    client.close()
    await broker.close()
  })

  const joinKafkajs = async (topic: string, took: (value: string) => void): Promise<Leave> => {
    const { host, port } = broker.address()
    const retry = { retries: 50, initialRetryTime: 20, maxRetryTime: 200 }
    const kafka = new Kafka({ brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING, retry })
    const consumer = kafka.consumer({ groupId: topic, heartbeatInterval: 100, maxWaitTimeInMs: 50 })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const eachMessage = ({ message }: { message: { value: Buffer | null } }) => {
      took(String(message.value))
      return Promise.resolve()
    }
    await consumer.run({ autoCommitThreshold: 1, eachMessage })
    return () => consumer.disconnect()
  }

  const joinPlatformatic = async (topic: string, took: (value: string) => void): Promise<Leave> => {
    const { host, port } = broker.address()
    const consumer = new PlatformaticConsumer({
      clientId: 'churn',
      bootstrapBrokers: [`${host}:${port}`],
      groupId: topic,
      groupProtocol: 'consumer',
      deserializers: stringDeserializers,
      retries: 50,
      retryDelay: 50,
    })
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: true,
      maxWaitTime: 50,
    })
    stream.on('data', ({ value }) => took(value))
    // Its commits are refused when it has lost the partition meanwhile: whoever has it now reads that again.
    stream.on('error', () => undefined)
    return async () => {
      const closing: readonly { close(force?: boolean): Promise<unknown> }[] = [stream, consumer]
      await closing[0]!.close()
      await closing[1]!.close(true)
    }
  }

  it.each([
    ['the classic protocol (kafkajs)', 'classic', joinKafkajs],
    ['the consumer protocol (@platformatic/kafka)', 'consumer', joinPlatformatic],
  ] as const)(
    'lose no record, share no partition and never go back, in %s',
    async (_, topic, join) => {
      const random = seeded(11)
      await client.send(createTopics, 7, {
        topics: [{ name: topic, numPartitions: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] }],
        timeoutMs: 5_000,
      })
      const members: (Leave | null)[] = Array.from({ length: SLOTS }, () => null)
      const seen = new Set<string>()
      let enough: (() => void) | null = null
      const took = (value: string): void => {
        seen.add(value)
        if (seen.size === sent) enough?.()
      }
      let sent = 0
      const send = async (): Promise<void> => {
        const partition = sent % PARTITIONS
        // Of today: older records are deleted by retention, and kafkajs then commits a position below 0.
        await produceBatch(client, topic, partition, batchOf([`${sent++}`], {}, BigInt(Date.now())))
      }

      const committed = new Map<number, bigint>()
      let looks = 0
      /** What the broker says right now. */
      const look = async (): Promise<void> => {
        const owners = await ownersOf(client, topic, topic === 'classic' ? 'classic' : 'consumer')
        expect(owners.length).toBe(new Set(owners).size)
        if (owners.length > 0) looks++
        for (const { partitionIndex, committedOffset } of await offsetsOf(client, topic)) {
          expect(committedOffset).toBeGreaterThanOrEqual(committed.get(partitionIndex) ?? 0n)
          committed.set(partitionIndex, committedOffset)
        }
      }

      // With the first member there is a topic of offsets to ask.
      members[0] = await join(topic, took)
      const until = performance.now() + seconds * 1_000
      let changes = 0
      const change = async (slot: number): Promise<void> => {
        const leave = members[slot]
        members[slot] = null
        if (leave) await leave()
        else members[slot] = await join(topic, took)
        changes++
      }
      /** Three at a time come and go, each in slots of its own. */
      const churn = async (lane: number): Promise<void> => {
        while (performance.now() < until) {
          await change(lane + 3 * Math.floor(random() * (SLOTS / 3)))
          await send()
        }
      }
      const watch = async (): Promise<void> => {
        while (performance.now() < until) {
          await send()
          await look()
        }
      }
      await Promise.all([churn(0), churn(1), churn(2), watch()])
      members[0] ??= await join(topic, took)
      if (seen.size < sent) await new Promise<void>((resolve) => (enough = resolve))
      await look()
      await Promise.all(members.flatMap((leave) => (leave === null ? [] : [leave()])))
      expect(changes).toBeGreaterThan(5)
      expect(looks).toBeGreaterThan(0)
    },
    (seconds + 60) * 1_000,
  )
})
