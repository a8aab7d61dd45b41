/** Codes and texts as observed on 4.3.1, where the case is possible on one node. */
import { describe, expect, it } from '@jest/globals'
import { evolve } from '../../../src/domain/cluster/cluster-evolution.ts'
import type { PartitionChangeRecord } from '../../../src/domain/cluster/metadata-record.ts'
import { decideReassignments, ongoingReassignments } from '../../../src/domain/cluster/partition-reassignment.ts'
import { unchangedPartition } from '../../../src/domain/cluster/topic-evolution.ts'
import { broker, clusterWith, topicIdOf } from '../../support/small-cluster.ts'

const single = clusterWith([broker(1)], { r: 1 })
const id = topicIdOf('r')

function change(fields: Partial<PartitionChangeRecord>): PartitionChangeRecord {
  return { ...unchangedPartition(id, 0), ...fields }
}

/** A directory of a cluster that had a second broker: `r` is replicated there, and on its way to broker 1. */
const passed = clusterWith([broker(1), broker(2, { fenced: true })], { r: 1 }, [
  change({ replicas: [2, 1], isr: [2, 1], addingReplicas: [1], removingReplicas: [2], leader: 2 }),
])
const replicated = clusterWith([broker(1), broker(2, { fenced: true })], { r: 1 }, [
  change({ replicas: [2, 1], isr: [1] }),
])

function decide(image = single, partitionIndex = 0, replicas: readonly number[] | null = [1], allowFactor = true) {
  const { records, answer } = decideReassignments(
    image,
    [{ name: 'r', partitions: [{ partitionIndex, replicas }] }],
    allowFactor,
  )
  const { error, message } = answer[0]!.partitions[0]!
  return { records, error, message }
}

describe('reassignments on one node', () => {
  const manual = 'The manual partition assignment includes'
  it.each([
    ['the replicas it has', 0, [1], 'NONE', null],
    ['a cancellation of none', 0, null, 'NO_REASSIGNMENT_IN_PROGRESS', null],
    [
      'an unknown broker',
      0,
      [2],
      'INVALID_REPLICA_ASSIGNMENT',
      `${manual} broker 2, but no such broker is registered.`,
    ],
    ['a broker twice', 0, [1, 1], 'INVALID_REPLICA_ASSIGNMENT', `${manual} the broker 1 more than once.`],
    ['no replica', 0, [], 'INVALID_REPLICA_ASSIGNMENT', `${manual} an empty replica list.`],
    ['an unknown partition', 7, [1], 'UNKNOWN_TOPIC_OR_PARTITION', 'Unable to find partition r:7.'],
    ['a negative partition', -1, null, 'UNKNOWN_TOPIC_OR_PARTITION', 'Unable to find partition r:-1.'],
  ] as const)('%s', (_, partition, replicas, error, message) => {
    expect(decide(single, partition, replicas)).toEqual({ records: [], error, message })
    expect(decide(single, partition, replicas, false)).toEqual({ records: [], error, message })
  })

  it('of a topic that is not there', () => {
    const { answer } = decideReassignments(
      single,
      [{ name: 'x', partitions: [{ partitionIndex: 0, replicas: [1] }] }],
      true,
    )
    expect(answer[0]!.partitions[0]).toMatchObject({
      error: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: 'Unable to find a topic named x.',
    })
  })

  it('lists none', () => {
    expect(ongoingReassignments(single, null)).toEqual([])
    expect(
      ongoingReassignments(single, [
        { name: 'r', partitions: [0, 9] },
        { name: 'x', partitions: [0] },
      ]),
    ).toEqual([])
  })
})

describe('reassignments in a directory of a larger cluster', () => {
  it('removes a replica at once, and raises the leader epoch', () => {
    const { records, error } = decide(replicated, 0, [1])
    expect(error).toBe('NONE')
    const [partition] = evolve(replicated, records).topicsByName.get('r')!.partitions
    expect(partition).toMatchObject({ replicas: [1], isr: [1], leader: 1, leaderEpoch: 1, addingReplicas: [] })
    expect(partition!.directories).toHaveLength(1)
  })

  it('reorders replicas without another leader epoch', () => {
    const [partition] = evolve(replicated, decide(replicated, 0, [1, 2]).records).topicsByName.get('r')!.partitions
    expect(partition).toMatchObject({ replicas: [1, 2], leader: 1, leaderEpoch: 0 })
  })

  it('refuses what changes the number of replicas when that is not allowed, and what would have to be copied', () => {
    expect(decide(replicated, 0, [1], false)).toMatchObject({
      error: 'INVALID_REPLICATION_FACTOR',
      message: 'The replication factor is changed from 2 to 1',
    })
    const two = clusterWith([broker(1), broker(2, { fenced: true })], { r: 1 })
    expect(decide(two, 0, [1, 2])).toMatchObject({ records: [], error: 'INVALID_REPLICA_ASSIGNMENT' })
  })

  it('lists what was under way, and takes it back', () => {
    const ongoing = { partitionIndex: 0, replicas: [2, 1], addingReplicas: [1], removingReplicas: [2] }
    expect(ongoingReassignments(passed, null)).toEqual([{ name: 'r', partitions: [ongoing] }])
    const after = evolve(passed, decide(passed, 0, null).records)
    expect(after.topicsByName.get('r')!.partitions[0]).toMatchObject({ replicas: [2], isr: [2], leader: 2 })
    expect(ongoingReassignments(after, null)).toEqual([])
  })

  it('keeps a reassignment that would leave no replica in sync', () => {
    const only = clusterWith([broker(1), broker(2, { fenced: true })], { r: 1 }, [
      change({ replicas: [2, 1], isr: [1], addingReplicas: [1], removingReplicas: [2], leader: 1 }),
    ])
    expect(decide(only, 0, null)).toMatchObject({ records: [], error: 'INVALID_REPLICA_ASSIGNMENT' })
    const done = evolve(only, decide(only, 0, [1]).records)
    expect(done.topicsByName.get('r')!.partitions[0]).toMatchObject({ replicas: [1], isr: [1], leader: 1 })
  })
})
