import { describe, expect, it } from '@jest/globals'
import { clientView, visibleBrokers } from '../../../src/domain/cluster/endpoints.ts'
import type { MetadataRecord } from '../../../src/domain/cluster/metadata-record.ts'
import { currentClients, describePartition } from '../../../src/domain/cluster/topic-description.ts'
import { broker, clusterWith, partitionRecord } from '../../support/small-cluster.ts'

const dialled = { host: '::1', port: 49153 }
const on = (listener: string, advertised: readonly (readonly [string, { host: string; port: number }])[] = []) =>
  clientView({ nodeId: 1, advertisedListeners: new Map(advertised) }, { listener, dialled })

describe('where clients are sent', () => {
  const image = clusterWith([broker(1, { rack: 'r1' }), broker(2), broker(3, { fenced: true })])

  it.each([
    ['nothing is advertised: the dialled address', on('PLAINTEXT'), dialled],
    ['its listener is advertised', on('EXT', [['EXT', { host: 'h', port: 1 }]]), { host: 'h', port: 1 }],
    ['another is advertised', on('PLAINTEXT', [['EXT', { host: 'h', port: 1 }]]), dialled],
    ['no host is advertised', on('EXT', [['EXT', { host: '', port: 1 }]]), { host: '::1', port: 1 }],
  ])('%s', (_, view, endpoint) => {
    expect(visibleBrokers(image, view)[0]).toEqual({ id: 1, endpoint, rack: 'r1', fenced: false })
  })

  it('shows other brokers as they registered, on the same listener only', () => {
    expect(
      visibleBrokers(image, on('PLAINTEXT')).map(({ id, endpoint, fenced }) => [id, endpoint.host, fenced]),
    ).toEqual([
      [1, '::1', false],
      [2, 'host2', false],
      [3, 'host3', true],
    ])
    expect(visibleBrokers(image, on('EXT')).map(({ id }) => id)).toEqual([1])
  })

  it('shows this node even when its registration is missing or fenced', () => {
    expect(visibleBrokers(clusterWith([]), on('PLAINTEXT'))).toEqual([
      { id: 1, endpoint: dialled, rack: null, fenced: false },
    ])
    expect(visibleBrokers(clusterWith([broker(1, { fenced: true })]), on('PLAINTEXT'))[0]?.fenced).toBe(false)
  })
})

describe('partitions', () => {
  const topicId = 'topic00000000000000000'
  const describeOf = (
    partition: Partial<ReturnType<typeof partitionRecord>> & Record<string, unknown>,
    rules = currentClients,
    listener = 'PLAINTEXT',
  ) => {
    const record = { ...partitionRecord(topicId, 0), ...partition } as MetadataRecord
    const brokers = [broker(1), broker(2, { endPoints: [] }), broker(3, { fenced: true })]
    const image = clusterWith(brokers, {}, [{ type: 'TopicRecord', name: 't', topicId }, record])
    return describePartition(image, image.topicsById.get(topicId)!.partitions[0]!, on(listener), rules)
  }
  const old = { hideUnreachableReplicas: true, leaderNotOnListener: 'LEADER_NOT_AVAILABLE' } as const

  it.each([
    ['a usable one', { leader: 1 }, { error: 'NONE', leader: 1 }],
    ['without a leader', { leader: -1 }, { error: 'LEADER_NOT_AVAILABLE', leader: -1 }],
    ['led by an unknown broker', { leader: 9 }, { error: 'LEADER_NOT_AVAILABLE', leader: -1 }],
    ['led by a broker on other listeners', { leader: 2 }, { error: 'LISTENER_NOT_FOUND', leader: -1 }],
  ])('%s', (_, partition, expected) => {
    expect(describeOf(partition)).toMatchObject(expected)
  })

  it('says to old clients what they understand', () => {
    expect(describeOf({ leader: 2 }, old).error).toBe('LEADER_NOT_AVAILABLE')
    const partition = { replicas: [1, 2, 9], isr: [1, 2], directories: ['', '', ''] }
    expect(describeOf(partition, old)).toMatchObject({ error: 'REPLICA_NOT_AVAILABLE', replicas: [1], isr: [1] })
    expect(describeOf(partition)).toMatchObject({ error: 'NONE', replicas: [1, 2, 9], isr: [1, 2] })
  })

  it.each([
    ['of brokers that are unknown, fenced or elsewhere', [1, 2, 3, 9], 'BqqQBEZ0C1TPPzo4wCaxbA', [2, 3, 9]],
    ['none, unassigned', [1], 'AAAAAAAAAAAAAAAAAAAAAQ', []],
    ['none, migrating', [1], 'AAAAAAAAAAAAAAAAAAAAAA', []],
    ['in a lost directory', [1], 'AAAAAAAAAAAAAAAAAAAAAg', [1]],
    ['in a directory that is gone', [1], 'SnaH0ceHmIy2ChA-qEf6vA', [1]],
  ])('counts replicas as offline: %s', (_, replicas, directory, offline) => {
    const partition = { replicas, directories: replicas.map(() => directory) }
    expect(describeOf(partition).offlineReplicas).toEqual(offline)
  })
})
