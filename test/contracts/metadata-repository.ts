/** What every MetadataRepository must do; run on each adapter. */
import { describe, expect, it } from '@jest/globals'
import type { MetadataRepository } from '../../src/application/ports/metadata-repository.ts'
import { configsOf } from '../../src/domain/cluster/cluster-image.ts'
import type { MetadataRecord } from '../../src/domain/cluster/metadata-record.ts'
import { ZERO_UUID } from '../../src/domain/uuid.ts'

const topicId = 'a-1pfa5CTuyJCm6LWHApwg'

export function topicRecords(name: string, id: string, partitions: number, node = 1): MetadataRecord[] {
  const records: MetadataRecord[] = [{ type: 'TopicRecord', name, topicId: id }]
  for (let partitionId = 0; partitionId < partitions; partitionId++) {
    records.push({
      type: 'PartitionRecord',
      partitionId,
      topicId: id,
      replicas: [node],
      isr: [node],
      removingReplicas: [],
      addingReplicas: [],
      leader: node,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: [ZERO_UUID],
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    })
  }
  return records
}

export function configRecord(topic: string, name: string, value: string | null): MetadataRecord {
  return { type: 'ConfigRecord', resourceType: 2, resourceName: topic, name, value }
}

/** `open` gives a new, started repository of node 1 over empty storage. */
export function metadataRepositoryContract(name: string, open: () => Promise<MetadataRepository>): void {
  describe(`${name} is a MetadataRepository`, () => {
    async function opened(run: (repository: MetadataRepository) => Promise<void>): Promise<void> {
      const repository = await open()
      try {
        await run(repository)
      } finally {
        await repository.close()
      }
    }

    it('starts with the features of level 29 and its own broker, unfenced', () =>
      opened(async (repository) => {
        const image = repository.image()
        expect(Object.fromEntries(image.features)).toEqual({
          'metadata.version': 29,
          'eligible.leader.replicas.version': 1,
          'group.version': 1,
          'share.version': 1,
          'streams.version': 1,
          'transaction.version': 2,
        })
        expect([...image.brokers.keys()]).toEqual([1])
        expect(image.brokers.get(1)).toMatchObject({ id: 1, fenced: false, inControlledShutdown: false })
        expect(image.clusterId).toHaveLength(22)
        expect(configsOf(image, 'BROKER', '')).toEqual(new Map([['min.insync.replicas', '1']]))
        expect(image.topicsByName.size).toBe(0)
      }))

    it('commits what was decided and answers when the image shows it', () =>
      opened(async (repository) => {
        const before = repository.image()
        const answer = await repository.commit(() => ({ records: topicRecords('t', topicId, 2), answer: 'made' }))
        expect(answer).toBe('made')
        const topic = repository.image().topicsByName.get('t')
        expect(topic?.id).toBe(topicId)
        expect(topic?.partitions.map(({ leader }) => leader)).toEqual([1, 1])
        expect(repository.image().topicsById.get(topicId)).toBe(topic)
        expect(repository.image().offset).toBeGreaterThan(before.offset)
        expect(before.topicsByName.size).toBe(0)
      }))

    it('lets each decision see every commit before it, however many are under way', () =>
      opened(async (repository) => {
        await repository.commit(() => ({ records: topicRecords('t', topicId, 1), answer: null }))
        const seen = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            repository.commit((image) => ({
              records: [configRecord('t', `key-${index}`, String(index))],
              answer: configsOf(image, 'TOPIC', 't').size,
            })),
          ),
        )
        expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index))
        expect(configsOf(repository.image(), 'TOPIC', 't').size).toBe(20)
      }))

    it('changes nothing without records', () =>
      opened(async (repository) => {
        const before = repository.image()
        let calls = 0
        repository.onChange(() => (calls += 1))
        expect(await repository.commit(() => ({ records: [], answer: 7 }))).toBe(7)
        expect(repository.image()).toBe(before)
        expect(calls).toBe(0)
      }))

    it('commits nothing when the decision throws, or when a record does not fit', () =>
      opened(async (repository) => {
        const before = repository.image()
        const refused = repository.commit(() => {
          throw new Error('no')
        })
        await expect(refused).rejects.toThrow('no')
        const misfit: MetadataRecord[] = [
          configRecord('t', 'retention.ms', '1'),
          { type: 'RemoveTopicRecord', topicId: 'XqMV80qeQ-Wq6Tb7Zm8LUw' },
        ]
        await expect(repository.commit(() => ({ records: misfit, answer: null }))).rejects.toThrow('unknown topic id')
        expect(repository.image()).toBe(before)
        await repository.commit(() => ({ records: topicRecords('t', topicId, 1), answer: null }))
        expect(repository.image().topicsByName.has('t')).toBe(true)
      }))

    it('tells listeners each change once and in order, also when one of them commits', () =>
      opened(async (repository) => {
        const heard: string[] = []
        let follow: Promise<unknown> = Promise.resolve()
        const stop = repository.onChange((image, before) => {
          heard.push(`${before.topicsByName.size}>${image.topicsByName.size}`)
          if (image.topicsByName.size === 1) {
            follow = repository.commit(() => ({
              records: topicRecords('u', 'XqMV80qeQ-Wq6Tb7Zm8LUw', 1),
              answer: null,
            }))
          }
        })
        repository.onChange((image) => heard.push(`second ${image.topicsByName.size}`))
        await repository.commit(() => ({ records: topicRecords('t', topicId, 1), answer: null }))
        await follow
        expect(heard).toEqual(['0>1', 'second 1', '1>2', 'second 2'])
        stop()
        await repository.commit(() => ({ records: [{ type: 'RemoveTopicRecord', topicId }], answer: null }))
        expect(heard).toEqual(['0>1', 'second 1', '1>2', 'second 2', 'second 1'])
      }))

    it('refuses commits once closed', async () => {
      const repository = await open()
      await repository.close()
      const late = repository.commit(() => ({ records: topicRecords('t', topicId, 1), answer: null }))
      await expect(late).rejects.toThrow('closed')
    })
  })
}
