/** Groups of both protocols go from us to a real Kafka and back, with their members, offsets and clients. */
import { expect, it } from '@jest/globals'
import { Consumer, stringDeserializers } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import {
  commitOffsets,
  deleteGroup,
  deleteOffset,
  joinClassic,
  joinConsumer,
  seenGroups,
  stillMember,
  type Membership,
} from '../support/group-lives.ts'
import { RealKafka, describeWithKafka, dumpLogSegments, kafkaProperties, kafkaTool } from '../support/real-kafka.ts'
import { startServer, temporaryFolder, writeProperties } from '../support/server-process.ts'
import { WireClient } from '../support/wire-client.ts'

type End = 'stop' | 'kill'

const TOPIC = 'orders'
const PARTITIONS = 3
/** Members are to live through the change of brokers; consumers are to start at once. */
const extra = {
  'group.initial.rebalance.delay.ms': '0',
  'group.consumer.max.session.timeout.ms': '600000',
  'group.consumer.session.timeout.ms': '600000',
  'offsets.topic.num.partitions': '5',
  'offsets.topic.replication.factor': '1',
}

/** A directory whose groups are looked at, changed and left at work in each of its lives. */
class PassedGroups {
  readonly #folder: string
  #lives = 0
  #sent = 0
  #seen: readonly unknown[] | null = null
  #classic: Membership | null = null
  #consumer: Membership | null = null

  constructor(folder: string) {
    this.#folder = folder
  }

  async ours(how: End): Promise<void> {
    const server = await startServer([writeProperties(this.#folder, extra)], this.#folder)
    try {
      await this.#life(server.port)
      if (how === 'stop') expect(await server.stop()).toBe(0)
      expect(server.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
    } finally {
      await server.kill()
    }
  }

  /** `look` gets the address of a Kafka that has just opened what we wrote. */
  async kafka(how: End, look: (bootstrap: string) => Promise<void> = () => Promise.resolve()): Promise<void> {
    const data = path.join(this.#folder, 'data')
    const files = await kafkaProperties(path.join(this.#folder, 'kafka.properties'), data, { extra })
    const kafka = await RealKafka.start(files)
    let stopped = false
    try {
      await look(files.bootstrap)
      await this.#life(kafka.port)
      if (how === 'stop') await kafka.stop()
      stopped = how === 'stop'
    } finally {
      if (!stopped) await kafka.kill()
    }
  }

  async #life(port: number): Promise<void> {
    const client = await WireClient.connect('127.0.0.1', port)
    try {
      if (this.#seen !== null) {
        await this.#loaded(client)
        expect(await seenGroups(client)).toEqual(this.#seen)
      }
      await this.#change(client, port)
      this.#seen = await seenGroups(client)
      this.#lives++
    } finally {
      client.close()
    }
  }

  /** A broker that has just started may still be reading its groups: members are told to wait, and do. */
  async #loaded(client: WireClient): Promise<void> {
    const members = [
      [this.#classic!, 'classic'],
      [this.#consumer!, 'consumer'],
    ] as const
    for (const [member, protocol] of members) {
      let code: number
      do code = await stillMember(client, member, protocol)
      while (code === 14 || code === 15 || code === 16)
      expect([protocol, code]).toEqual([protocol, 0])
    }
  }

  async #change(client: WireClient, port: number): Promise<void> {
    const life = this.#lives
    const address = `127.0.0.1:${port}`
    const kafka = new Kafka({
      brokers: [address],
      logLevel: logLevel.NOTHING,
      retry: { retries: 20, initialRetryTime: 50 },
    })
    const sent = await this.#send(kafka)
    expect(await readByKafkajs(kafka, sent.length)).toEqual(sent)
    expect(await readByPlatformatic(address, sent.length)).toEqual(sent)
    if (life === 0) {
      const partitions = Array.from({ length: PARTITIONS }, (_, i) => i)
      this.#classic = await joinClassic(client, 'classic-at-work', TOPIC, partitions, 'instance-1')
      this.#consumer = await joinConsumer(client, 'consumer-at-work', 'AAAAAAAAAAAAAAAAAAAAAA', TOPIC)
    }
    for (const member of [this.#classic!, this.#consumer!]) {
      await commitOffsets(client, member, TOPIC, [
        { partition: 0, offset: BigInt(life), metadata: `life ${life} é`, leaderEpoch: 0 },
        { partition: 2, offset: 1n },
      ])
    }
    const alone = (groupId: string) => ({ groupId, memberId: '', generation: -1 })
    await commitOffsets(
      client,
      alone(`simple-${life}`),
      TOPIC,
      [0, 1, 2].map((partition) => ({ partition, offset: 7n })),
    )
    await deleteOffset(client, `simple-${life}`, TOPIC, 1)
    if (life > 1) await deleteGroup(client, `simple-${life - 2}`)
  }

  /** The values of this life. */
  async #send(kafka: Kafka): Promise<readonly string[]> {
    const admin = kafka.admin()
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1 }] })
    await admin.disconnect()
    const values = Array.from({ length: 12 }, () => String(this.#sent++).padStart(5, '0'))
    const producer = kafka.producer()
    await producer.connect()
    const messages = values.map((value, i) => ({ value, partition: i % PARTITIONS }))
    await producer.send({ topic: TOPIC, messages })
    await producer.disconnect()
    return values
  }

  offsetLogs(): Promise<string[]> {
    return offsetLogsIn(path.join(this.#folder, 'data'))
  }
}

/** Reads on where its group has stopped in the life before, commits and leaves: the values, sorted. */
async function readByKafkajs(kafka: Kafka, count: number): Promise<readonly string[]> {
  const consumer = kafka.consumer({ groupId: 'kafkajs', maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = ({ message }: { message: { value: Buffer | null } }) => {
      values.push(String(message.value))
      if (values.length === count) resolve()
      return Promise.resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.stop()
  await consumer.disconnect()
  return values.sort()
}

async function readByPlatformatic(address: string, count: number): Promise<readonly string[]> {
  const consumer = new Consumer({
    clientId: 'platformatic',
    bootstrapBrokers: [address],
    groupId: 'platformatic',
    groupProtocol: 'consumer',
    deserializers: stringDeserializers,
    timeout: 10_000,
  })
  const stream = await consumer.consume({
    topics: [TOPIC],
    mode: 'committed',
    fallbackMode: 'earliest',
    autocommit: false,
    maxWaitTime: 100,
  })
  const values: string[] = []
  for await (const message of stream) {
    values.push(message.value)
    await message.commit()
    if (values.length === count) break
  }
  const closing: { close(force: boolean): Promise<void> } = consumer
  await closing.close(true)
  return values.sort()
}

async function offsetLogsIn(data: string): Promise<string[]> {
  const files: string[] = []
  for (const folder of (await readdir(data)).filter((name) => name.startsWith('__consumer_offsets-'))) {
    const names = await readdir(path.join(data, folder))
    files.push(...names.filter((name) => name.endsWith('.log')).map((name) => path.join(data, folder, name)))
  }
  return files
}

/** What Kafka's own tool prints of the groups that we have written. */
async function lookWithTool(bootstrap: string): Promise<void> {
  const tool = (...args: string[]) =>
    kafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', '--bootstrap-server', bootstrap, ...args)
  const listed = await tool('--list', '--state', '--type')
  expect(listed).toMatch(/^classic-at-work\s+Classic\s+Stable/m)
  expect(listed).toMatch(/^consumer-at-work\s+Consumer\s+Stable/m)
  expect(listed).toMatch(/^kafkajs\s+Classic\s+Empty/m)
  expect(listed).toMatch(/^platformatic\s+Consumer\s+Empty/m)
  expect(listed).toMatch(/^simple-0\s+Classic\s+Empty/m)
  const offsets = await tool('--describe', '--all-groups', '--offsets')
  expect(offsets).toMatch(/^kafkajs\s+orders\s+1\s+4\s+4\s+0\s/m)
  expect(offsets).toMatch(/^platformatic\s+orders\s+2\s+4\s+4\s+0\s/m)
  expect(offsets).toMatch(/^consumer-at-work\s+orders\s+0\s+0\s+4\s+4\s+AAAAAAAAAAAAAAAAAAAAAA\s/m)
  const members = await tool('--describe', '--all-groups', '--members', '--verbose')
  expect(members).toMatch(/^classic-at-work\s+instance-1\S+\s+instance-1\s+\/127\.0\.0\.1\s+wire-client\s+3\s/m)
}

describeWithKafka('groups in a directory that passes between us and Kafka', () => {
  it.each(['stop', 'kill'] as const)(
    'keep members, offsets and clients when each life ends by a %s',
    async (how) => {
      const folder = temporaryFolder()
      try {
        const groups = new PassedGroups(folder.path)
        await groups.ours(how)
        const printed = await dumpLogSegments('--offsets-decoder', '--files', (await groups.offsetLogs()).join(','))
        expect(printed.match(/"type":"1","data":\{"group":"kafkajs"/g)).not.toBe(null)
        expect(printed.split('\n').filter((line) => /isvalid: false|Could not|Exception|nvalid/.test(line))).toEqual([])
        await groups.kafka(how, how === 'stop' ? lookWithTool : undefined)
        await groups.ours(how)
        await groups.kafka(how)
        await groups.ours('stop')
      } finally {
        folder.remove()
      }
    },
    300_000,
  )
})
