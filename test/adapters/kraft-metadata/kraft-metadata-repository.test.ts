import { describe, expect, it } from '@jest/globals'
import { chmod, mkdir, readFile, readdir, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dataBatch, readMetadataBatches } from '../../../src/adapters/kraft-metadata/metadata-batches.ts'
import type { MetadataBatch } from '../../../src/adapters/kraft-metadata/metadata-batches.ts'
import { MetadataRecordEncoder } from '../../../src/adapters/kraft-metadata/metadata-record-codec.ts'
import { readSnapshot, writeSnapshot } from '../../../src/adapters/kraft-metadata/snapshot-file.ts'
import { MemoryLogStore } from '../../../src/adapters/storage-memory/memory-log-store.ts'
import type { MetadataRepository } from '../../../src/application/ports/metadata-repository.ts'
import { configsOf } from '../../../src/domain/cluster/cluster-image.ts'
import type { MetadataRecord } from '../../../src/domain/cluster/metadata-record.ts'
import { configRecord, metadataRepositoryContract, topicRecords } from '../../contracts/metadata-repository.ts'
import type { KraftDirectory } from '../../support/kraft-directories.ts'
import { crc32c, goldenDirectory, kraftDirectory, logOptions, store, stored } from '../../support/kraft-directories.ts'

const topicId = 'a-1pfa5CTuyJCm6LWHApwg'
const encoder = new MetadataRecordEncoder()

metadataRepositoryContract('KraftMetadataRepository', async () => {
  const directory = await kraftDirectory()
  const repository = directory.repository()
  await repository.start()
  const contracted: MetadataRepository = {
    start: () => repository.start(),
    image: () => repository.image(),
    directoryIds: () => repository.directoryIds(),
    commit: (decide) => repository.commit(decide),
    onChange: (listener) => repository.onChange(listener),
    close: async () => {
      await repository.close()
      await directory[Symbol.asyncDispose]()
    },
  }
  return contracted
})

async function batchesOf(directory: KraftDirectory): Promise<MetadataBatch[]> {
  return [...readMetadataBatches(await stored(directory.logStore), crc32c, () => 'log')]
}

const types = (batch: MetadataBatch) => [...batch.control, ...batch.data.map(({ record }) => record)].map((r) => r.type)

function batch(baseOffset: bigint, leaderEpoch: number, records: readonly MetadataRecord[], versions: number[] = []) {
  const values = records.map((record, index) => encoder.encode({ record, version: versions[index] ?? 0 }))
  return Buffer.from(dataBatch(values, { baseOffset, leaderEpoch, timestamp: 5n }, crc32c))
}

const level = (featureLevel: number): MetadataRecord => {
  return { type: 'FeatureLevelRecord', name: 'metadata.version', featureLevel }
}

describe('a new directory', () => {
  it('is formatted as kafka-storage does, and its log begins as a real leader begins it', async () => {
    await using directory = await kraftDirectory()
    const repository = directory.repository()
    await repository.start()
    const meta = await readFile(join(directory.path, 'meta.properties'), 'utf8')
    expect(meta).toMatch(
      /^#\n#\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}\nnode\.id=1\ndirectory\.id=[\w-]{22}\nversion=1\ncluster\.id=[\w-]{22}\n$/,
    )
    const bootstrap = await readSnapshot(join(directory.path, 'bootstrap.checkpoint'), crc32c)
    expect(bootstrap.records.map((record) => record.type === 'FeatureLevelRecord' && record.name)).toEqual([
      'metadata.version',
      'eligible.leader.replicas.version',
      'group.version',
      'share.version',
      'streams.version',
      'transaction.version',
    ])
    expect(await readFile(join(directory.folder, 'quorum-state'), 'utf8')).toBe(
      '{"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}',
    )
    const batches = await batchesOf(directory)
    expect(batches.map(types)).toEqual([
      ['LeaderChange'],
      [
        'BeginTransactionRecord',
        ...Array.from({ length: 6 }, () => 'FeatureLevelRecord'),
        'ConfigRecord',
        'EndTransactionRecord',
      ],
      ['RegisterControllerRecord'],
      ['RegisterBrokerRecord'],
      ['BrokerRegistrationChangeRecord'],
    ])
    const registration = batches[3]!.data[0]!
    expect(registration).toMatchObject({ version: 3, record: { brokerEpoch: registration.offset, fenced: true } })
    expect(batches.every(({ leaderEpoch }) => leaderEpoch === 1)).toBe(true)
    await repository.close()
  })

  it('counts as formatted only when all else is there: a format that ends before is done again', async () => {
    await using directory = await kraftDirectory()
    const obstacle = join(directory.path, 'meta.properties.tmp')
    await mkdir(obstacle, { recursive: true })
    await expect(directory.repository().start()).rejects.toThrow('EISDIR')
    expect(await readdir(directory.path)).toContain('bootstrap.checkpoint')
    expect(await readdir(directory.path)).not.toContain('meta.properties')
    expect(await readdir(directory.folder)).toContain('quorum-state')
    await rmdir(obstacle)
    const repository = directory.repository()
    await repository.start()
    expect(repository.image().brokers.size).toBe(1)
    expect(repository.image().features.size).toBe(6)
    expect(await readdir(directory.path)).toContain('meta.properties')
  })

  it('gives every log directory an id of its own, and one that is added later too', async () => {
    await using directory = await kraftDirectory()
    const second = join(directory.path, 'second')
    const first = directory.repository({ logDirs: [directory.path, second] })
    await first.start()
    expect(first.image().brokers.get(1)?.logDirs).toHaveLength(2)
    await first.close()
    const third = join(directory.path, 'third')
    const again = directory.repository({ logDirs: [directory.path, second, third] })
    await again.start()
    const { logDirs } = again.image().brokers.get(1)!
    expect(new Set(logDirs).size).toBe(3)
    expect(logDirs.slice(0, 2)).toEqual(first.image().brokers.get(1)?.logDirs)
    await again.close()
  })
})

describe('what was committed', () => {
  it('is there after a restart, and after a crash, in a later epoch', async () => {
    await using directory = await kraftDirectory()
    const first = directory.repository()
    await first.start()
    await first.commit(() => ({
      records: [...topicRecords('t', topicId, 2), configRecord('t', 'retention.ms', '5')],
      answer: null,
    }))
    await first.close()
    expect(first.image().topicsByName.get('t')?.partitions[0]).toMatchObject({
      leader: -1,
      leaderEpoch: 1,
      isr: [],
      eligibleLeaderReplicas: [1],
    })

    const second = directory.repository()
    await second.start()
    expect(second.image().topicsByName.get('t')?.partitions[1]).toMatchObject({
      leader: 1,
      leaderEpoch: 2,
      isr: [1],
      eligibleLeaderReplicas: [],
      leaderRecoveryState: 0,
    })
    expect(configsOf(second.image(), 'TOPIC', 't')).toEqual(new Map([['retention.ms', '5']]))
    expect(second.image().epoch).toBe(2)
    await second.commit(() => ({ records: [configRecord('t', 'retention.ms', null)], answer: null }))

    // No close: the process was killed.
    const third = directory.repository()
    await third.start()
    expect(third.image().epoch).toBe(3)
    expect(configsOf(third.image(), 'TOPIC', 't').size).toBe(0)
    expect(third.image().topicsByName.get('t')?.partitions[0]).toMatchObject({ leader: 1, leaderEpoch: 3, isr: [1] })
    expect(third.image().clusterId).toBe(first.image().clusterId)
    await third.close()
    const last = (await batchesOf(directory)).slice(-2)
    expect(last.map(types)).toEqual([
      ['BrokerRegistrationChangeRecord', 'PartitionChangeRecord', 'PartitionChangeRecord'],
      ['BrokerRegistrationChangeRecord'],
    ])
  })

  it('is a metadata transaction over several batches when one batch cannot hold it', async () => {
    await using directory = await kraftDirectory()
    const repository = directory.repository()
    await repository.start()
    await repository.commit(() => ({ records: topicRecords('wide', topicId, 10_500), answer: null }))
    const image = repository.image()
    const batches = (await batchesOf(directory)).slice(5)
    expect(batches.map(({ data }) => data.length)).toEqual([1, 10_000, 501, 1])
    expect(types(batches[0]!)).toEqual(['BeginTransactionRecord'])
    expect(image.offset).toBe(batches.at(-1)!.lastOffset)
    const again = directory.repository()
    await again.start()
    expect(again.image().topicsByName.get('wide')?.partitions).toHaveLength(10_500)
    await again.close()
  })

  it('goes out together with what else is waiting, a batch for each', async () => {
    await using directory = await kraftDirectory()
    let flushes = 0
    const { logStore } = directory
    const open = logStore.open.bind(logStore)
    logStore.open = async (partition, options) => {
      const log = await open(partition, options)
      const flush = log.flush.bind(log)
      log.flush = () => {
        flushes++
        return flush()
      }
      return log
    }
    const repository = directory.repository()
    await repository.start()
    flushes = 0
    const records = (index: number) => [configRecord('t', 'k', String(index))]
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => repository.commit(() => ({ records: records(index), answer: null }))),
    )
    expect(flushes).toBe(1)
    expect((await batchesOf(directory)).slice(5)).toHaveLength(50)
    await repository.close()
  })

  it('fails with the log, and so does everything after it', async () => {
    await using directory = await kraftDirectory()
    const repository = directory.repository()
    await repository.start()
    const log = await directory.logStore.open({ topic: '__cluster_metadata', partition: 0 }, logOptions)
    log.append = () => Promise.reject(new Error('no space left'))
    const before = repository.image()
    const commit = () => repository.commit(() => ({ records: topicRecords('t', topicId, 1), answer: null }))
    await expect(commit()).rejects.toThrow('no space left')
    await expect(commit()).rejects.toThrow('no space left')
    expect(repository.image()).toBe(before)
    await repository.close()
    expect(directory.events.filter(({ level }) => level === 'error')).toHaveLength(1)
  })
})

describe('snapshots', () => {
  it('are taken when enough was written, and old ones go with the log below them', async () => {
    await using directory = await kraftDirectory()
    const options = { maxRecordBytesBetweenSnapshots: 2000, maxRetentionBytes: 0 }
    let repository = directory.repository(options)
    await repository.start()
    await repository.commit(() => ({ records: topicRecords('t', topicId, 3), answer: null }))
    for (let run = 0; run < 3; run++) {
      for (let i = 0; i < 40; i++) {
        await repository.commit(() => ({ records: [configRecord('t', `key-${i % 7}`, `${run}-${i}`)], answer: null }))
      }
      // Waits for the snapshot under way.
      await repository.close()
      if (run === 2) break
      repository = directory.repository(options)
      await repository.start()
    }
    const checkpoints = (await readdir(directory.folder)).filter((file) => file.includes('checkpoint'))
    expect(checkpoints).toHaveLength(1)
    const file = join(directory.folder, checkpoints[0]!)
    expect((await stat(file)).mode & 0o777).toBe(0o400)
    const log = await directory.logStore.open({ topic: '__cluster_metadata', partition: 0 }, logOptions)
    expect(log.range().start).toBe(BigInt(checkpoints[0]!.slice(0, 20)))
    const again = directory.repository(options)
    await again.start()
    expect(configsOf(again.image(), 'TOPIC', 't')).toEqual(configsOf(repository.image(), 'TOPIC', 't'))
    expect(again.image().topicsByName.get('t')?.partitions).toHaveLength(3)
    expect(again.image().features).toEqual(repository.image().features)
    await again.close()
  })

  it('are taken after the interval of what was written before, though nothing more is', async () => {
    await using directory = await kraftDirectory()
    const repository = directory.repository({ maxSnapshotIntervalMs: 1000 })
    await repository.start()
    directory.clock.advance(400)
    await repository.commit(() => ({ records: topicRecords('t', topicId, 1), answer: null }))
    const checkpoints = async () => (await readdir(directory.folder)).filter((file) => file.endsWith('.checkpoint'))
    directory.clock.advance(599)
    const end = repository.image().offset + 1n
    expect(directory.clock.pending).toBe(1)
    directory.clock.advance(1)
    // nothing is new after that
    directory.clock.advance(10_000)
    await repository.close()
    const name = `${String(end).padStart(20, '0')}-0000000001.checkpoint`
    expect(await checkpoints()).toEqual([name])
    const { records } = await readSnapshot(join(directory.folder, name), crc32c)
    expect(records).toContainEqual(topicRecords('t', topicId, 1)[0])
    expect(directory.clock.pending).toBe(0)
  })

  it('that wait for their time leave no timer behind', async () => {
    await using directory = await kraftDirectory()
    const repository = directory.repository({ maxSnapshotIntervalMs: 1000 })
    await repository.start()
    expect(directory.clock.pending).toBe(1)
    await repository.close()
    expect(directory.clock.pending).toBe(0)
  })

  it('that are damaged are passed over while the log reaches back', async () => {
    await using directory = await goldenDirectory('scram-acls-quotas')
    const newest = join(directory.folder, '00000000000000000080-0000000001.checkpoint')
    await chmod(newest, 0o600)
    await writeFile(newest, (await readFile(newest)).subarray(0, 1000))
    const repository = directory.repository()
    await repository.start()
    expect(repository.image().acls.size).toBe(8)
    expect(directory.events).toContainEqual(
      expect.objectContaining({ level: 'warn', event: 'metadata snapshot passed over' }),
    )
    await repository.close()
  })
})

describe('a directory of a real Kafka', () => {
  it('keeps its level, its quorum and its data version of quorum-state', async () => {
    await using directory = await goldenDirectory('scram-acls-quotas')
    const repository = directory.repository()
    await repository.start()
    expect(await readFile(join(directory.folder, 'quorum-state'), 'utf8')).toBe(
      '{"leaderId":1,"leaderEpoch":2,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}',
    )
    const [change, ...rest] = (await batchesOf(directory)).slice(-4)
    expect(change?.control[0]).toMatchObject({
      type: 'LeaderChange',
      value: { version: 0, leaderId: 1, voters: [{ voterId: 1 }], grantingVoters: [{ voterId: 1 }] },
    })
    expect(rest[1]?.data[0]?.version).toBe(4)
    await repository.close()
  })

  it('that was only formatted begins with what the format chose', async () => {
    await using directory = await goldenDirectory('basic-clean')
    const fresh = await kraftDirectory(async (path) => {
      for (const file of ['meta.properties', 'bootstrap.checkpoint']) {
        await writeFile(join(path, file), await readFile(join(directory.path, file)))
      }
    })
    const repository = fresh.repository()
    await repository.start()
    expect(repository.image().features.get('metadata.version')).toBe(30)
    expect(repository.image().clusterId).toBe('BasicCleanAAAAAAAAAAAA')
    const [, first] = await batchesOf(fresh)
    const original = [...readMetadataBatches(await stored(directory.logStore), crc32c, () => '')][1]
    expect(first?.data).toEqual(original?.data)
    await repository.close()
    await fresh[Symbol.asyncDispose]()
  })

  it('formatted by Kafka 4.4, whose first snapshot holds the features, begins with them', async () => {
    await using directory = await kraftDirectory(async (path) => {
      await mkdir(join(path, '__cluster_metadata-0'))
      const file = join(path, '__cluster_metadata-0', '00000000000000000000-0000000000.checkpoint')
      const features: MetadataRecord[] = [
        level(28),
        { type: 'FeatureLevelRecord', name: 'group.version', featureLevel: 1 },
      ]
      await writeSnapshot(
        { records: features, kraftVersion: 0, voters: null, lastContainedLogTimestamp: 0n },
        { file, temporary: `${file}.part`, epoch: 0, level: 28, nowMs: 5n },
        crc32c,
      )
    })
    for (const epoch of [1, 2]) {
      const repository = directory.repository()
      await repository.start()
      expect(repository.image().features).toEqual(
        new Map([
          ['metadata.version', 28],
          ['group.version', 1],
        ]),
      )
      expect(repository.image().epoch).toBe(epoch)
      await repository.close()
    }
    expect(await readdir(directory.path)).toEqual(['__cluster_metadata-0', 'meta.properties'])
  })

  it('with a handful of records and no registration is served as it is', async () => {
    const records = topicRecords('t', topicId, 2).map((record): MetadataRecord => {
      return record.type === 'PartitionRecord' ? { ...record, directories: [topicId] } : record
    })
    const log = Buffer.concat([batch(0n, 1, [level(20)]), batch(1n, 1, records, [0, 1, 1])])
    const logStore = new MemoryLogStore()
    await store(logStore, log)
    await using directory = await kraftDirectory(undefined, logStore)
    const repository = directory.repository()
    await repository.start()
    expect(repository.image().topicsByName.get('t')?.partitions[0]).toMatchObject({ leader: 1, leaderEpoch: 0 })
    expect(repository.image().features).toEqual(new Map([['metadata.version', 20]]))
    await repository.close()
    expect((await stored(logStore)).subarray(0, log.length).equals(log)).toBe(true)
  })

  it('with an unfinished metadata transaction loses what was not ended', async () => {
    const logStore = new MemoryLogStore()
    const records: MetadataRecord[] = [{ type: 'BeginTransactionRecord', name: null }, ...topicRecords('t', topicId, 1)]
    await store(logStore, Buffer.concat([batch(0n, 1, [level(29)]), batch(1n, 1, records, [0, 0, 2])]))
    await using directory = await kraftDirectory(undefined, logStore)
    const repository = directory.repository()
    await repository.start()
    expect(repository.image().topicsByName.size).toBe(0)
    expect((await batchesOf(directory)).map(types)).toContainEqual(['AbortTransactionRecord'])
    await repository.close()
  })
})

describe('partition folders without a metadata log', () => {
  it('become topics: ids from their files, numbers from their names', async () => {
    const logStore = new MemoryLogStore()
    await logStore.open({ topic: 'a-b', partition: 2 }, { ...logOptions, topicId })
    await logStore.open({ topic: 'a-b', partition: 0 }, { ...logOptions, topicId })
    await using directory = await kraftDirectory(async (path) => {
      await mkdir(join(path, 'a-b-2'))
      await writeFile(join(path, 'a-b-2', 'leader-epoch-checkpoint'), '0\n2\n0 0\n4 17\n')
    }, logStore)
    const repository = directory.repository()
    await repository.start()
    const topic = repository.image().topicsByName.get('a-b')
    expect(topic?.id).toBe(topicId)
    expect(topic?.partitions.map(({ leader, leaderEpoch }) => [leader, leaderEpoch])).toEqual([
      [1, 0],
      [1, 0],
      [1, 5],
    ])
    expect(await readFile(join(directory.path, 'a-b-2', 'partition.metadata'), 'utf8')).toBe(
      `version: 0\ntopic_id: ${topicId}`,
    )
    await repository.close()
    const again = directory.repository()
    await again.start()
    expect(again.image().topicsByName.get('a-b')?.partitions).toHaveLength(3)
    await again.close()
  })
})

describe('a directory that cannot be served', () => {
  const meta = (fields: Record<string, string>) =>
    Object.entries({ version: '1', 'node.id': '1', 'cluster.id': 'BasicCleanAAAAAAAAAAAA', ...fields })
      .map(([key, value]) => `${key}=${value}\n`)
      .join('')

  it.each([
    ['another node', meta({ 'node.id': '2' }), /meta\.properties: node\.id is 2, but this broker is configured as 1/],
    ['version 0', 'version=0\nbroker.id=1\ncluster.id=x\n', /version 0 belongs to a cluster with ZooKeeper/],
    ['another cluster', meta({ 'cluster.id': 'other' }), /cluster\.id is other, but the configuration says/],
    ['no cluster', 'version=1\nnode.id=1\n', /cluster\.id is missing/],
  ])('is refused for %s, untouched', async (_, text, message) => {
    await using directory = await kraftDirectory((path) => writeFile(join(path, 'meta.properties'), text))
    const repository = directory.repository({ clusterId: 'BasicCleanAAAAAAAAAAAA' })
    await expect(repository.start()).rejects.toThrow(message)
    expect(await readdir(directory.path)).toEqual(['meta.properties'])
    expect(await readFile(join(directory.path, 'meta.properties'), 'utf8')).toBe(text)
  })

  const unknown = (value: number[]) =>
    Buffer.from(dataBatch([Uint8Array.from(value)], { baseOffset: 1n, leaderEpoch: 1, timestamp: 0n }, crc32c))

  it.each<[string, Buffer, RegExp]>([
    ['an unknown record type', unknown([1, 99, 0, 0]), /at offset 1: record type 99 \(version 0\) is unknown/],
    ['an unknown record version', unknown([1, 2, 9, 0]), /at offset 1: TopicRecord \(type 2\) has unknown version 9/],
    ['a record cut short', unknown([1, 12, 0, 5, 65]), /at offset 1: /],
    ['an unknown frame', unknown([0, 12, 0]), /at offset 1: record frame version 0 is unknown/],
    ['a newer level', batch(1n, 1, [level(34)]), /metadata\.version is at level 34, and only 7 to 33 are known/],
    ['a misfit', batch(1n, 1, [{ type: 'RemoveTopicRecord', topicId }]), /at offset 1: unknown topic id/],
    [
      'an unknown feature',
      batch(1n, 1, [{ type: 'FeatureLevelRecord', name: 'warp.drive', featureLevel: 1 }]),
      /the feature warp\.drive \(level 1\) is unknown/,
    ],
  ])('is refused for %s, untouched', async (_, bytes, message) => {
    const logStore = new MemoryLogStore()
    await store(logStore, Buffer.concat([batch(0n, 1, [level(29)]), bytes]))
    const before = await stored(logStore)
    await using directory = await kraftDirectory(undefined, logStore)
    await expect(directory.repository().start()).rejects.toThrow(message)
    expect(await stored(logStore)).toEqual(before)
    expect(await readdir(directory.path)).toEqual([])
  })

  it('is refused for a flipped byte in the log', async () => {
    const logStore = new MemoryLogStore()
    const damaged = batch(1n, 1, topicRecords('t', topicId, 1), [0, 2])
    damaged[100] = damaged[100]! ^ 1
    await store(logStore, Buffer.concat([batch(0n, 1, [level(29)]), damaged]))
    await using directory = await kraftDirectory(undefined, logStore)
    await expect(directory.repository().start()).rejects.toThrow(/at offset 1: the checksum of the batch does not hold/)
  })
})
