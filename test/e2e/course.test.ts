/** Started as the training course starts a broker: `./your_program.sh FILE` over a directory formatted by hand. */
import { afterEach, describe, expect, it } from '@jest/globals'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { produce } from '../../src/adapters/wire/apis/00-produce.ts'
import { fetch } from '../../src/adapters/wire/apis/01-fetch.ts'
import { apiVersions } from '../../src/adapters/wire/apis/18-api-versions.ts'
import { describeTopicPartitions } from '../../src/adapters/wire/apis/75-describe-topic-partitions.ts'
import { errorCode } from '../../src/domain/errors.ts'
import { ZERO_UUID } from '../../src/domain/uuid.ts'
import { courseTopicId, writeCourse, type CourseDirectory, type CourseTopic } from '../support/course-directory.ts'
import { batchOf, fetchFrom } from '../support/records.ts'
import { startServer, temporaryFolder, type ServerProcess } from '../support/server-process.ts'
import { decodeResponse, encodeRequest, WireClient } from '../support/wire-client.ts'

const nothing = new Uint8Array()
/** The course's producer leaves no trace of itself: one id, and the first sequence again and again. */
const stored = (baseOffset: bigint, ...values: string[]) =>
  batchOf(values, { baseOffset, leaderEpoch: 0, producerId: 0n, producerEpoch: 0, baseSequence: 0 })

const topics: readonly CourseTopic[] = [
  { name: 'pax', id: courseTopicId(0x91), partitions: [nothing, nothing] },
  {
    name: 'foo',
    id: courseTopicId(0x92),
    partitions: [Buffer.concat([stored(0n, 'Hello World!'), stored(1n, 'Hello', 'Universe!')])],
  },
  { name: 'bar', id: courseTopicId(0x93), partitions: [nothing, stored(0n, 'one'), nothing] },
]
const [pax, foo, bar] = topics as readonly [CourseTopic, CourseTopic, CourseTopic]

let folder: ReturnType<typeof temporaryFolder>
let server: ServerProcess
let client: WireClient

async function start(directory: Partial<CourseDirectory> = {}): Promise<void> {
  folder = temporaryFolder()
  server = await startServer([writeCourse(folder.path, { topics, ...directory })], folder.path)
  client = await WireClient.connect(server.host, server.port)
}

afterEach(async () => {
  client.close()
  expect(await server.stop()).toBe(0)
  expect(server.lines.filter(({ level }) => level === 'error')).toEqual([])
  folder.remove()
})

const logFile = (topic: CourseTopic, partition: number): Buffer =>
  readFileSync(join(folder.path, 'kraft-combined-logs', `${topic.name}-${partition}`, '00000000000000000000.log'))

const describeTopics = (names: readonly string[]) =>
  client.send(describeTopicPartitions, 0, {
    topics: names.map((name) => ({ name })),
    responsePartitionLimit: 100,
    cursor: null,
  })

const partitionsOf = (topic: CourseTopic) =>
  topic.partitions.map((_, partitionIndex) =>
    expect.objectContaining({ errorCode: 0, partitionIndex, leaderId: 1, replicaNodes: [1], isrNodes: [1] }),
  )

describe('ApiVersions', () => {
  it('v4 lists what is served, v99 is answered with error 35 and version 0', async () => {
    await start()
    const request = { clientSoftwareName: 'kafka-cli', clientSoftwareVersion: '0.1' }
    const { errorCode: error, apiKeys, throttleTimeMs } = await client.send(apiVersions, 4, request)
    expect([error, throttleTimeMs]).toEqual([0, 0])
    const range = (key: number) => {
      const found = apiKeys.find(({ apiKey }) => apiKey === key)
      return found === undefined ? null : [found.minVersion, found.maxVersion]
    }
    expect(range(18)![1]).toBeGreaterThanOrEqual(4)
    expect(range(75)![0]).toBe(0)
    expect(range(1)![1]).toBeGreaterThanOrEqual(16)
    expect(range(0)![1]).toBeGreaterThanOrEqual(11)

    const unknown = encodeRequest(apiVersions, 4, request, 0x1234_5678)
    unknown.writeInt16BE(99, 6)
    const answer = (await client.sendRaw(unknown))!
    expect(answer.readInt32BE(0)).toBe(0x1234_5678)
    expect(decodeResponse(apiVersions, 0, answer).errorCode).toBe(errorCode('UNSUPPORTED_VERSION'))
  })

  it('is served from a log directory that does not exist yet', async () => {
    await start()
    await server.stop()
    rmSync(join(folder.path, 'kraft-combined-logs'), { recursive: true })
    server = await startServer([join(folder.path, 'server.properties')], folder.path)
    client.close()
    client = await WireClient.connect(server.host, server.port)
    const { errorCode: error } = await client.send(apiVersions, 4, {
      clientSoftwareName: 'kafka-cli',
      clientSoftwareVersion: '0.1',
    })
    expect(error).toBe(0)
  })

  it('answers many clients at once, and each one’s requests in their order', async () => {
    await start()
    const others = await Promise.all(Array.from({ length: 8 }, () => WireClient.connect(server.host, server.port)))
    const correlations = await Promise.all(
      others.map(async (other) => {
        const ids = Array.from({ length: 20 }, (_, i) => i + 7)
        const answers = ids.map((id) =>
          other.sendRaw(
            encodeRequest(apiVersions, 4, { clientSoftwareName: 'kafka-cli', clientSoftwareVersion: '0.1' }, id),
          ),
        )
        const got = (await Promise.all(answers)).map((answer) => answer!.readInt32BE(0))
        return got.join() === ids.join()
      }),
    )
    others.forEach((other) => other.close())
    expect(correlations).toEqual(others.map(() => true))
  })
})

describe('DescribeTopicPartitions', () => {
  it('answers an unknown topic with its name, no id and error 3', async () => {
    await start()
    const answer = await describeTopics(['unknown-topic-quz'])
    expect(answer).toMatchObject({
      throttleTimeMs: 0,
      topics: [{ errorCode: 3, name: 'unknown-topic-quz', topicId: ZERO_UUID, isInternal: false, partitions: [] }],
      nextCursor: null,
    })
  })

  it.each<[string, Partial<CourseDirectory>]>([
    ['cleanly stopped', {}],
    ['not cleanly stopped', { cleanShutdown: false }],
    ['without topic folders', { topicFolders: false }],
    ['without a metadata log', { metadataLog: false }],
    ['without a metadata log, not cleanly stopped', { metadataLog: false, cleanShutdown: false }],
    ['with an empty metadata log', { metadataLog: 'empty' }],
  ])('finds one topic and several, sorted, in a directory %s', async (_, directory) => {
    await start(directory)
    const one = await describeTopics([bar.name])
    expect(one.topics).toEqual([
      expect.objectContaining({ errorCode: 0, name: bar.name, topicId: bar.id, partitions: partitionsOf(bar) }),
    ])
    const all = await describeTopics([pax.name, foo.name, bar.name])
    expect(all.topics).toEqual(
      [bar, foo, pax].map((topic) =>
        expect.objectContaining({ name: topic.name, topicId: topic.id, partitions: partitionsOf(topic) }),
      ),
    )
  })
})

describe('Fetch v16', () => {
  it('answers no topics with nothing, an unknown id with error 100, an empty topic without records', async () => {
    await start()
    const none = await client.send(fetch, 16, { maxWaitMs: 500, minBytes: 0, topics: [], forgottenTopicsData: [] })
    expect(none).toMatchObject({ throttleTimeMs: 0, errorCode: 0, responses: [] })
    const unknown = await fetchFrom(client, courseTopicId(0x77), 0, 0n)
    expect(unknown).toMatchObject({
      errorCode: 0,
      responses: [{ topicId: courseTopicId(0x77), partitions: [{ partitionIndex: 0, errorCode: 100 }] }],
    })
    const empty = await fetchFrom(client, pax.id, 1, 0n)
    expect(empty.responses).toMatchObject([
      { topicId: pax.id, partitions: [{ partitionIndex: 1, errorCode: 0, highWatermark: 0n }] },
    ])
    expect(empty.responses[0]!.partitions[0]!.records ?? nothing).toHaveLength(0)
  })

  it.each<[string, Partial<CourseDirectory>]>([
    ['cleanly stopped', {}],
    ['not cleanly stopped', { cleanShutdown: false }],
    ['without a metadata log', { metadataLog: false }],
  ])('sends what the files hold, byte for byte, from a directory %s', async (_, directory) => {
    await start(directory)
    for (const [topic, partition] of [
      [foo, 0],
      [bar, 1],
    ] as const) {
      const answer = await fetchFrom(client, topic.id, partition, 0n)
      const { errorCode: error, records } = answer.responses[0]!.partitions[0]!
      expect(error).toBe(0)
      expect(Buffer.from(records!)).toEqual(Buffer.from(topic.partitions[partition]!))
    }
    expect(logFile(foo, 0)).toEqual(Buffer.from(foo.partitions[0]!))
  })
})

describe('Produce v11', () => {
  type Data = readonly (readonly [topic: string, partitions: readonly (readonly [number, Uint8Array])[]])[]
  const send = (data: Data) =>
    client.send(produce, 11, {
      acks: -1,
      timeoutMs: 5_000,
      topicData: data.map(([name, partitions]) => ({
        name,
        partitionData: partitions.map(([index, records]) => ({ index, records })),
      })),
    })
  const written = (index: number) =>
    expect.objectContaining({ index, errorCode: 0, baseOffset: 0n, logAppendTimeMs: -1n, logStartOffset: 0n })
  const refused = (index: number) =>
    expect.objectContaining({ index, errorCode: 3, baseOffset: -1n, logAppendTimeMs: -1n, logStartOffset: -1n })

  it('refuses an unknown topic and an unknown partition with error 3', async () => {
    await start()
    const answer = await send([
      ['unknown-topic', [[0, stored(0n, 'x')]]],
      [pax.name, [[7, stored(0n, 'x')]]],
    ])
    expect(answer.throttleTimeMs).toBe(0)
    expect(answer.responses).toEqual([
      { name: 'unknown-topic', topicId: ZERO_UUID, partitionResponses: [refused(0)] },
      { name: pax.name, topicId: ZERO_UUID, partitionResponses: [refused(7)] },
    ])
  })

  it.each<[string, Partial<CourseDirectory>]>([
    ['cleanly stopped', {}],
    ['not cleanly stopped', { cleanShutdown: false }],
    ['without topic folders', { topicFolders: false }],
    ['without a metadata log', { metadataLog: false }],
  ])('writes to one partition, then to several of several topics, in a directory %s', async (_, directory) => {
    await start(directory)
    const single = stored(0n, 'Hello Kafka!')
    const first = await send([[pax.name, [[0, single]]]])
    expect(first).toMatchObject({ throttleTimeMs: 0 })
    expect(first.responses).toEqual([{ name: pax.name, topicId: ZERO_UUID, partitionResponses: [written(0)] }])
    expect(logFile(pax, 0)).toEqual(Buffer.from(single))

    const several = [
      [pax, 1, stored(0n, 'a', 'b')],
      [bar, 0, stored(0n, 'c')],
      [bar, 2, stored(0n, 'd', 'e', 'f')],
    ] as const
    const answer = await send([
      [pax.name, [[1, several[0][2]]]],
      [bar.name, several.slice(1).map(([, partition, batch]) => [partition, batch] as const)],
    ])
    const files = several.map(([topic, partition]) => logFile(topic, partition))
    expect(answer.throttleTimeMs).toBe(0)
    expect(answer.responses).toEqual([
      { name: pax.name, topicId: ZERO_UUID, partitionResponses: [written(1)] },
      { name: bar.name, topicId: ZERO_UUID, partitionResponses: [written(0), written(2)] },
    ])
    expect(files).toEqual(several.map(([, , batch]) => Buffer.from(batch)))
  })
})
