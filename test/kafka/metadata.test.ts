/** Cluster metadata goes from us to a real Kafka and back, in the same directory. */
import { expect, it } from '@jest/globals'
import { cp, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { configsOf } from '../../src/domain/cluster/cluster-image.ts'
import { configRecord, topicRecords } from '../contracts/metadata-repository.ts'
import { kraftDirectory, metadataLife } from '../support/kraft-directories.ts'
import { RealKafka, describeWithKafka, kafkaProperties, kafkaTool } from '../support/real-kafka.ts'

const topicId = 'a-1pfa5CTuyJCm6LWHApwg'
const records = [...topicRecords('ours', topicId, 3), configRecord('ours', 'retention.ms', '1234567')]

describeWithKafka('metadata, with a real Kafka', () => {
  it.each([
    ['stopped cleanly', true],
    ['killed', false],
  ])(
    'of ours, %s, is served by Kafka, and what Kafka adds is read by us',
    async (_, clean) => {
      await using ours = await kraftDirectory()
      await using killed = await kraftDirectory()
      // Clean: from a snapshot and what came after it; killed: from the log.
      const options = clean ? { maxRecordBytesBetweenSnapshots: 1000 } : {}
      await metadataLife(
        ours.path,
        async (repository) => {
          await repository.commit(() => ({ records, answer: null }))
          // What is on the disk now is what a killed process leaves.
          const filter = (file: string): boolean => basename(file) !== '.lock'
          await cp(ours.path, killed.path, { recursive: true, filter })
        },
        options,
      )
      const { path, properties } = clean ? ours : killed
      const checkpoints = (await readdir(join(path, '__cluster_metadata-0'))).filter((file) =>
        file.endsWith('.checkpoint'),
      )
      expect(checkpoints.length > 0).toBe(clean)

      const files = await kafkaProperties(properties, path)
      const kafka = await RealKafka.start(files)
      try {
        const topics = (...args: string[]) =>
          kafkaTool('org.apache.kafka.tools.TopicCommand', '--bootstrap-server', files.bootstrap, ...args)
        const described = await topics('--describe', '--topic', 'ours')
        expect(described).toMatch(new RegExp(`TopicId: ${topicId}\\s+PartitionCount: 3`))
        expect(described).toContain('retention.ms=1234567')
        expect(described.match(/Leader: 1\s+Replicas: 1\s+Isr: 1/g)).toHaveLength(3)
        await topics('--create', '--topic', 'theirs', '--partitions', '2', '--config', 'segment.bytes=1048576')
      } finally {
        await kafka.stop()
      }

      await metadataLife(path, (repository) => {
        const image = repository.image()
        expect(image.topicsByName.get('ours')?.id).toBe(topicId)
        expect(image.topicsByName.get('theirs')?.partitions.map(({ leader }) => leader)).toEqual([1, 1])
        expect(configsOf(image, 'TOPIC', 'theirs')).toEqual(new Map([['segment.bytes', '1048576']]))
        expect(image.features.get('metadata.version')).toBe(29)
        expect(image.epoch).toBe(3)
        return Promise.resolve()
      })
    },
    120_000,
  )

  it('formatted by kafka-storage with a dynamic quorum is begun by us and served by Kafka', async () => {
    await using directory = await kraftDirectory()
    const { path, properties } = directory
    const files = await kafkaProperties(properties, path, { dynamicQuorum: true })
    const format = ['format', '--standalone', '--cluster-id', 'BasicCleanAAAAAAAAAAAA', '-c', files.properties]
    await kafkaTool('kafka.tools.StorageTool', ...format)
    await metadataLife(path, async (repository) => {
      expect(repository.image().clusterId).toBe('BasicCleanAAAAAAAAAAAA')
      expect(repository.image().features.get('kraft.version')).toBe(1)
      await repository.commit(() => ({ records, answer: null }))
    })
    const kafka = await RealKafka.start(files)
    try {
      const tool = 'org.apache.kafka.tools.TopicCommand'
      expect(await kafkaTool(tool, '--bootstrap-server', files.bootstrap, '--list')).toContain('ours')
    } finally {
      await kafka.stop()
    }
  }, 120_000)
})
