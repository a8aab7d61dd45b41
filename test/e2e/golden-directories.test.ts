/** Directories that a real Kafka 4.3.1 wrote, opened by `./your_program.sh` with their own properties. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiVersions } from '../../src/adapters/wire/apis/18-api-versions.ts'
import { listOffsets } from '../../src/adapters/wire/apis/02-list-offsets.ts'
import { metadata } from '../../src/adapters/wire/apis/03-metadata.ts'
import { describeConfigs } from '../../src/adapters/wire/apis/32-describe-configs.ts'
import { batchesIn, canonicalHash, fetchFrom, readPartition } from '../support/records.ts'
import { startServer, temporaryFolder, type ServerProcess } from '../support/server-process.ts'
import { WireClient } from '../support/wire-client.ts'

const golden = join(import.meta.dirname, '..', 'fixtures', 'golden')

interface ExpectedPartition {
  readonly p: number
  readonly logStartOffset: number
  readonly endOffset: number
  readonly lastStableOffset?: number
  readonly startLeaderEpoch: number
  readonly maxTimestamp: { readonly offset: number; readonly timestamp: number }
  readonly readUncommitted: { readonly count: number; readonly sha256: string }
  readonly readCommitted: { readonly count: number; readonly sha256: string }
}

interface ExpectedAbort {
  readonly producerId: number
  readonly firstOffset: number
}

interface AnsweredAbort {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

interface Expected {
  /** By partition folder. */
  readonly abortedTransactions?: Readonly<Record<string, readonly ExpectedAbort[]>>
  readonly clusterId: string
  readonly finalizedFeatures: Readonly<Record<string, number>>
  readonly topics: Readonly<
    Record<
      string,
      {
        readonly id: string
        readonly internal: boolean
        readonly configs: Readonly<Record<string, string>>
        readonly partitions: readonly ExpectedPartition[]
      }
    >
  >
  readonly dynamicBrokerConfigs_1: Readonly<Record<string, string>>
  readonly dynamicBrokerConfigs_default: Readonly<Record<string, string>>
  readonly otherConfigResources: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Kafka's numbers for config resources and for the sources of their values. */
const resourceTypes = { TOPIC: 2, BROKER: 4, CLIENT_METRICS: 16, GROUP: 32 } as const
const sources = { TOPIC: 1, BROKER: 2, DEFAULT_BROKER: 3, CLIENT_METRICS: 7, GROUP: 8 } as const

const earliest = -2n
const latest = -1n
const maxTimestamp = -3n

/** Its own properties, but for the ports, the place, and an authorizer, which is refused as long as there is none. */
function adaptedProperties(name: string, folder: string): string {
  const own = readFileSync(join(golden, name, 'server.properties'), 'utf8')
  const lines = own
    .replaceAll('@RUN@', folder)
    .replace(/^(advertised\.listeners|authorizer\.class\.name|super\.users)=.*\n/gm, '')
    .replace(/^listeners=.*$/m, 'listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0')
  const file = join(folder, 'server.properties')
  writeFileSync(file, lines)
  return file
}

/** The offsets that a consumer of what is committed skips (KIP-98). */
function abortedOffsets(bytes: Uint8Array, aborted: readonly AnsweredAbort[]): Set<bigint> {
  const skipped = new Set<bigint>()
  const aborting = new Set<bigint>()
  const ahead = new Set(aborted)
  for (const batch of batchesIn(bytes)) {
    for (const abort of ahead) {
      if (abort.firstOffset > batch.lastOffset) continue
      ahead.delete(abort)
      aborting.add(abort.producerId)
    }
    if (batch.isControl) aborting.delete(batch.producerId)
    else if (batch.isTransactional && aborting.has(batch.producerId)) {
      for (let offset = batch.baseOffset; offset <= batch.lastOffset; offset++) skipped.add(offset)
    }
  }
  return skipped
}

describe.each(['basic-clean', 'compacted', 'crashed', 'groups-txns', 'scram-acls-quotas'])('%s', (name) => {
  const expected = JSON.parse(readFileSync(join(golden, name, 'expected.json'), 'utf8')) as Expected
  const topics = Object.entries(expected.topics)
  const folder = temporaryFolder()
  let server: ServerProcess
  let client: WireClient

  beforeAll(async () => {
    cpSync(join(golden, name, 'data'), join(folder.path, 'data'), { recursive: true })
    server = await startServer([adaptedProperties(name, folder.path)], folder.path)
    client = await WireClient.connect(server.host, server.port)
  })

  const restart = async (end: (server: ServerProcess) => Promise<unknown>) => {
    client.close()
    await end(server)
    server = await startServer([join(folder.path, 'server.properties')], folder.path)
    client = await WireClient.connect(server.host, server.port)
  }

  afterAll(async () => {
    client.close()
    await server.stop()
    folder.remove()
  })

  it('is the cluster that it was, with its topics and their ids', async () => {
    const answer = await client.send(metadata, 12, {
      topics: null,
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: false,
    })
    expect(answer.clusterId).toBe(expected.clusterId)
    const found = answer.topics.map((topic) => ({
      name: topic.name,
      id: topic.topicId,
      internal: topic.isInternal,
      partitions: topic.partitions.map(({ errorCode, leaderId, replicaNodes, isrNodes }) => {
        return { errorCode, leaderId, replicaNodes, isrNodes }
      }),
    }))
    const partition = { errorCode: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] }
    expect(found.sort((a, b) => (a.name! < b.name! ? -1 : 1))).toEqual(
      topics
        .map(([topic, { id, internal, partitions }]) => {
          return { name: topic, id, internal, partitions: partitions.map(() => partition) }
        })
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    )
  })

  it('keeps its feature levels', async () => {
    const { finalizedFeatures } = await client.send(apiVersions, 4, {
      clientSoftwareName: 'test',
      clientSoftwareVersion: '1',
    })
    expect(Object.fromEntries(finalizedFeatures.map((feature) => [feature.name, feature.maxVersionLevel]))).toEqual(
      expected.finalizedFeatures,
    )
  })

  it('has its offsets and largest timestamps', async () => {
    for (const [topic, { partitions }] of topics) {
      const ask = async (timestamp: bigint) => {
        const { topics } = await client.send(listOffsets, 8, {
          replicaId: -1,
          isolationLevel: 0,
          topics: [{ name: topic, partitions: partitions.map(({ p }) => ({ partitionIndex: p, timestamp })) }],
        })
        return topics[0]!.partitions
      }
      const [first, last, newest] = [await ask(earliest), await ask(latest), await ask(maxTimestamp)]
      const found = first.map(({ errorCode, offset, leaderEpoch }, i) => ({
        errorCode,
        start: offset,
        // an empty log has none of its own: the leader's is told, which grows with each start
        startLeaderEpoch: last[i]!.offset === offset ? null : leaderEpoch,
        end: last[i]!.offset,
        max: { offset: newest[i]!.offset, timestamp: newest[i]!.timestamp },
      }))
      expect([topic, found]).toEqual([
        topic,
        partitions.map((partition) => ({
          errorCode: 0,
          start: BigInt(partition.logStartOffset),
          startLeaderEpoch: partition.endOffset === partition.logStartOffset ? null : partition.startLeaderEpoch,
          end: BigInt(partition.endOffset),
          max: {
            offset: BigInt(partition.maxTimestamp.offset),
            timestamp: BigInt(partition.maxTimestamp.timestamp),
          },
        })),
      ])
    }
  })

  const checkRecords = async () => {
    for (const [topic, { partitions }] of topics) {
      for (const { p, readUncommitted } of partitions) {
        const { records } = await readPartition(client, topic, p)
        expect([topic, p, records.length, canonicalHash(records)]).toEqual([
          topic,
          p,
          readUncommitted.count,
          readUncommitted.sha256,
        ])
      }
    }
  }
  it('has its records', checkRecords)

  it('tells readers of what is committed how far it goes and what was aborted', async () => {
    for (const [topic, { id, partitions }] of topics) {
      for (const { p, logStartOffset, endOffset, lastStableOffset = endOffset, readCommitted } of partitions) {
        if (logStartOffset === lastStableOffset) continue
        const answer = await fetchFrom(client, id, p, BigInt(logStartOffset), { isolationLevel: 1 })
        const found = answer.responses[0]!.partitions[0]!
        const aborted = expected.abortedTransactions?.[`${topic}-${p}`] ?? []
        expect([topic, p, found.lastStableOffset, found.abortedTransactions]).toEqual([
          topic,
          p,
          BigInt(lastStableOffset),
          aborted.map(({ producerId, firstOffset }) => {
            return { producerId: BigInt(producerId), firstOffset: BigInt(firstOffset) }
          }),
        ])
        const { bytes, records } = await readPartition(client, topic, p)
        const aborts = abortedOffsets(bytes, found.abortedTransactions ?? [])
        const committed = records.filter(({ offset }) => offset < found.lastStableOffset && !aborts.has(offset))
        expect([topic, p, committed.length, canonicalHash(committed)]).toEqual([
          topic,
          p,
          readCommitted.count,
          readCommitted.sha256,
        ])
      }
    }
  })

  const configsOf = async (resourceType: number, resourceName: string, source: number) => {
    const { results } = await client.send(describeConfigs, 4, {
      resources: [{ resourceType, resourceName, configurationKeys: null }],
    })
    expect(results[0]).toMatchObject({ errorCode: 0 })
    const set = results[0]!.configs.filter(({ configSource }) => configSource === source)
    return Object.fromEntries(set.map((config) => [config.name, config.value]))
  }

  it('has its topics configured as they were', async () => {
    for (const [topic, { configs }] of topics) {
      expect([topic, await configsOf(resourceTypes.TOPIC, topic, sources.TOPIC)]).toEqual([topic, configs])
    }
  })

  it('has its brokers, groups and client metrics configured as they were', async () => {
    expect(await configsOf(resourceTypes.BROKER, '1', sources.BROKER)).toEqual(expected.dynamicBrokerConfigs_1)
    expect(await configsOf(resourceTypes.BROKER, '', sources.DEFAULT_BROKER)).toEqual(
      expected.dynamicBrokerConfigs_default,
    )
    for (const [resource, configs] of Object.entries(expected.otherConfigResources)) {
      const [type, resourceName] = resource.split(':') as ['GROUP' | 'CLIENT_METRICS', string]
      expect([resource, await configsOf(resourceTypes[type], resourceName, sources[type])]).toEqual([resource, configs])
    }
  })
  it('has them still after a clean stop, and after a kill', async () => {
    await restart((running) => running.stop())
    await checkRecords()
    await restart((running) => running.kill())
    await checkRecords()
    expect(server.lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})
