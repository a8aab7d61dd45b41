/** Cluster metadata goes from us to a real Kafka and back. The logs of both are the same bytes in the same file. */
import { expect, it } from '@jest/globals'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MemoryLogStore } from '../../src/adapters/storage-memory/memory-log-store.ts'
import { configsOf } from '../../src/domain/cluster/cluster-image.ts'
import { configRecord, topicRecords } from '../contracts/metadata-repository.ts'
import type { KraftDirectory } from '../support/kraft-directories.ts'
import { crc32c, kraftDirectory, store, stored } from '../support/kraft-directories.ts'
import { RealKafka, describeWithKafka, kafkaProperties, kafkaTool } from '../support/real-kafka.ts'
import { readMetadataBatches } from '../../src/adapters/kraft-metadata/metadata-batches.ts'

const topicId = 'a-1pfa5CTuyJCm6LWHApwg'
const SEGMENT = '00000000000000000000.log'

/** Puts our metadata log where Kafka looks for it. */
async function toFiles({ folder, logStore }: KraftDirectory): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, SEGMENT), await stored(logStore))
  await writeFile(join(folder, 'partition.metadata'), 'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ')
}

/** A new store with what Kafka left in the files. */
async function fromFiles({ folder }: KraftDirectory): Promise<MemoryLogStore> {
  const logStore = new MemoryLogStore()
  const segments = (await readdir(folder)).filter((file) => file.endsWith('.log')).sort()
  for (const segment of segments) await store(logStore, await readFile(join(folder, segment)))
  return logStore
}

describeWithKafka('metadata, with a real Kafka', () => {
  it.each([
    ['stopped cleanly', true],
    ['killed', false],
  ])(
    'of ours, %s, is served by Kafka, and what Kafka adds is read by us',
    async (_, clean) => {
      await using directory = await kraftDirectory()
      const repository = directory.repository()
      await repository.start()
      const records = [...topicRecords('ours', topicId, 3), configRecord('ours', 'retention.ms', '1234567')]
      await repository.commit(() => ({ records, answer: null }))
      const { epoch: brokerEpoch } = repository.image().brokers.get(1)!
      if (clean) {
        await repository.close()
        const text = JSON.stringify({ version: 0, brokerEpoch: Number(brokerEpoch) })
        await writeFile(join(directory.path, '.kafka_cleanshutdown'), text)
      }
      await toFiles(directory)

      const files = await kafkaProperties(directory.properties, directory.path)
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

      const logStore = await fromFiles(directory)
      await using again = await kraftDirectory(async (path) => {
        await writeFile(join(path, 'meta.properties'), await readFile(join(directory.path, 'meta.properties')))
      }, logStore)
      const reopened = again.repository()
      await reopened.start()
      const image = reopened.image()
      expect(image.topicsByName.get('ours')?.id).toBe(topicId)
      expect(image.topicsByName.get('theirs')?.partitions.map(({ leader }) => leader)).toEqual([1, 1])
      expect(configsOf(image, 'TOPIC', 'theirs')).toEqual(new Map([['segment.bytes', '1048576']]))
      expect(image.features.get('metadata.version')).toBe(29)
      expect(image.epoch).toBe(3)
      await reopened.close()
    },
    120_000,
  )

  it('formatted by kafka-storage with a dynamic quorum is begun by us and served by Kafka', async () => {
    await using directory = await kraftDirectory()
    const files = await kafkaProperties(directory.properties, directory.path, { dynamicQuorum: true })
    const format = ['format', '--standalone', '--cluster-id', 'BasicCleanAAAAAAAAAAAA', '-c', files.properties]
    await kafkaTool('kafka.tools.StorageTool', ...format)
    const repository = directory.repository()
    await repository.start()
    expect(repository.image().clusterId).toBe('BasicCleanAAAAAAAAAAAA')
    expect(repository.image().features.get('kraft.version')).toBe(1)
    await repository.commit(() => ({ records: topicRecords('ours', topicId, 1), answer: null }))
    await repository.close()
    const [first] = [...readMetadataBatches(await stored(directory.logStore), crc32c, () => '')]
    expect(first?.control.map(({ type }) => type)).toEqual(['LeaderChange', 'KRaftVersion', 'Voters'])
    await toFiles(directory)

    const kafka = await RealKafka.start(files)
    try {
      const tool = 'org.apache.kafka.tools.TopicCommand'
      expect(await kafkaTool(tool, '--bootstrap-server', files.bootstrap, '--list')).toContain('ours')
    } finally {
      await kafka.stop()
    }
  }, 120_000)
})
