/** The metadata log in real files, through the storage adapter that the broker runs with. */
import { describe, expect, it } from '@jest/globals'
import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dataBatch } from '../../../src/adapters/kraft-metadata/metadata-batches.ts'
import { MetadataRecordEncoder } from '../../../src/adapters/kraft-metadata/metadata-record-codec.ts'
import type { ClusterImage } from '../../../src/domain/cluster/cluster-image.ts'
import type { MetadataRecord } from '../../../src/domain/cluster/metadata-record.ts'
import { configRecord, topicRecords } from '../../contracts/metadata-repository.ts'
import {
  crc32c,
  goldenDirectory,
  goldenFolder,
  goldenNames,
  kraftDirectory,
  metadataLife,
} from '../../support/kraft-directories.ts'

const topicId = 'Wm2pfa5CTuyJCm6LWHApwg'
const SEGMENT = '00000000000000000000.log'
const METADATA_FILES = /^(meta\.properties|bootstrap\.checkpoint|\.kafka_cleanshutdown|__cluster_metadata-0)$/

async function imageAfter(path: string, records: readonly MetadataRecord[] = []): Promise<ClusterImage> {
  return metadataLife(path, async (repository) => {
    await repository.commit(() => ({ records, answer: null }))
    return repository.image()
  })
}

async function withCopy(name: string, run: (path: string) => Promise<void>): Promise<void> {
  await using directory = await kraftDirectory(async (path) => {
    const data = join(goldenFolder(name), 'data')
    for (const entry of await readdir(data)) {
      if (METADATA_FILES.test(entry)) await cp(join(data, entry), join(path, entry), { recursive: true })
    }
  })
  await run(directory.path)
}

describe('the metadata log in files', () => {
  it.each(goldenNames)('of %s reads as it does from memory, and again after each of two lives', (name) =>
    withCopy(name, async (path) => {
      await using golden = await goldenDirectory(name)
      const inMemory = golden.repository()
      await inMemory.start()
      const topics = (image: ClusterImage) => [...image.topicsByName.keys()].sort()
      const first = await imageAfter(path, topicRecords('new', topicId, 2))
      const second = await imageAfter(path, [configRecord('new', 'retention.ms', '7')])
      expect(topics(first)).toEqual([...topics(inMemory.image()), 'new'].sort())
      expect(topics(second)).toEqual(topics(first))
      expect(second.features).toEqual(inMemory.image().features)
      expect(second.acls).toEqual(inMemory.image().acls)
      expect(second.epoch).toBe(first.epoch + 1)
      await inMemory.close()
    }),
  )

  it('may begin at another offset than 0', async () => {
    const encoder = new MetadataRecordEncoder()
    const batch = (baseOffset: bigint, records: readonly MetadataRecord[], version: number) => {
      const values = records.map((record) => {
        return encoder.encode({ record, version: record.type === 'PartitionRecord' ? version : 0 })
      })
      return dataBatch(values, { baseOffset, leaderEpoch: 1, timestamp: 5n }, crc32c)
    }
    const level: MetadataRecord = { type: 'FeatureLevelRecord', name: 'metadata.version', featureLevel: 20 }
    const topic = topicRecords('t', topicId, 2)
    await using directory = await kraftDirectory(async (path) => {
      const folder = join(path, '__cluster_metadata-0')
      await mkdir(folder)
      await writeFile(join(folder, SEGMENT), Buffer.concat([batch(1n, [level], 0), batch(2n, topic, 1)]))
    })
    const image = await imageAfter(directory.path)
    expect(image.topicsByName.get('t')?.partitions).toHaveLength(2)
    expect(image.features.get('metadata.version')).toBe(20)
  })

  it('that is gone leaves the topics to their folders', () =>
    withCopy('basic-clean', async (path) => {
      await rm(join(path, '__cluster_metadata-0'), { recursive: true })
      for (const folder of ['multi3-0', 'multi3-2']) await mkdir(join(path, folder))
      const metadata = 'version: 0\ntopic_id: 7Y5MTNtlS7mE9yoqmNL_TQ'
      await writeFile(join(path, 'multi3-2', 'partition.metadata'), metadata)
      const image = await imageAfter(path)
      expect(image.clusterId).toBe('BasicCleanAAAAAAAAAAAA')
      expect(image.topicsByName.get('multi3')).toMatchObject({ id: '7Y5MTNtlS7mE9yoqmNL_TQ' })
      expect(image.topicsByName.get('multi3')?.partitions).toHaveLength(3)
      expect(await readFile(join(path, 'multi3-0', 'partition.metadata'), 'utf8')).toBe(metadata)
    }))

  it('with a flipped byte in the middle is reported, and not cut', () =>
    withCopy('basic-clean', async (path) => {
      const file = join(path, '__cluster_metadata-0', SEGMENT)
      const bytes = await readFile(file)
      bytes[2000] = bytes[2000]! ^ 1
      await writeFile(file, bytes)
      await expect(imageAfter(path)).rejects.toThrow(/__cluster_metadata-0/)
      expect((await readFile(file)).subarray(0, bytes.length).equals(bytes)).toBe(true)
    }))
})
