import { describe, expect, it } from '@jest/globals'
import type { LogDirectory, LogStore } from '../../../../src/application/ports/log-store.ts'
import type { MetadataRepository } from '../../../../src/application/ports/metadata-repository.ts'
import { DescribeLogDirs } from '../../../../src/application/use-cases/records/describe-log-dirs.ts'
import type { PartitionImage } from '../../../../src/domain/cluster/cluster-image.ts'
import { TestDirectory } from '../../../support/test-partition.ts'

const space = { totalBytes: 1000n, usableBytes: 400n }
const twoDirectories: readonly LogDirectory[] = [
  { path: '/a', online: true, ...space },
  { path: '/b', online: true, ...space },
]

function broker(directories = twoDirectories, cordonedLogDirs: readonly string[] = []) {
  const directory = new TestDirectory()
  const topic = (name: string, ids: readonly number[]) =>
    [name, { name, id: name, partitions: ids.map((partitionId) => ({ partitionId }) as PartitionImage) }] as const
  const topicsByName = new Map([topic('t', [0, 1]), topic('u', [0])])
  const metadata = { image: () => ({ topicsByName }) } as unknown as MetadataRepository
  const logStore = { directories: () => Promise.resolve(directories) } as LogStore
  const add = (name: string, partition: number, path: string, batches: number) => {
    const made = directory.add(name, partition)
    made.path = path
    made.append(batches)
    return made
  }
  const partitions = [add('t', 0, '/a', 1), add('t', 1, '/b', 2), add('u', 0, '/a', 3)]
  return { partitions, useCase: new DescribeLogDirs(directory, logStore, metadata, () => ({ cordonedLogDirs })) }
}

const one = (partitionIndex: number, sizeBytes: number) => ({
  partitionIndex,
  sizeBytes,
  offsetLag: 0n,
  isFuture: false,
})

describe('DescribeLogDirs', () => {
  it('describes all partitions where they are (row 364)', async () => {
    expect(await broker().useCase.execute({ topics: null })).toEqual([
      {
        error: 'NONE',
        logDir: '/a',
        topics: [
          { name: 't', partitions: [one(0, 100)] },
          { name: 'u', partitions: [one(0, 300)] },
        ],
        ...space,
        isCordoned: false,
      },
      { error: 'NONE', logDir: '/b', topics: [{ name: 't', partitions: [one(1, 200)] }], ...space, isCordoned: false },
    ])
  })

  it('describes what was named, leaves out what does not exist, and shows empty directories', async () => {
    const topics = [
      { topic: 't', partitions: [0, 0, 7] },
      { topic: 'nope', partitions: [0] },
    ]
    expect(await broker().useCase.execute({ topics })).toMatchObject([
      { logDir: '/a', topics: [{ name: 't', partitions: [one(0, 100)] }] },
      { logDir: '/b', topics: [] },
    ])
    expect(await broker().useCase.execute({ topics: [] })).toMatchObject([{ topics: [] }, { topics: [] }])
  })

  it('leaves out partitions that are offline, and says which directory is', async () => {
    const { partitions, useCase } = broker([twoDirectories[0]!, { path: '/b', online: false, ...space }])
    partitions[1]!.state = 'offline'
    expect((await useCase.execute({ topics: null }))[1]).toEqual({
      error: 'KAFKA_STORAGE_ERROR',
      logDir: '/b',
      topics: [],
      totalBytes: -1n,
      usableBytes: -1n,
      isCordoned: false,
    })
  })

  it.each([
    [['/b'], [false, true]],
    [['*'], [true, true]],
  ])('marks directories that take no new partitions: %j', async (cordoned, expected) => {
    const described = await broker(twoDirectories, cordoned).useCase.execute({ topics: null })
    expect(described.map(({ isCordoned }) => isCordoned)).toEqual(expected)
  })
})
