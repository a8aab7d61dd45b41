/**
 * The router behind a real socket: what a broker does with requests before any rule is asked, row by row as a real
 * broker did it (rows 1 to 41 of its behaviour, Kafka 4.3.1), and what it does when a handler fails.
 */
import { afterEach, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import type { Api, RequestOf, ResponseOf } from '../../../src/adapters/wire/api.ts'
import { produce } from '../../../src/adapters/wire/apis/00-produce.ts'
import { metadata } from '../../../src/adapters/wire/apis/03-metadata.ts'
import { apiVersions } from '../../../src/adapters/wire/apis/18-api-versions.ts'
import type { AnsweringBroker } from '../../../src/adapters/wire/handlers/api-versions.ts'
import { served } from '../../../src/adapters/wire/handlers/index.ts'
import { type Handlers, servedApis } from '../../../src/adapters/wire/handlers/served-apis.ts'
import { CLOSE_CONNECTION, NO_RESPONSE } from '../../../src/adapters/wire/handler.ts'
import { Router } from '../../../src/adapters/wire/router.ts'
import { emptyImage } from '../../../src/domain/cluster/cluster-evolution.ts'
import { LogLines, startServer, turns, type RunningServer } from '../../support/tcp.ts'
import { decodeResponse, encodeRequest } from '../../support/wire-client.ts'

interface Row {
  readonly row: number
  readonly api: string
  readonly what: string
  readonly requestHex: string
  readonly responseHex: string | null
}

const rows: readonly Row[] = readFileSync(new URL('../../fixtures/wire/behaviour.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row)
const rowNumbered = (number: number) => rows.find(({ row }) => row === number)!

/** The bytes that were put on the socket. */
function sentBytes({ what, requestHex }: Row): Buffer {
  const bytes = Buffer.from(requestHex, 'hex')
  if (what.includes('INCLUDES the 4 size bytes')) return bytes
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([size, bytes])
}

const broker: AnsweringBroker = {
  nodeId: 1,
  image: () => ({
    ...emptyImage('the-cluster'),
    offset: 39n,
    features: new Map([
      ['group.version', 1],
      ['metadata.version', 30],
    ]),
  }),
}

let running: RunningServer | null = null

/** Every handler but those given fails. */
async function serve(handlers: Partial<Handlers> = {}): Promise<RunningServer> {
  const log = new LogLines()
  const failing = Object.fromEntries(
    servedApis.map(({ name }) => [
      name,
      () => {
        throw new Error(`${name} was asked`)
      },
    ]),
  )
  const table = served({ ...(failing as unknown as Handlers), ...handlers }, broker)
  running = await startServer(new Router(table, log), {}, log)
  return running
}

afterEach(async () => {
  await running?.stop()
  running = null
})

async function ask<A extends Api>(api: A, version: number, body: RequestOf<A> | object, handlers?: Partial<Handlers>) {
  const { connect, log } = await serve(handlers)
  const client = await connect()
  client.write(encodeRequest(api, version, body as Parameters<typeof encodeRequest<A>>[2], 77))
  const [frame] = await client.receive(1)
  return { frame, response: frame && decodeResponse(api, version, frame), client, log }
}

describe('framing and unknown requests, as a real broker takes them', () => {
  const closing = [6, 14, 15, 16, 17, 19, 20, 21, 22, 24, 25, 26, 27, 29, 30, 32, 35, 36]

  it.each(closing.map((number) => [number, rowNumbered(number).api, rowNumbered(number).what] as const))(
    'row %i: %s, %s: closes',
    async (number) => {
      const { connect, log } = await serve()
      const client = await connect()
      client.write(sentBytes(rowNumbered(number)))
      expect(await client.ended()).toBe('fin')
      expect(client.frames).toEqual([])
      expect(client.betweenFrames).toBe(true)
      expect(log.loud.length).toBe(1)
      expect(log.loud[0]).toMatchObject({ level: 'warn', event: 'connection closed' })
      expect(log.loud[0]!.fields).toMatchObject({ client: '/127.0.0.1', reason: expect.any(String) })
    },
  )

  it('row 31: waits for the largest request to come', async () => {
    const { connect } = await serve()
    const client = await connect()
    client.write(sentBytes(rowNumbered(31)))
    await turns(100)
    expect(client.ending).toBeNull()
  })

  it('row 34: half a request, then FIN: closes quietly', async () => {
    const { connect, log } = await serve()
    const client = await connect()
    client.write(sentBytes(rowNumbered(34)))
    client.socket.end()
    expect(await client.ended()).toBe('fin')
    expect(log.loud).toEqual([])
  })

  it.each([10, 11, 40, 41])('row %i: answers byte for byte', async (number) => {
    const { connect } = await serve()
    const client = await connect()
    client.write(sentBytes(rowNumbered(number)))
    const [frame] = await client.receive(1)
    expect(frame!.toString('hex')).toBe(rowNumbered(number).responseHex)
  })

  it('row 7: answers an unknown version of ApiVersions in version 0', async () => {
    const { connect } = await serve()
    const client = await connect()
    client.write(sentBytes(rowNumbered(7)))
    const [frame] = await client.receive(1)
    // The real broker was a 4.3: its highest version is 4, ours 5.
    expect(frame!.toString('hex')).toBe(rowNumbered(7).responseHex!.replace(/0004$/, '0005'))
  })

  it('row 9: version 5 is one of ours, so that a body without its fields cannot be read', async () => {
    const { connect, log } = await serve()
    const client = await connect()
    client.write(sentBytes(rowNumbered(9)))
    expect(await client.ended()).toBe('fin')
    expect(String(log.loud[0]!.fields['reason'])).toContain('ApiVersions v5 cannot be read')
  })

  it('row 12: skips unknown tagged fields', async () => {
    const { connect } = await serve()
    const client = await connect()
    client.write(sentBytes(rowNumbered(12)))
    const [frame] = await client.receive(1)
    expect(decodeResponse(apiVersions, 3, frame!).errorCode).toBe(0)
  })

  it('row 37: ignores bytes behind the body', async () => {
    const real = decodeResponse(metadata, 1, Buffer.from(rowNumbered(37).responseHex!, 'hex'))
    const { connect } = await serve({ Metadata: () => real })
    const client = await connect()
    client.write(sentBytes(rowNumbered(37)))
    const [frame] = await client.receive(1)
    expect(frame!.toString('hex')).toBe(rowNumbered(37).responseHex)
  })

  it('row 39: answers in the order of the requests', async () => {
    let answer: (value: ResponseOf<typeof metadata>) => void = () => undefined
    const { connect } = await serve({ Metadata: () => new Promise((resolve) => (answer = resolve)) })
    const client = await connect()
    client.write(
      Buffer.concat([encodeRequest(metadata, 12, { topics: [] }, 501), encodeRequest(apiVersions, 0, {}, 502)]),
    )
    await turns(50)
    expect(client.frames).toEqual([])
    answer({ brokers: [], topics: [] })
    expect((await client.receive(2)).map((frame) => frame.readInt32BE(0))).toEqual([501, 502])
  })
})

describe('ApiVersions', () => {
  const real = decodeResponse(apiVersions, 3, Buffer.from(rowNumbered(12).responseHex!, 'hex'))
  const software = { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' }

  it.each([0, 1, 2, 3, 4, 5])(
    'v%i: tells what is served, at least as wide as a real broker, and nothing else',
    async (v) => {
      const { response } = await ask(apiVersions, v, software)
      const { apiKeys } = response!
      expect(apiKeys.map(({ apiKey }) => apiKey)).toEqual(servedApis.map(({ key }) => key))
      for (const { apiKey, minVersion, maxVersion } of apiKeys) {
        const theirs = real.apiKeys.find((other) => other.apiKey === apiKey)!
        expect(minVersion).toBe(theirs.minVersion)
        expect(maxVersion).toBeGreaterThanOrEqual(apiKey === 22 ? 5 : theirs.maxVersion)
      }
    },
  )

  it('tells features from version 3 on, those from level 0 on from version 4 on', async () => {
    const { response: v2 } = await ask(apiVersions, 2, {})
    expect(v2).toMatchObject({ supportedFeatures: [], finalizedFeatures: [], finalizedFeaturesEpoch: -1n })
    await running!.stop()
    const { response: v3 } = await ask(apiVersions, 3, software)
    expect(v3!.supportedFeatures).toEqual([{ name: 'metadata.version', minVersion: 7, maxVersion: 33 }])
    expect(v3).toMatchObject({ finalizedFeaturesEpoch: 39n, zkMigrationReady: false })
    expect(v3!.finalizedFeatures).toEqual([
      { name: 'group.version', maxVersionLevel: 1, minVersionLevel: 1 },
      { name: 'metadata.version', maxVersionLevel: 30, minVersionLevel: 30 },
    ])
    await running!.stop()
    const { response: v4 } = await ask(apiVersions, 4, software)
    expect(v4!.supportedFeatures.map(({ name }) => name)).toEqual([
      'eligible.leader.replicas.version',
      'group.version',
      'kraft.version',
      'metadata.version',
      'share.version',
      'streams.version',
      'transaction.version',
    ])
  })

  it.each([
    ['names no cluster', { ...software }, 0],
    ['means us', { ...software, clusterId: 'the-cluster', nodeId: 1 }, 0],
    ['means another cluster', { ...software, clusterId: 'other', nodeId: 1 }, 129],
    ['means another broker', { ...software, clusterId: 'the-cluster', nodeId: 2 }, 129],
  ])('v5: a client that %s', async (_, body, error) => {
    const { response } = await ask(apiVersions, 5, body)
    expect(response!.errorCode).toBe(error)
    expect(response!.apiKeys.length > 0).toBe(error === 0)
  })
})

describe('failing handlers', () => {
  /** A request body with one of everything, for what a failure response has to repeat. */
  const bodies: Readonly<Record<string, object>> = {
    Produce: { acks: 1, timeoutMs: 0, topicData: [{ name: 't', partitionData: [{ index: 3, records: null }] }] },
    Fetch: {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic: 't', partitions: [{ partition: 3, fetchOffset: 0n, partitionMaxBytes: 1 }] }],
    },
    ListOffsets: { replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 3, timestamp: -1n }] }] },
    Metadata: { topics: [{ name: 't' }] },
    FindCoordinator: { coordinatorKeys: ['g'] },
    CreateTopics: {
      topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    },
    DeleteTopics: { topicNames: ['t'], timeoutMs: 0 },
    DeleteRecords: { topics: [{ name: 't', partitions: [{ partitionIndex: 3, offset: 0n }] }], timeoutMs: 0 },
    InitProducerId: { transactionalId: null, transactionTimeoutMs: 0 },
    OffsetForLeaderEpoch: { topics: [{ topic: 't', partitions: [{ partition: 3, leaderEpoch: 0 }] }] },
    DescribeConfigs: { resources: [{ resourceType: 2, resourceName: 't', configurationKeys: null }] },
    AlterConfigs: { resources: [{ resourceType: 2, resourceName: 't', configs: [] }], validateOnly: false },
    IncrementalAlterConfigs: { resources: [{ resourceType: 2, resourceName: 't', configs: [] }], validateOnly: false },
    DescribeLogDirs: { topics: null },
    CreatePartitions: { topics: [{ name: 't', count: 3, assignments: null }], timeoutMs: 0, validateOnly: false },
    DescribeCluster: { includeClusterAuthorizedOperations: false },
    ListConfigResources: {},
    DescribeTopicPartitions: { topics: [{ name: 't' }] },
  }
  /** What a version cannot say is left out. */
  const bodyFor = (api: Api, version: number): object => {
    if (api.name === 'FindCoordinator' && version < 4) return { key: 'g' }
    if (api.name === 'DeleteTopics' && version >= 6) return { topics: [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }], timeoutMs: 0 } // prettier-ignore
    return bodies[api.name]!
  }
  const cases = servedApis
    .filter(({ name }) => name in bodies)
    .flatMap((api: Api) => [api.versions.min, api.versions.max].map((version) => [api.name, version, api] as const))

  it.each(cases)(
    '%s v%i: says UNKNOWN_SERVER_ERROR where clients look for it, and logs it once',
    async (name, v, api) => {
      const { response, log, client } = await ask(api, v, bodyFor(api, v))
      const text = JSON.stringify(response, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))
      const silent = (name === 'DescribeLogDirs' && v < 3) || response === undefined
      if (!silent) expect(text).toContain('"errorCode":-1')
      expect(log.loud).toEqual([
        {
          level: 'error',
          event: 'request failed',
          fields: expect.objectContaining({
            api: name,
            version: v,
            correlationId: 77,
            clientId: 'wire-client',
            client: '/127.0.0.1',
            error: expect.objectContaining({ message: `${name} was asked` }),
          }),
        },
      ])
      expect(client.ending).toBeNull()
    },
  )

  it('does the same for a promise that is rejected, and for a response that cannot be written', async () => {
    const { response, log } = await ask(metadata, 1, { topics: [{ name: 't' }] }, {
      Metadata: () => Promise.reject(new Error('later')),
    }) // prettier-ignore
    expect(response!.topics[0]!.errorCode).toBe(-1)
    expect(log.loud.length).toBe(1)
    await running!.stop()
    const broken = { brokers: [{ nodeId: 1, host: 'x'.repeat(40_000), port: 1 }], topics: [] }
    const second = await ask(metadata, 1, { topics: [{ name: 't' }] }, { Metadata: () => broken })
    expect(second.response!.topics[0]!.errorCode).toBe(-1)
    expect(second.log.loud.length).toBe(1)
  })

  it('closes the connection of a failed Produce that nobody waits for', async () => {
    const { connect, log } = await serve()
    const client = await connect()
    client.write(encodeRequest(produce, 9, { acks: 0, timeoutMs: 0, topicData: [] }))
    expect(await client.ended()).toBe('fin')
    expect(log.loud.map(({ event }) => event)).toEqual(['request failed'])
  })

  it('sends nothing, or closes, when the handler says so', async () => {
    const { connect, log } = await serve({
      Produce: ({ timeoutMs }) => (timeoutMs === 0 ? NO_RESPONSE : CLOSE_CONNECTION),
      Metadata: () => ({ brokers: [], topics: [] }),
    })
    const client = await connect()
    const silent = encodeRequest(produce, 9, { acks: 0, timeoutMs: 0, topicData: [] }, 1)
    const closing = encodeRequest(produce, 9, { acks: 0, timeoutMs: 1, topicData: [] }, 3)
    const asking = encodeRequest(metadata, 1, { topics: [] }, 2)
    client.write(Buffer.concat([silent, asking, silent, closing, asking]))
    expect(await client.ended()).toBe('fin')
    expect(client.frames.map((frame) => frame.readInt32BE(0))).toEqual([2])
    expect(log.loud).toEqual([])
  })
})
