/**
 * Every served API is asked a sensible question in every version that is served, over a socket: each gets an answer
 * in that version's form, and none of them is UNKNOWN_SERVER_ERROR.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { inRange, type Fields, type Message, type WritableOf } from '../../src/adapters/codec/schema.ts'
import type { Api } from '../../src/adapters/wire/api.ts'
import { createTopics } from '../../src/adapters/wire/apis/19-create-topics.ts'
import { produce } from '../../src/adapters/wire/apis/00-produce.ts'
import { metadata } from '../../src/adapters/wire/apis/03-metadata.ts'
import { servedApis } from '../../src/adapters/wire/handlers/served-apis.ts'
import { buildBatch } from '../../src/domain/log/batch-writer.ts'
import { Crc32cChecksum } from '../../src/adapters/system/crc32c-checksum.ts'
import { ZERO_UUID } from '../../src/domain/uuid.ts'
import { createBroker, type Broker } from '../../src/index.ts'
import { WireClient } from '../support/wire-client.ts'

const checksum = new Crc32cChecksum()
const batch = () =>
  buildBatch([{ timestamp: 1_000n, key: Buffer.from('k'), value: Buffer.from('v') }], {}, (b) => checksum.crc32c(b))
const topic = 'asked'

let broker: Broker
let client: WireClient
let topicId: string

beforeAll(async () => {
  broker = await createBroker({ 'group.initial.rebalance.delay.ms': 0 }).start()
  const { host, port } = broker.address()
  client = await WireClient.connect(host, port)
  const assignments: never[] = []
  const created = { name: topic, numPartitions: 1, replicationFactor: 1, assignments, configs: [] }
  topicId = (await client.send(createTopics, 7, { topics: [created], timeoutMs: 5000 })).topics[0]!.topicId
  await client.send(produce, 9, {
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records: batch() }] }],
  })
  await client.send(metadata, 12, { topics: [{ name: topic, topicId }] })
})

afterAll(async () => {
  client.close()
  await broker.close()
})

/** All fields that some version has; those that the asked version lacks are left out before writing. */
const questions: Readonly<Record<string, () => object>> = {
  Produce: () => ({
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name: topic, topicId, partitionData: [{ index: 0, records: batch() }] }],
  }),
  Fetch: () => ({
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1_000_000,
    sessionEpoch: -1,
    topics: [{ topic, topicId, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1_000_000 }] }],
  }),
  ListOffsets: () => ({
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
  }),
  Metadata: () => ({ topics: [{ name: topic }] }),
  OffsetCommit: () => ({
    groupId: 'simple',
    topics: [{ name: topic, topicId, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }] }],
  }),
  OffsetFetch: () => ({
    groupId: 'simple',
    topics: [{ name: topic, partitionIndexes: [0] }],
    groups: [{ groupId: 'simple', topics: [{ name: topic, topicId, partitionIndexes: [0] }] }],
  }),
  FindCoordinator: () => ({ key: 'simple', keyType: 0, coordinatorKeys: ['simple'] }),
  JoinGroup: () => ({
    groupId: 'classic',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  }),
  Heartbeat: () => ({ groupId: 'nobody', generationId: 1, memberId: 'm' }),
  LeaveGroup: () => ({ groupId: 'nobody', memberId: 'm', members: [{ memberId: 'm' }] }),
  SyncGroup: () => ({ groupId: 'nobody', generationId: 1, memberId: 'm', assignments: [] }),
  DescribeGroups: () => ({ groups: ['nobody'] }),
  ListGroups: () => ({}),
  SaslHandshake: () => ({ mechanism: 'PLAIN' }),
  ApiVersions: () => ({ clientSoftwareName: 'test', clientSoftwareVersion: '1' }),
  CreateTopics: () => ({
    topics: [{ name: 'validated', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 5000,
    validateOnly: true,
  }),
  DeleteTopics: () => ({ topics: [{ name: 'nope', topicId: ZERO_UUID }], topicNames: ['nope'], timeoutMs: 5000 }),
  DeleteRecords: () => ({
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 0n }] }],
    timeoutMs: 5000,
  }),
  InitProducerId: () => ({ transactionalId: null, transactionTimeoutMs: 60_000 }),
  AddPartitionsToTxn: () => ({
    transactions: [
      {
        transactionalId: 'nobody',
        producerId: 1n,
        producerEpoch: 0,
        verifyOnly: true,
        topics: [{ name: topic, partitions: [0] }],
      },
    ],
    v3AndBelowTransactionalId: 'nobody',
    v3AndBelowProducerId: 1n,
    v3AndBelowProducerEpoch: 0,
    v3AndBelowTopics: [{ name: topic, partitions: [0] }],
  }),
  AddOffsetsToTxn: () => ({ transactionalId: 'nobody', producerId: 1n, producerEpoch: 0, groupId: 'g' }),
  EndTxn: () => ({ transactionalId: 'nobody', producerId: 1n, producerEpoch: 0, committed: true }),
  WriteTxnMarkers: () => ({
    markers: [
      { producerId: 1n, producerEpoch: 0, transactionResult: true, topics: [{ name: topic, partitionIndexes: [0] }] },
    ],
  }),
  TxnOffsetCommit: () => ({
    transactionalId: 'nobody',
    groupId: 'g',
    producerId: 1n,
    producerEpoch: 0,
    topics: [{ name: topic, topicId, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }] }],
  }),
  DescribeProducers: () => ({ topics: [{ name: topic, partitionIndexes: [0] }] }),
  DescribeTransactions: () => ({ transactionalIds: ['nobody'] }),
  ListTransactions: () => ({ stateFilters: [], producerIdFilters: [] }),
  OffsetForLeaderEpoch: () => ({
    replicaId: -1,
    topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
  }),
  DescribeConfigs: () => ({
    resources: [
      { resourceType: 2, resourceName: topic, configurationKeys: null },
      { resourceType: 4, resourceName: '1', configurationKeys: null },
    ],
    includeSynonyms: true,
    includeDocumentation: true,
  }),
  AlterConfigs: () => ({
    resources: [{ resourceType: 2, resourceName: topic, configs: [{ name: 'retention.ms', value: '1000' }] }],
    validateOnly: true,
  }),
  DescribeLogDirs: () => ({ topics: null }),
  SaslAuthenticate: () => ({ authBytes: Buffer.alloc(0) }),
  CreatePartitions: () => ({
    topics: [{ name: topic, count: 2, assignments: null }],
    timeoutMs: 5000,
    validateOnly: true,
  }),
  DeleteGroups: () => ({ groupsNames: ['nobody'] }),
  IncrementalAlterConfigs: () => ({
    resources: [
      {
        resourceType: 2,
        resourceName: topic,
        configs: [{ name: 'retention.ms', configOperation: 0, value: '1000' }],
      },
    ],
    validateOnly: true,
  }),
  AlterReplicaLogDirs: () => ({ dirs: [{ path: '/nowhere', topics: [{ name: topic, partitions: [0] }] }] }),
  AlterPartitionReassignments: () => ({
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, replicas: null }] }],
  }),
  ListPartitionReassignments: () => ({ topics: null }),
  OffsetDelete: () => ({ groupId: 'nobody', topics: [] }),
  DescribeCluster: () => ({ endpointType: 1 }),
  ConsumerGroupHeartbeat: () => ({
    groupId: 'modern',
    memberId: 'AAAAAAAAAAAAAAAAAAAABB',
    memberEpoch: 0,
    rebalanceTimeoutMs: 10_000,
    subscribedTopicNames: [topic],
    topicPartitions: [],
  }),
  ConsumerGroupDescribe: () => ({ groupIds: ['nobody'] }),
  ListConfigResources: () => ({ resourceTypes: [] }),
  DescribeTopicPartitions: () => ({ topics: [{ name: topic }], responsePartitionLimit: 100, cursor: null }),
}

/** `value` without what `version` lacks, in all depths. */
function inVersion(fields: Fields, version: number, value: object): object {
  const kept: Record<string, unknown> = {}
  for (const [name, part] of Object.entries(value as Record<string, unknown>)) {
    const field = fields[name]
    if (field === undefined) throw new Error(`there is no field ${name}`)
    if (!inRange(version, field.versions)) continue
    if (field.type === 'array' && typeof field.element === 'object' && Array.isArray(part)) {
      const element = field.element
      kept[name] = part.map((item: object) => inVersion(element, version, item))
    } else {
      kept[name] = part
    }
  }
  return kept
}

/** Every value under a key called errorCode. */
function errorCodes(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(errorCodes)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  return Object.entries(value).flatMap(([key, part]) => (key === 'errorCode' ? [part as number] : errorCodes(part)))
}

describe('every version of every served API', () => {
  for (const api of servedApis as readonly Api[]) {
    for (let version = api.versions.min; version <= api.versions.max; version++) {
      it(`${api.name} v${String(version)}`, async () => {
        const question = questions[api.name]
        if (question === undefined) throw new Error(`nothing to ask of ${api.name}`)
        const message: Message = api.request
        const body = inVersion(message.fields, version, question()) as WritableOf<Message>
        const answer = await client.send(api, version, body)
        expect(errorCodes(answer)).not.toContain(-1)
      })
    }
  }
})
