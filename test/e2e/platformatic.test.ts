/** An unmodified @platformatic/kafka against `./your_program.sh`: it reads in a group, and partition by partition. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  Admin,
  Consumer,
  ListOffsetTimestamps,
  Producer,
  stringSerializers,
  type ProduceOptions,
} from '@platformatic/kafka'
import zlib from 'node:zlib'
import { batchesIn, readPartition, textOf } from '../support/records.ts'
import { startServer, temporaryFolder, writeProperties, type ServerProcess } from '../support/server-process.ts'
import { WireClient } from '../support/wire-client.ts'

/** The client compresses with what its Node brings. */
const itWithZstd = 'zstdCompressSync' in zlib ? it : it.skip

describe('@platformatic/kafka', () => {
  const folder = temporaryFolder()
  let server: ServerProcess
  let client: WireClient
  let admin: Admin
  let producer: Producer<string, string, string, string>
  let consumer: Consumer

  beforeAll(async () => {
    server = await startServer(
      [
        writeProperties(folder.path, {
          'offsets.topic.replication.factor': '1',
          'group.initial.rebalance.delay.ms': '0',
        }),
      ],
      folder.path,
    )
    client = await WireClient.connect(server.host, server.port)
    const base = { clientId: 'test', bootstrapBrokers: [server.bootstrap], retries: 0, timeout: 5_000 }
    admin = new Admin(base)
    producer = new Producer({ ...base, serializers: stringSerializers })
    consumer = new Consumer({ ...base, groupId: 'grouped' })
  })

  afterAll(async () => {
    await Promise.all([admin.close(), producer.close(), consumer.close()])
    client.close()
    expect(await server.stop()).toBe(0)
    expect(server.lines.filter(({ level }) => level === 'error')).toEqual([])
    folder.remove()
  })

  const topicOf = async (topic: string, partitions = 1): Promise<string> => {
    await admin.createTopics({ topics: [topic], partitions })
    return topic
  }
  const send = (
    topic: string,
    values: readonly string[],
    options: ProduceOptions<string, string, string, string> = {},
  ) => producer.send({ messages: values.map((value) => ({ topic, key: 'k', value, headers: { h: 'x' } })), ...options })
  const valuesIn = async (topic: string, partition = 0) => {
    const { records } = await readPartition(client, topic, partition)
    return records.map(({ value }) => textOf(value))
  }

  it('creates, lists, grows and deletes topics', async () => {
    const [made] = await admin.createTopics({
      topics: ['made'],
      partitions: 2,
      replicas: 1,
      configs: [{ name: 'retention.ms', value: '1000' }],
    })
    expect(made).toMatchObject({ name: 'made', partitions: 2, replicas: 1 })
    expect(made!.configuration['retention.ms']).toBe('1000')
    await expect(admin.createTopics({ topics: ['made'] })).rejects.toThrow()
    await admin.createPartitions({ topics: [{ name: 'made', count: 4, assignments: null }] })
    const metadata = await admin.metadata({ topics: ['made'], forceUpdate: true })
    expect(metadata.topics.get('made')).toMatchObject({ partitionsCount: 4 })
    expect(await admin.listTopics()).toContain('made')
    await admin.deleteTopics({ topics: ['made'] })
    expect(await admin.listTopics()).not.toContain('made')
  })

  it.each([-1, 1, 0])('produces with acks=%d', async (acks) => {
    const topic = await topicOf(`acks${acks}`)
    const result = await send(topic, ['a', 'b'], { acks })
    if (acks !== 0) expect(result.offsets).toEqual([{ topic, partition: 0, offset: 0n }])
    else await send(topic, ['c'], { acks: 1 })
    expect((await valuesIn(topic)).slice(0, 2)).toEqual(['a', 'b'])
  })

  it('produces idempotently', async () => {
    const topic = await topicOf('idempotent')
    for (const value of ['1', '2', '3']) await send(topic, [value, value], { idempotent: true, acks: -1 })
    const { bytes } = await readPartition(client, topic, 0)
    expect([...batchesIn(bytes)].map(({ baseSequence }) => baseSequence)).toEqual([0, 2, 4])
    expect(await valuesIn(topic)).toEqual(['1', '1', '2', '2', '3', '3'])
  })

  const compresses = async (compression: 'gzip' | 'snappy' | 'lz4' | 'zstd') => {
    const topic = await topicOf(compression)
    const values = Array.from({ length: 100 }, (_, i) => `value ${i} ${'x'.repeat(i)}`)
    await send(topic, values, { compression })
    expect(await valuesIn(topic)).toEqual(values)
    const { bytes } = await readPartition(client, topic, 0)
    expect([...batchesIn(bytes)].map(({ codec }) => codec)).toEqual([compression])
  }
  it.each(['gzip', 'snappy', 'lz4'] as const)('produces with %s, stored as sent', compresses)
  itWithZstd('produces with zstd, stored as sent', () => compresses('zstd'))

  it('fetches a partition without a group, waiting for what comes', async () => {
    const topic = await topicOf('to-fetch')
    await send(topic, ['first'])
    const { topics } = await consumer.metadata({ topics: [topic] })
    const topicId = topics.get(topic)!.id
    const fetchFrom = async (fetchOffset: bigint, maxWaitTime: number) => {
      const { responses } = await consumer.fetch({
        node: 1,
        minBytes: 1,
        maxBytes: 1 << 20,
        maxWaitTime,
        isolationLevel: 0,
        topics: [
          {
            topicId,
            partitions: [
              { partition: 0, currentLeaderEpoch: -1, fetchOffset, lastFetchedEpoch: -1, partitionMaxBytes: 1 << 20 },
            ],
          },
        ],
      })
      const batches = responses[0]?.partitions[0]?.records ?? []
      return batches.flatMap(({ records }) => records.map(({ value }) => textOf(value)))
    }
    expect(await fetchFrom(0n, 0)).toEqual(['first'])
    const waiting = fetchFrom(1n, 10_000)
    await send(topic, ['second'])
    expect(await waiting).toEqual(['second'])
  })

  it('asks offsets and deletes records', async () => {
    const topic = await topicOf('offsets', 2)
    await producer.send({
      messages: [0, 1, 2].map((i) => ({
        topic,
        value: String(i),
        partition: 1,
        timestamp: 1_700_000_000_000n + BigInt(i),
      })),
    })
    expect(await consumer.listOffsets({ topics: [topic], timestamp: ListOffsetTimestamps.LATEST })).toEqual(
      new Map([[topic, [0n, 3n]]]),
    )
    expect(await consumer.listOffsets({ topics: [topic], timestamp: 1_700_000_000_001n })).toEqual(
      new Map([[topic, [-1n, 1n]]]),
    )
    const deleted = await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 1, offset: 2n }] }] })
    expect(deleted).toEqual([{ name: topic, partitions: [{ partition: 1, lowWatermark: 2n }] }])
    expect(await valuesIn(topic, 1)).toEqual(['2'])
  })

  it('describes and alters configs, and describes log directories', async () => {
    const topic = await topicOf('configs')
    const resources = [{ resourceType: 2 as const, resourceName: topic, configurationKeys: ['retention.ms'] }]
    const retention = async () => (await admin.describeConfigs({ resources }))[0]!.configs[0]!.value
    expect(await retention()).toBe('604800000')
    await admin.incrementalAlterConfigs({
      resources: [
        {
          resourceType: 2,
          resourceName: topic,
          configs: [{ name: 'retention.ms', configOperation: 0, value: '5000' }],
        },
      ],
    })
    expect(await retention()).toBe('5000')
    await admin.alterConfigs({ resources: [{ resourceType: 2, resourceName: topic, configs: [] }] })
    expect(await retention()).toBe('604800000')
    const dirs = await admin.describeLogDirs({ topics: [{ name: topic, partitions: [0] }] })
    expect(dirs).toMatchObject([{ broker: 1, results: [{ topics: [{ name: topic }] }] }])
  })

  it('reads in a group, commits, and goes on from there', async () => {
    const topic = await topicOf('grouped')
    await send(topic, ['a', 'b'])
    const first = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxFetches: 1 })
    for await (const message of first) {
      if (message.value.toString() === 'b') await message.commit()
    }
    const groups = await admin.listGroups()
    expect(groups.get('grouped')).toMatchObject({ id: 'grouped', state: 'STABLE', groupType: 'classic' })
    const committed = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [0] }] })
    expect(committed.get(topic)).toEqual([2n])
  })
})
