import { describe, expect, it } from '@jest/globals'
import { emptyImage, evolve } from '../../../src/domain/cluster/cluster-evolution.ts'
import type { ClusterImage } from '../../../src/domain/cluster/cluster-image.ts'
import type { MetadataRecord } from '../../../src/domain/cluster/metadata-record.ts'
import { decideDeparture, decideTakeover, endedUncleanly } from '../../../src/domain/cluster/single-node-leadership.ts'
import { topicRecords } from '../../contracts/metadata-repository.ts'

const id = 'a-1pfa5CTuyJCm6LWHApwg'

function registration(brokerId: number, fenced: boolean): MetadataRecord {
  return {
    type: 'RegisterBrokerRecord',
    brokerId,
    isMigratingZkBroker: false,
    incarnationId: id,
    brokerEpoch: 9n,
    endPoints: [],
    features: [],
    rack: null,
    fenced,
    inControlledShutdown: false,
    logDirs: [],
    cordonedLogDirs: null,
  }
}

const elr = { type: 'FeatureLevelRecord', name: 'eligible.leader.replicas.version', featureLevel: 1 } as const
const me = { nodeId: 1, brokerEpoch: 9n }
const partition = (image: ClusterImage) => image.topicsByName.get('t')!.partitions[0]!

function image(...records: readonly MetadataRecord[]): ClusterImage {
  return evolve(emptyImage('BasicCleanAAAAAAAAAAAA'), [registration(1, true), ...topicRecords('t', id, 1), ...records])
}

function takenOver(before: ClusterImage, uncleanly = false): ClusterImage {
  return evolve(before, decideTakeover(before, { ...me, uncleanly }))
}

function left(before: ClusterImage): ClusterImage {
  return decideDeparture(before, 1).reduce((after, records) => evolve(after, records), before)
}

describe('decideTakeover', () => {
  it('unfences the broker and leaves a partition that it leads alone', () => {
    const after = takenOver(image())
    expect(after.brokers.get(1)?.fenced).toBe(false)
    expect(partition(after)).toMatchObject({ leader: 1, leaderEpoch: 0, partitionEpoch: 0 })
  })

  it('gives a partition a new leader epoch after an unclean end', () => {
    expect(endedUncleanly(image(registration(1, false)), 1)).toBe(true)
    expect(endedUncleanly(image(), 1)).toBe(false)
    expect(endedUncleanly(emptyImage('x'), 1)).toBe(false)
    expect(partition(takenOver(image(), true))).toMatchObject({ leader: 1, leaderEpoch: 1, leaderRecoveryState: 0 })
  })

  it('fences the brokers that are gone and takes their leadership, complete or not', () => {
    const records = topicRecords('t', id, 1)
    const shared = { ...records[1], replicas: [2, 1], isr: [2], leader: 2 } as MetadataRecord
    const before = evolve(emptyImage('x'), [registration(1, true), registration(2, false), records[0]!, shared])
    const after = takenOver(before)
    expect(after.brokers.get(2)?.fenced).toBe(true)
    expect(partition(after)).toMatchObject({ leader: 1, isr: [1], leaderRecoveryState: 1, replicas: [2, 1] })
  })

  it('leaves partitions of other nodes alone', () => {
    const before = evolve(emptyImage('x'), [registration(1, true), ...topicRecords('t', id, 1, 2)])
    expect(decideTakeover(before, { ...me, uncleanly: true })).toHaveLength(1)
  })
})

describe('decideDeparture', () => {
  it('takes leader and ISR away where eligible leader replicas are on, and the next start gives them back', () => {
    const gone = left(takenOver(image(elr)))
    expect(partition(gone)).toMatchObject({ leader: -1, isr: [], eligibleLeaderReplicas: [1], lastKnownElr: [1] })
    expect(gone.brokers.get(1)).toMatchObject({ fenced: true, inControlledShutdown: true })
    const back = takenOver(gone)
    expect(partition(back)).toMatchObject({
      leader: 1,
      isr: [1],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      leaderRecoveryState: 0,
      leaderEpoch: 2,
    })
  })

  it('takes the leader only where they are off', () => {
    expect(partition(left(takenOver(image())))).toMatchObject({ leader: -1, isr: [1], eligibleLeaderReplicas: [] })
  })

  it('says nothing for a broker that is not there', () => {
    expect(decideDeparture(image(), 1)).toEqual([])
  })
})
