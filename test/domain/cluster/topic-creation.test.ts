import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { evolve } from '../../../src/domain/cluster/cluster-evolution.ts'
import type { ClusterImage } from '../../../src/domain/cluster/cluster-image.ts'
import type { RegisterBrokerRecord } from '../../../src/domain/cluster/metadata-record.ts'
import type { NewTopic } from '../../../src/domain/cluster/topic-creation.ts'
import { decideTopicCreation } from '../../../src/domain/cluster/topic-creation.ts'
import { broker, clusterWith, directory, partitionRecord } from '../../support/small-cluster.ts'

const elrOn = { type: 'FeatureLevelRecord', name: 'eligible.leader.replicas.version', featureLevel: 1 } as const

function topic(name: string, changes: Partial<NewTopic> = {}): NewTopic {
  return { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...changes }
}

function decide(image: ClusterImage, topics: readonly NewTopic[]) {
  let drawn = 0
  const newTopicId = () => `new${String(drawn++).padStart(18, '0')}A`
  return decideTopicCreation(image, topics, { numPartitions: 3, defaultReplicationFactor: 1, newTopicId })
}

const id = 'new000000000000000000A'
const one = clusterWith([broker(1)], {}, [elrOn])

describe('records of new topics', () => {
  it('are those of a real controller: topic, configs, partitions', () => {
    const configs = [
      { name: 'compression.type', value: 'gzip' },
      { name: 'compression.gzip.level', value: '9' },
    ]
    expect(decide(one, [topic('broker-gzip', { numPartitions: 2, configs })]).records).toEqual([
      { type: 'TopicRecord', name: 'broker-gzip', topicId: id },
      {
        type: 'ConfigRecord',
        resourceType: 2,
        resourceName: 'broker-gzip',
        name: 'compression.type',
        value: 'gzip',
      },
      {
        type: 'ConfigRecord',
        resourceType: 2,
        resourceName: 'broker-gzip',
        name: 'compression.gzip.level',
        value: '9',
      },
      partitionRecord(id, 0),
      partitionRecord(id, 1),
    ])
  })

  it.each([
    ['with', one, ['TopicRecord', 'ConfigRecord', 'ClearElrRecord', 'PartitionRecord']],
    ['without', clusterWith([broker(1)]), ['TopicRecord', 'ConfigRecord', 'PartitionRecord']],
  ])('clear the ELR when min.insync.replicas is set, %s eligible leader replicas', (_, image, types) => {
    const { records } = decide(image, [topic('t', { configs: [{ name: 'min.insync.replicas', value: '2' }] })])
    expect(records.map(({ type }) => type)).toEqual(types)
  })

  it.each<[string, readonly string[], string]>([
    ['its only directory', [directory], directory],
    ['unassigned among several', [directory, 'SnaH0ceHmIy2ChA-qEf6vA'], 'AAAAAAAAAAAAAAAAAAAAAQ'],
    ['migrating where none is known', [], 'AAAAAAAAAAAAAAAAAAAAAA'],
  ])('place a replica in %s', (_, logDirs, expected) => {
    const { records } = decide(clusterWith([broker(1, { logDirs })]), [topic('t')])
    expect(records[1]).toMatchObject({ directories: [expected] })
  })

  it('use the defaults for -1 and the last of two values of a config', () => {
    const configs = ['1', '2'].map((value) => ({ name: 'retention.ms', value }))
    const { answer } = decide(one, [topic('t', { numPartitions: -1, replicationFactor: -1, configs })])
    expect(answer).toMatchObject([{ error: 'NONE', numPartitions: 3, replicationFactor: 1 }])
    expect(answer[0]).toHaveProperty('configs', new Map([['retention.ms', '2']]))
  })
})

describe('placement over several brokers', () => {
  const cluster = (...changes: Partial<RegisterBrokerRecord>[]) =>
    clusterWith(changes.map((change, index) => broker(index + 1, change)))
  const place = (image: ClusterImage, replicationFactor: number, numPartitions = 3) => {
    const { answer, records } = decide(image, [topic('t', { numPartitions, replicationFactor })])
    if (answer[0]?.error !== 'NONE') return answer[0]
    return records.flatMap((record) =>
      record.type === 'PartitionRecord' ? [{ replicas: record.replicas, isr: record.isr, leader: record.leader }] : [],
    )
  }

  it('lets leaders go round', () => {
    expect(place(cluster({}, {}, {}), 2)).toEqual([
      { replicas: [1, 2], isr: [1, 2], leader: 1 },
      { replicas: [2, 3], isr: [2, 3], leader: 2 },
      { replicas: [3, 1], isr: [3, 1], leader: 3 },
    ])
  })

  it('uses fenced brokers last and never as leaders', () => {
    expect(place(cluster({ fenced: true }, {}), 2, 2)).toEqual([
      { replicas: [2, 1], isr: [2], leader: 2 },
      { replicas: [2, 1], isr: [2], leader: 2 },
    ])
  })

  const all = 'All brokers are currently fenced, or have all their log directories cordoned.'
  it.each([
    ['all fenced', cluster({ fenced: true }), 1, all],
    ['all cordoned', cluster({ cordonedLogDirs: [directory] }), 1, all],
    ['nobody registered', cluster(), 1, all],
    [
      'shutting down',
      cluster({ inControlledShutdown: true }),
      1,
      'All brokers are currently fenced or in controlled shutdown.',
    ],
    [
      'too few',
      cluster({}, { cordonedLogDirs: [directory] }),
      2,
      'The target replication factor of 2 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.',
    ],
  ])('refuses: %s', (_, image, replicationFactor, why) => {
    expect(place(image, replicationFactor)).toEqual({
      name: 't',
      error: 'INVALID_REPLICATION_FACTOR',
      message: `Unable to replicate the partition ${replicationFactor} time(s): ${why}`,
    })
  })

  it.each([
    [
      [[1, 2], [1]],
      'The manual partition assignment includes a partition with 1 replica(s), but this is not consistent with previous partitions, which have 2 replica(s).',
    ],
    [
      [
        [1, 2],
        [3, 4],
      ],
      'All brokers specified in the manual partition assignment for partition 1 are fenced or in controlled shutdown.',
    ],
  ])('refuses the assignment %j', (assigned, message) => {
    const image = cluster({}, {}, { fenced: true }, { inControlledShutdown: true })
    const assignments = assigned.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
    const { answer } = decide(image, [topic('t', { numPartitions: -1, replicationFactor: -1, assignments })])
    expect(answer).toEqual([{ name: 't', error: 'INVALID_REPLICA_ASSIGNMENT', message }])
  })
})

it('answers every name once and decides records that evolve into exactly the topics answered as created', () => {
  const name = fc.constantFrom('a', 'b.c', 'b_c', 'old', 'a b', '', '__cluster_metadata')
  const newTopic = fc.record({
    name,
    numPartitions: fc.integer({ min: -2, max: 4 }),
    replicationFactor: fc.integer({ min: -2, max: 3 }),
    assignments: fc.array(
      fc.record({
        partitionIndex: fc.integer({ min: 0, max: 2 }),
        brokerIds: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
      }),
      { maxLength: 3 },
    ),
    configs: fc.array(
      fc.record({ name: fc.constantFrom('retention.ms', 'x'), value: fc.constantFrom('1', 'y', null) }),
      { maxLength: 1 },
    ),
  })
  fc.assert(
    fc.property(fc.array(newTopic, { maxLength: 5 }), (topics) => {
      const image = clusterWith([broker(1), broker(2)], { old: 1 })
      const { records, answer } = decide(image, topics)
      expect(answer.map((each) => each.name).sort()).toEqual([...new Set(topics.map((each) => each.name))].sort())
      const after = evolve(image, records)
      const created = answer.filter(({ error }) => error === 'NONE').map((each) => each.name)
      expect([...after.topicsByName.keys()].sort()).toEqual(['old', ...created].sort())
      for (const each of after.topicsByName.values())
        expect(each.partitions.every(({ leader }) => leader > 0)).toBe(true)
    }),
  )
})
