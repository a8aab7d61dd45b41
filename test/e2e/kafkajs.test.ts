/** An unmodified kafkajs against `./your_program.sh`. It reads in groups only, so records are read back with Fetch. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  CompressionCodecs,
  CompressionTypes,
  ConfigResourceTypes,
  Kafka,
  logLevel,
  Partitioners,
  ResourcePatternTypes,
  type Admin,
  type Producer,
} from 'kafkajs'
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { batchesIn, readPartition, textOf } from '../support/records.ts'
import { startServer, temporaryFolder, writeProperties, type ServerProcess } from '../support/server-process.ts'
import { WireClient } from '../support/wire-client.ts'

const compressor = new CodecCompressor()

/** kafkajs brings gzip only; the others are plugged in as its documentation says. */
for (const [type, codec] of [
  [CompressionTypes.Snappy, 'snappy'],
  [CompressionTypes.LZ4, 'lz4'],
  [CompressionTypes.ZSTD, 'zstd'],
] as const) {
  CompressionCodecs[type] = () => ({
    compress: async (encoder: { readonly buffer: Buffer }) => Buffer.from(compressor.compress(codec, encoder.buffer)),
    decompress: async (bytes: Buffer) => Buffer.from(compressor.decompress(codec, bytes, 1 << 26)),
  })
}

describe('kafkajs', () => {
  const folder = temporaryFolder()
  let server: ServerProcess
  let client: WireClient
  let kafka: Kafka
  let admin: Admin
  let producer: Producer

  beforeAll(async () => {
    server = await startServer([writeProperties(folder.path)], folder.path)
    client = await WireClient.connect(server.host, server.port)
    kafka = new Kafka({
      brokers: [server.bootstrap],
      logLevel: logLevel.NOTHING,
      retry: { retries: 2, initialRetryTime: 20 },
    })
    admin = kafka.admin()
    producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await Promise.all([admin.connect(), producer.connect()])
  })

  afterAll(async () => {
    await Promise.all([admin.disconnect(), producer.disconnect()])
    client.close()
    expect(await server.stop()).toBe(0)
    expect(server.lines.filter(({ level }) => level === 'error')).toEqual([])
    folder.remove()
  })

  const topicOf = async (topic: string, numPartitions = 1): Promise<string> => {
    await admin.createTopics({ topics: [{ topic, numPartitions }] })
    return topic
  }
  const valuesIn = async (topic: string, partition = 0) => {
    const { records } = await readPartition(client, topic, partition)
    return records.map(({ value }) => textOf(value))
  }

  it('creates topics, sees them, and is told when one is there already', async () => {
    expect(
      await admin.createTopics({
        topics: [
          { topic: 'made', numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '1234567' }] },
          { topic: 'made-too', numPartitions: 1, replicationFactor: 1 },
        ],
      }),
    ).toBe(true)
    expect(await admin.createTopics({ topics: [{ topic: 'made' }] })).toBe(false)
    expect(await admin.listTopics()).toEqual(expect.arrayContaining(['made', 'made-too']))
    const { topics } = await admin.fetchTopicMetadata({ topics: ['made'] })
    expect(topics).toMatchObject([
      {
        name: 'made',
        partitions: [0, 1, 2].map((partitionId) => ({ partitionId, leader: 1, replicas: [1], isr: [1] })),
      },
    ])
    await expect(admin.createTopics({ topics: [{ topic: 'no spaces' }] })).rejects.toThrow()
    await expect(
      admin.createTopics({ topics: [{ topic: 'too-many-replicas', replicationFactor: 2 }] }),
    ).rejects.toThrow()
  })

  it('describes the cluster', async () => {
    const { brokers, controller, clusterId } = await admin.describeCluster()
    expect({ brokers, controller }).toEqual({
      brokers: [{ nodeId: 1, host: server.host, port: server.port }],
      controller: 1,
    })
    expect(clusterId).toHaveLength(22)
  })

  it.each([-1, 1, 0])('produces with acks=%d', async (acks) => {
    const topic = await topicOf(`acks${acks}`)
    for (const value of ['a', 'b', 'c']) {
      const answers = await producer.send({ topic, acks, messages: [{ key: 'k', value, headers: { h: 'x' } }] })
      if (acks !== 0) expect(answers).toMatchObject([{ topicName: topic, partition: 0, errorCode: 0 }])
    }
    // nothing is answered to acks=0; the next request on that connection comes after it
    if (acks === 0) await producer.send({ topic, acks: 1, messages: [{ value: 'last' }] })
    const { records } = await readPartition(client, topic, 0)
    expect(records.slice(0, 3).map(({ offset, key, value }) => [offset, textOf(key), textOf(value)])).toEqual([
      [0n, 'k', 'a'],
      [1n, 'k', 'b'],
      [2n, 'k', 'c'],
    ])
    expect(records[0]!.headers.map(({ key, value }) => [key, textOf(value)])).toEqual([['h', 'x']])
  })

  it('produces idempotently, with sequences that go on', async () => {
    const topic = await topicOf('idempotent')
    const idempotent = kafka.producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner })
    await idempotent.connect()
    for (const value of ['1', '2', '3']) await idempotent.send({ topic, messages: [{ value }, { value: `${value}'` }] })
    await idempotent.disconnect()
    expect(await valuesIn(topic)).toEqual(['1', "1'", '2', "2'", '3', "3'"])
    const { bytes } = await readPartition(client, topic, 0)
    const batches = [...batchesIn(bytes)]
    expect(batches.map(({ baseSequence }) => baseSequence)).toEqual([0, 2, 4])
    expect(batches[0]!.producerId).toBeGreaterThanOrEqual(0n)
  })

  it.each([
    ['gzip', CompressionTypes.GZIP],
    ['snappy', CompressionTypes.Snappy],
    ['lz4', CompressionTypes.LZ4],
    ['zstd', CompressionTypes.ZSTD],
  ] as const)('produces with %s, stored as sent', async (codec, compression) => {
    const topic = await topicOf(codec)
    const values = Array.from({ length: 200 }, (_, i) => `value ${i} ${'x'.repeat(i)}`)
    await producer.send({ topic, compression, messages: values.map((value) => ({ value })) })
    expect(await valuesIn(topic)).toEqual(values)
    const { bytes } = await readPartition(client, topic, 0)
    expect([...batchesIn(bytes)].map((batch) => batch.codec)).toEqual([codec])
  })

  it('produces to several topics at once', async () => {
    const topics = [await topicOf('several-a', 2), await topicOf('several-b')]
    await producer.sendBatch({
      topicMessages: topics.map((topic) => ({ topic, messages: [{ partition: 0, value: `to ${topic}` }] })),
    })
    for (const topic of topics) expect(await valuesIn(topic)).toEqual([`to ${topic}`])
  })

  it('creates the topic that it produces to', async () => {
    await producer.send({ topic: 'created-by-use', messages: [{ value: 'v' }] })
    expect(await valuesIn('created-by-use')).toEqual(['v'])
  })

  it('asks offsets, by timestamp too, and deletes records', async () => {
    const topic = await topicOf('offsets')
    const start = 1_700_000_000_000
    for (let i = 0; i < 5; i++) {
      await producer.send({ topic, messages: [{ value: String(i), timestamp: String(start + i * 1000) }] })
    }
    expect(await admin.fetchTopicOffsets(topic)).toEqual([{ partition: 0, offset: '5', high: '5', low: '0' }])
    expect(await admin.fetchTopicOffsetsByTimestamp(topic, start + 1500)).toEqual([{ partition: 0, offset: '2' }])
    expect(await admin.fetchTopicOffsetsByTimestamp(topic, start + 9000)).toEqual([{ partition: 0, offset: '5' }])
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
    expect(await admin.fetchTopicOffsets(topic)).toEqual([{ partition: 0, offset: '5', high: '5', low: '3' }])
    expect(await valuesIn(topic)).toEqual(['3', '4'])
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] })
    expect(await admin.fetchTopicOffsets(topic)).toEqual([{ partition: 0, offset: '5', high: '5', low: '5' }])
  })

  it('describes and alters configs', async () => {
    const topic = await topicOf('configs')
    const describe = async () => {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: true,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms', 'cleanup.policy'] }],
      })
      return Object.fromEntries(resources[0]!.configEntries.map((entry) => [entry.configName, entry.configValue]))
    }
    expect(await describe()).toEqual({ 'retention.ms': '604800000', 'cleanup.policy': 'delete' })
    const alter = (value: string, validateOnly = false) =>
      admin.alterConfigs({
        validateOnly,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'retention.ms', value }] }],
      })
    await alter('1000', true)
    expect(await describe()).toMatchObject({ 'retention.ms': '604800000' })
    await alter('1000')
    expect(await describe()).toMatchObject({ 'retention.ms': '1000' })
    await expect(alter('soon')).rejects.toThrow()
  })

  it('adds partitions and uses them', async () => {
    const topic = await topicOf('growing')
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
    const grown = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await grown.connect()
    await grown.send({ topic, messages: [{ partition: 2, value: 'in the new one' }] })
    await grown.disconnect()
    expect(await valuesIn(topic, 2)).toEqual(['in the new one'])
    await expect(admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })).rejects.toThrow()
  })

  it('deletes topics, and one of the same name begins anew', async () => {
    const topic = await topicOf('short-lived')
    await producer.send({ topic, messages: [{ value: 'old' }] })
    await admin.deleteTopics({ topics: [topic] })
    expect(await admin.listTopics()).not.toContain(topic)
    await topicOf(topic)
    expect(await admin.fetchTopicOffsets(topic)).toEqual([{ partition: 0, offset: '0', high: '0', low: '0' }])
    await expect(admin.deleteTopics({ topics: ['never-there'] })).rejects.toThrow()
  })

  it('is refused what is not served, at once and clearly', async () => {
    await expect(
      admin.createAcls({
        acl: [
          {
            resourceType: AclResourceTypes.TOPIC,
            resourceName: 'x',
            resourcePatternType: ResourcePatternTypes.LITERAL,
            principal: 'User:a',
            host: '*',
            operation: AclOperationTypes.READ,
            permissionType: AclPermissionTypes.ALLOW,
          },
        ],
      }),
    ).rejects.toThrow()
  })
})
