import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ImageBuilder, emptyImage, evolve } from '../../../src/domain/cluster/cluster-evolution.ts'
import type { ClusterImage } from '../../../src/domain/cluster/cluster-image.ts'
import { clientQuotaKey, configsOf } from '../../../src/domain/cluster/cluster-image.ts'
import { imageRecords } from '../../../src/domain/cluster/image-records.ts'
import { InvalidMetadataRecord } from '../../../src/domain/cluster/invalid-metadata-record.ts'
import type { MetadataRecord, PartitionChangeRecord } from '../../../src/domain/cluster/metadata-record.ts'
import { configRecord, topicRecords } from '../../contracts/metadata-repository.ts'
import { metadataRecord } from '../../support/metadata-records.ts'

const id = 'a-1pfa5CTuyJCm6LWHApwg'
const empty = emptyImage('BasicCleanAAAAAAAAAAAA')
const withTopic = evolve(empty, topicRecords('t', id, 2))

const noChange: PartitionChangeRecord = {
  type: 'PartitionChangeRecord',
  partitionId: 0,
  topicId: id,
  isr: null,
  leader: -2,
  replicas: null,
  removingReplicas: null,
  addingReplicas: null,
  leaderRecoveryState: -1,
  directories: null,
  eligibleLeaderReplicas: null,
  lastKnownElr: null,
}

/** Those of the records that fit, one after the other. */
function fitting(records: readonly MetadataRecord[]): MetadataRecord[] {
  let image = empty
  return records.filter((record) => {
    try {
      image = evolve(image, [record])
      return true
    } catch (error) {
      if (!(error instanceof InvalidMetadataRecord)) throw error
      return false
    }
  })
}

describe('evolve', () => {
  it('gives the same image for a list at once and in two pieces', () => {
    fc.assert(
      fc.property(fc.array(metadataRecord, { maxLength: 60 }), fc.nat(), (candidates, cut) => {
        const records = fitting(candidates)
        const at = records.length === 0 ? 0 : cut % records.length
        const whole = evolve(empty, records)
        const first = evolve(empty, records.slice(0, at))
        const untouched = structuredClone(first)
        expect(evolve(first, records.slice(at))).toEqual(whole)
        expect(first).toEqual(untouched)
      }),
    )
  })

  it('gives the same image again from the records of a snapshot', () => {
    fc.assert(
      fc.property(fc.array(metadataRecord, { maxLength: 60 }), (candidates) => {
        const image = evolve(empty, fitting(candidates))
        const again = evolve(emptyImage(image.clusterId), [...imageRecords(image)], image)
        expect(again).toEqual({ ...image, openTransaction: null })
      }),
    )
  })

  it('can be frozen in the middle, and goes on without touching what it handed out', () => {
    const builder = new ImageBuilder(empty)
    for (const record of topicRecords('t', id, 1)) builder.apply(record)
    const first = builder.freeze()
    builder.apply({ ...topicRecords('t', id, 2)[2]! })
    builder.apply(configRecord('t', 'retention.ms', '5'))
    expect(first.topicsByName.get('t')?.partitions).toHaveLength(1)
    expect(builder.freeze().topicsById.get(id)?.partitions).toHaveLength(2)
    expect(configsOf(first, 'TOPIC', 't').size).toBe(0)
  })

  it('shares what no record touched', () => {
    const after = evolve(withTopic, [configRecord('t', 'retention.ms', '5')])
    expect(after.topicsByName).toBe(withTopic.topicsByName)
    expect(after.brokers).toBe(withTopic.brokers)
    expect(after.offset).toBe(withTopic.offset + 1n)
    expect(evolve(withTopic, [], { offset: 90n, epoch: 4 })).toMatchObject({ offset: 90n, epoch: 4 })
  })

  it('replays a long log in linear time', () => {
    const builder = new ImageBuilder(empty)
    for (const record of topicRecords('t', id, 20_000)) builder.apply(record)
    for (let i = 0; i < 20_000; i++) builder.apply({ ...noChange, partitionId: i, leader: 1 })
    const partitions = builder.freeze().topicsByName.get('t')?.partitions
    expect(partitions).toHaveLength(20_000)
    expect(partitions?.[19_999]?.leaderEpoch).toBe(1)
  })
})

describe('topics', () => {
  it('raise the leader epoch when a change names a leader, even the same one, and the partition epoch always', () => {
    const partition = (image: ClusterImage) => image.topicsByName.get('t')?.partitions[0]
    const same = evolve(withTopic, [{ ...noChange, leader: 1 }])
    expect(partition(same)).toMatchObject({ leader: 1, leaderEpoch: 1, partitionEpoch: 1 })
    const shrunk = evolve(same, [{ ...noChange, isr: [], eligibleLeaderReplicas: [1], lastKnownElr: [1] }])
    expect(partition(shrunk)).toMatchObject({ leader: 1, leaderEpoch: 1, partitionEpoch: 2, isr: [] })
    const cleared = evolve(shrunk, [{ type: 'ClearElrRecord', topicName: '' }])
    expect(partition(cleared)).toMatchObject({ eligibleLeaderReplicas: [], lastKnownElr: [], partitionEpoch: 3 })
    expect(evolve(cleared, [{ type: 'ClearElrRecord', topicName: 't' }]).topicsById).toBe(cleared.topicsById)
  })

  it('keep the directory of a replica that stays', () => {
    const placed = evolve(withTopic, [{ ...noChange, directories: ['b9zyT_AyHcmo3HFwZ10cFA'] }])
    const moved = evolve(placed, [{ ...noChange, replicas: [2, 1] }])
    expect(moved.topicsByName.get('t')?.partitions[0]?.directories).toEqual([
      'AAAAAAAAAAAAAAAAAAAAAQ',
      'b9zyT_AyHcmo3HFwZ10cFA',
    ])
  })

  it('take their configs with them', () => {
    const configured = evolve(withTopic, [configRecord('t', 'retention.ms', '5')])
    const removed = evolve(configured, [{ type: 'RemoveTopicRecord', topicId: id }])
    const again = evolve(removed, topicRecords('t', 'XqMV80qeQ-Wq6Tb7Zm8LUw', 1))
    expect(configsOf(again, 'TOPIC', 't').size).toBe(0)
    expect(again.topicsById.has(id)).toBe(false)
  })

  it.each<[string, MetadataRecord[]]>([
    ['an unknown topic is removed', [{ type: 'RemoveTopicRecord', topicId: 'XqMV80qeQ-Wq6Tb7Zm8LUw' }]],
    ['a partition of an unknown topic comes', topicRecords('u', 'XqMV80qeQ-Wq6Tb7Zm8LUw', 1).slice(1)],
    ['an unknown partition is changed', [{ ...noChange, partitionId: 2 }]],
    ['a partition is missing in between', topicRecords('u', 'XqMV80qeQ-Wq6Tb7Zm8LUw', 2).toSpliced(1, 1)],
    ['a name is taken', topicRecords('t', 'XqMV80qeQ-Wq6Tb7Zm8LUw', 1)],
    ['an id is taken', topicRecords('u', id, 1)],
    ['a config has an unknown resource type', [{ ...configRecord('t', 'a', 'b'), resourceType: 3 } as MetadataRecord]],
    ['a transaction ends that never began', [{ type: 'EndTransactionRecord' }]],
  ])('throw InvalidMetadataRecord when %s', (_, records) => {
    expect(() => evolve(withTopic, records)).toThrow(InvalidMetadataRecord)
  })
})

describe('metadata transactions', () => {
  const begin: MetadataRecord = { type: 'BeginTransactionRecord', name: 'x' }
  it('take effect at their end, also when it comes in a later list', () => {
    const open = evolve(empty, [begin, ...topicRecords('t', id, 1)])
    expect(open.topicsByName.size).toBe(0)
    expect(open.openTransaction).toHaveLength(2)
    const ended = evolve(open, [{ type: 'EndTransactionRecord' }])
    expect(ended.topicsByName.has('t')).toBe(true)
    expect(ended.openTransaction).toBeNull()
  })

  it('leave nothing when they are aborted', () => {
    const records: MetadataRecord[] = [
      begin,
      ...topicRecords('t', id, 1),
      { type: 'AbortTransactionRecord', reason: null },
    ]
    expect({ ...evolve(empty, records), offset: -1n }).toEqual(empty)
  })
})

describe('brokers', () => {
  const registration: MetadataRecord = {
    type: 'RegisterBrokerRecord',
    brokerId: 1,
    isMigratingZkBroker: false,
    incarnationId: id,
    brokerEpoch: 3n,
    endPoints: [],
    features: [],
    rack: null,
    fenced: true,
    inControlledShutdown: false,
    logDirs: [],
    cordonedLogDirs: null,
  }
  const change = {
    type: 'BrokerRegistrationChangeRecord',
    brokerId: 1,
    brokerEpoch: 3n,
    fenced: 0,
    inControlledShutdown: 0,
    logDirs: [],
    cordonedLogDirs: null,
  } as const

  it('change only what a registration change names', () => {
    const registered = evolve(empty, [registration])
    const unfenced = evolve(registered, [{ ...change, fenced: -1 }])
    expect(unfenced.brokers.get(1)).toMatchObject({ fenced: false, inControlledShutdown: false, cordonedLogDirs: null })
    const leaving = evolve(unfenced, [{ ...change, inControlledShutdown: 1, cordonedLogDirs: [] }])
    expect(leaving.brokers.get(1)).toMatchObject({ fenced: false, inControlledShutdown: true, cordonedLogDirs: [] })
    const fenced = evolve(leaving, [{ ...change, fenced: 1 }])
    expect(fenced.brokers.get(1)).toMatchObject({ fenced: true, inControlledShutdown: true })
    expect(evolve(fenced, [{ type: 'UnregisterBrokerRecord', brokerId: 1, brokerEpoch: 3n }]).brokers.size).toBe(0)
  })

  it('refuse changes to another registration', () => {
    const registered = evolve(empty, [registration])
    expect(() => evolve(registered, [{ ...change, brokerEpoch: 4n }])).toThrow(InvalidMetadataRecord)
    expect(() => evolve(empty, [change])).toThrow(InvalidMetadataRecord)
  })
})

describe('quotas', () => {
  it('belong to an entity whatever the order of its parts, and go when the last one is removed', () => {
    const alice = { entityType: 'user', entityName: 'alice' }
    const app = { entityType: 'client-id', entityName: null }
    expect(clientQuotaKey([alice, app])).toBe(clientQuotaKey([app, alice]))
    const quota = { type: 'ClientQuotaRecord', key: 'producer_byte_rate', value: 5, remove: false } as const
    const image = evolve(empty, [
      { ...quota, entity: [alice, app] },
      { ...quota, entity: [app, alice], key: 'consumer_byte_rate', value: 6 },
    ])
    const set = image.clientQuotas.get(clientQuotaKey([alice, app]))
    expect(set?.quotas).toEqual(
      new Map([
        ['producer_byte_rate', 5],
        ['consumer_byte_rate', 6],
      ]),
    )
    const less = evolve(image, [{ ...quota, entity: [alice, app], remove: true }])
    const none = evolve(less, [{ ...quota, entity: [alice, app], key: 'consumer_byte_rate', remove: true }])
    expect(none.clientQuotas.size).toBe(0)
  })
})
