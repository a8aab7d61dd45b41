import { expect, it } from '@jest/globals'
import type { ClusterImage } from '../../../../src/domain/cluster/cluster-image.ts'
import { configsOf } from '../../../../src/domain/cluster/cluster-image.ts'
import { openTopicBroker } from '../../../support/topic-broker.ts'

const METADATA = 3
const CREATE_TOPICS = 19
const DELETE_TOPICS = 20
const from = { listener: 'PLAINTEXT', dialled: { host: '127.0.0.1', port: 9092 } }
const zero = 'AAAAAAAAAAAAAAAAAAAAAA'

function named(...names: readonly string[]) {
  return {
    topics: names.map((name) => ({ name, topicId: zero })),
    allowAutoTopicCreation: true,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
}

function creation(name: string, configs: readonly { name: string; value: string }[] = [], validateOnly = false) {
  return {
    topics: [{ name, numPartitions: 2, replicationFactor: 1, assignments: [], configs }],
    timeoutMs: 5000,
    validateOnly,
  }
}

it('shows a topic in the image, and logs it, before the answer to its creation', async () => {
  const { ask, repository, logged } = await openTopicBroker()
  const seen: ClusterImage[] = []
  repository.onChange((image) => void seen.push(image))
  await ask(CREATE_TOPICS, 7, creation('t'), from)
  expect(repository.image().topicsByName.get('t')?.partitions).toHaveLength(2)
  expect(seen).toHaveLength(1)
  expect(logged.map(({ event }) => event)).toEqual(['topic created'])
})

it('neither commits nor logs what is only validated, or refused', async () => {
  const { ask, repository, logged } = await openTopicBroker()
  const before = repository.image()
  await ask(CREATE_TOPICS, 7, creation('t', [], true), from)
  await ask(CREATE_TOPICS, 7, creation('a b'), from)
  expect(repository.image()).toBe(before)
  expect(logged).toEqual([])
})

it('gives a topic an id that no other has', async () => {
  const { ask, repository, ids } = await openTopicBroker()
  ids.push('same000000000000000000', 'same000000000000000000', 'next000000000000000000')
  await ask(CREATE_TOPICS, 7, creation('t'), from)
  await ask(CREATE_TOPICS, 7, creation('u'), from)
  expect(repository.image().topicsByName.get('u')?.id).toBe('next000000000000000000')
})

it('forgets the configs of a deleted topic', async () => {
  const { ask, repository } = await openTopicBroker()
  await ask(CREATE_TOPICS, 7, creation('t', [{ name: 'retention.ms', value: '1' }]), from)
  await ask(DELETE_TOPICS, 6, { topics: [{ name: 't', topicId: zero }], topicNames: [], timeoutMs: 5000 }, from)
  await ask(CREATE_TOPICS, 7, creation('t'), from)
  expect(configsOf(repository.image(), 'TOPIC', 't').size).toBe(0)
})

it.each([
  ['__consumer_offsets', { 'cleanup.policy': 'compact', 'compression.type': 'producer', 'segment.bytes': '104857600' }],
  [
    '__transaction_state',
    {
      'cleanup.policy': 'compact',
      'compression.type': 'uncompressed',
      'min.insync.replicas': '1',
      'segment.bytes': '104857600',
      'unclean.leader.election.enable': 'false',
    },
  ],
  [
    '__share_group_state',
    {
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'min.insync.replicas': '1',
      'retention.ms': '-1',
      'segment.bytes': '104857600',
    },
  ],
])('creates %s by look-up as a broker needs it', async (name, configs) => {
  const { ask, repository } = await openTopicBroker()
  await ask(METADATA, 12, named(name), from)
  expect(repository.image().topicsByName.get(name)?.partitions).toHaveLength(50)
  expect(Object.fromEntries(configsOf(repository.image(), 'TOPIC', name))).toEqual(configs)
})

it('creates a topic once when two look-ups miss it at the same time', async () => {
  const { ask, repository, logged } = await openTopicBroker()
  await Promise.all([ask(METADATA, 12, named('t'), from), ask(METADATA, 12, named('t', 'a b'), from)])
  expect([...repository.image().topicsByName.keys()]).toEqual(['t'])
  expect(logged).toHaveLength(1)
})
