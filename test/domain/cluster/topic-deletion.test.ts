import { expect, it } from '@jest/globals'
import { evolve } from '../../../src/domain/cluster/cluster-evolution.ts'
import { configsOf } from '../../../src/domain/cluster/cluster-image.ts'
import type { MetadataRecord } from '../../../src/domain/cluster/metadata-record.ts'
import { decideTopicDeletion } from '../../../src/domain/cluster/topic-deletion.ts'
import { ZERO_UUID } from '../../../src/domain/uuid.ts'
import { broker, clusterWith, topicIdOf } from '../../support/small-cluster.ts'

const config = (name: string, value: string | null): MetadataRecord => ({
  type: 'ConfigRecord',
  resourceType: 2,
  resourceName: 'old',
  name,
  value,
})

it('takes the configs away one by one before the topic, so that a replay of the log alone forgets them', () => {
  const image = clusterWith([broker(1)], { old: 1 }, [config('retention.ms', '1'), config('segment.ms', '2')])
  const { records } = decideTopicDeletion(image, [{ name: 'old', topicId: ZERO_UUID }])
  expect(records).toEqual([
    config('retention.ms', null),
    config('segment.ms', null),
    { type: 'RemoveTopicRecord', topicId: topicIdOf('old') },
  ])
  const after = evolve(image, records)
  expect(after.topicsById.size).toBe(0)
  expect(configsOf(after, 'TOPIC', 'old').size).toBe(0)
})

it('answers by name and id, in the order of the request', () => {
  const image = clusterWith([broker(1)], { a: 1, b: 1, c: 1 })
  const { answer, records } = decideTopicDeletion(image, [
    { name: null, topicId: topicIdOf('c') },
    { name: 'nope', topicId: ZERO_UUID },
    { name: 'a', topicId: ZERO_UUID },
  ])
  expect(answer).toEqual([
    { name: 'c', topicId: topicIdOf('c'), error: 'NONE', message: null },
    {
      name: 'nope',
      topicId: ZERO_UUID,
      error: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: 'This server does not host this topic-partition.',
    },
    { name: 'a', topicId: topicIdOf('a'), error: 'NONE', message: null },
  ])
  expect(records).toHaveLength(2)
})
