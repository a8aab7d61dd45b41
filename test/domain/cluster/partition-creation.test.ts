import { expect, it } from '@jest/globals'
import { decidePartitionCreation } from '../../../src/domain/cluster/partition-creation.ts'
import { broker, clusterWith, partitionRecord, topicIdOf } from '../../support/small-cluster.ts'

it('adds partitions from where the topic ends', () => {
  const image = clusterWith([broker(1)], { grown: 2 })
  expect(decidePartitionCreation(image, [{ name: 'grown', count: 4, assignments: null }])).toEqual({
    records: [partitionRecord(topicIdOf('grown'), 2), partitionRecord(topicIdOf('grown'), 3)],
    answer: [{ name: 'grown', error: 'NONE', message: null }],
  })
})

it('lets the leaders go on round the brokers, with the replicas that the topic has', () => {
  const image = clusterWith([broker(1), broker(2)], { grown: 1 })
  const { records } = decidePartitionCreation(image, [{ name: 'grown', count: 3, assignments: null }])
  expect(records).toMatchObject([{ replicas: [2] }, { replicas: [1] }])
})

it('refuses assignments that differ from the topic in size, and commits nothing of that topic', () => {
  const image = clusterWith([broker(1), broker(2)], { grown: 1 })
  const assignments = [{ brokerIds: [1] }, { brokerIds: [1, 2] }]
  expect(decidePartitionCreation(image, [{ name: 'grown', count: 3, assignments }])).toEqual({
    records: [],
    answer: [
      {
        name: 'grown',
        error: 'INVALID_REPLICA_ASSIGNMENT',
        message:
          'The manual partition assignment includes a partition with 2 replica(s), but this is not consistent with previous partitions, which have 1 replica(s).',
      },
    ],
  })
})
