import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { FetchSessions } from '../../../../src/application/fetch-sessions.ts'
import type { ReadablePartition } from '../../../../src/application/partition.ts'
import type { MetadataRepository } from '../../../../src/application/ports/metadata-repository.ts'
import {
  type FetchCommand,
  FetchRecords,
  type FetchResult,
} from '../../../../src/application/use-cases/records/fetch-records.ts'
import { Waiters } from '../../../../src/application/waiters.ts'
import { emptyImage } from '../../../../src/domain/cluster/cluster-evolution.ts'
import type { ClusterImage, PartitionImage, TopicImage } from '../../../../src/domain/cluster/cluster-image.ts'
import { ZERO_UUID } from '../../../../src/domain/uuid.ts'
import { ManualClock } from '../../../../src/adapters/system/manual-clock.ts'
import { settled } from '../../../support/settled.ts'
import { TestDirectory, type TestPartition } from '../../../support/test-partition.ts'

const partitionImage = {
  replicas: [1],
  isr: [1],
  removingReplicas: [],
  addingReplicas: [],
  directories: [],
  eligibleLeaderReplicas: [],
  lastKnownElr: [],
  leader: 1,
  leaderRecoveryState: 0,
  leaderEpoch: 0,
  partitionEpoch: 0,
} satisfies Omit<PartitionImage, 'partitionId'>

/** The image of the topics whose partitions the directory has. */
function imageOf(directory: TestDirectory): ClusterImage {
  const topics = new Map<string, TopicImage>()
  for (const { topicPartition, topicId, leaderEpoch, state } of directory.partitions) {
    if (state === 'closed') continue
    const { topic: name, partition: partitionId } = topicPartition
    const known = topics.get(name)?.partitions ?? []
    topics.set(name, { name, id: topicId, partitions: [...known, { ...partitionImage, partitionId, leaderEpoch }] })
  }
  const topicsById = new Map([...topics.values()].map((topic) => [topic.id, topic]))
  return { ...emptyImage('cluster'), topicsByName: topics, topicsById }
}

function broker({ fetchMaxBytes = 1 << 20, heldBytesMax = 1 << 26, keysMax = 1000 } = {}) {
  const time = new ManualClock()
  const directory = new TestDirectory()
  const waiters = new Waiters<ReadablePartition>(time, time, { keysMax })
  const random = { integer: () => 77, uuid: () => ZERO_UUID }
  const slots = () => ({ maxIncrementalFetchSessionCacheSlots: 10 })
  const sessions = new FetchSessions(time, random, slots, { partitionsMax: 1000 })
  const metadata = { image: () => imageOf(directory) } as MetadataRepository
  const fetches = new FetchRecords(directory, metadata, sessions, waiters, time, () => ({
    fetchMaxBytes,
    heldBytesMax,
  }))
  return { time, directory, waiters, fetches }
}

interface Asked {
  readonly topic?: string
  readonly topicId?: string
  readonly partition?: number
  readonly offset?: bigint
  readonly epoch?: number
  readonly lastFetchedEpoch?: number
  readonly max?: number
}

function command(asked: readonly Asked[], more: Partial<FetchCommand> = {}): FetchCommand {
  return {
    replicaId: -1,
    maxWaitMs: 300,
    minBytes: 1,
    maxBytes: 10_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    usesTopicIds: false,
    topics: asked.map(({ topic = 't', topicId = ZERO_UUID, partition = 0, ...rest }) => ({
      topic,
      topicId,
      partitions: [
        {
          partition,
          currentLeaderEpoch: rest.epoch ?? -1,
          fetchOffset: rest.offset ?? 0n,
          lastFetchedEpoch: rest.lastFetchedEpoch ?? -1,
          partitionMaxBytes: rest.max ?? 10_000,
        },
      ],
    })),
    forgotten: [],
    onAbandoned: () => undefined,
    ...more,
  }
}

function bytesOf(result: FetchResult): number[] {
  return result.partitions.map(({ chunks, recordBytes }) => {
    expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBe(recordBytes)
    return recordBytes
  })
}

const NEVER = { highWatermark: -1n, lastStableOffset: -1n, logStartOffset: -1n }

async function isWaiting(fetch: Promise<FetchResult>): Promise<boolean> {
  return Promise.race([fetch.then(() => false), settled().then(() => true)])
}

describe('FetchRecords', () => {
  it('answers records that are there at once, with the offsets of the log', async () => {
    const { directory, fetches } = broker()
    const partition = directory.add('t', 0)
    partition.append(3)
    partition.logStartOffset = 1n
    const result = await fetches.execute(command([{ offset: 1n }]))
    expect(result).toMatchObject({ error: 'NONE', sessionId: 0 })
    expect(result.partitions).toMatchObject([
      { error: 'NONE', highWatermark: 3n, lastStableOffset: 3n, logStartOffset: 1n, abortedTransactions: null },
    ])
    expect(result.partitions[0]!.chunks).toEqual(partition.batches.slice(1).map(({ bytes }) => bytes))
    expect(partition.held).toBe(1)
    result.release()
    expect(partition.held).toBe(0)
  })

  it('tells a reader of what is committed which transactions among the batches were aborted', async () => {
    const { directory, fetches } = broker()
    const partition = directory.add('t', 0)
    partition.append(6)
    const transaction = { producerId: 7n, firstOffset: 1n, lastOffset: 2n, lastStableOffset: 3n }
    partition.aborted = [transaction, { ...transaction, firstOffset: 4n, lastOffset: 5n }]
    const abortedFor = async (offset: bigint, isolationLevel: number, max = 10_000) => {
      const result = await fetches.execute(command([{ offset, max }], { isolationLevel, maxWaitMs: 0 }))
      result.release()
      return result.partitions[0]!.abortedTransactions?.map(({ firstOffset }) => firstOffset) ?? null
    }
    expect(await abortedFor(0n, 1)).toEqual([1n, 4n])
    expect(await abortedFor(3n, 1)).toEqual([4n])
    expect(await abortedFor(0n, 1, 200)).toEqual([1n])
    expect(await abortedFor(6n, 1)).toEqual([])
    expect(await abortedFor(0n, 0)).toBeNull()
    expect(partition.held).toBe(0)
  })

  it('answers no batch whose aborted transactions cannot be read', async () => {
    const { directory, fetches } = broker()
    const partition = directory.add('t', 0)
    partition.append(1)
    partition.abortedUnreadable = true
    const result = await fetches.execute(command([{}], { isolationLevel: 1 }))
    expect(result.partitions).toMatchObject([{ ...NEVER, error: 'KAFKA_STORAGE_ERROR', chunks: [] }])
    expect(partition.held).toBe(0)
    result.release()
  })

  it('gives the whole batch that holds an offset inside it (row 169)', async () => {
    const { directory, fetches } = broker()
    directory.add('t', 0).append(2, { count: 3 })
    expect(bytesOf(await fetches.execute(command([{ offset: 1n }], { maxBytes: 150 })))).toEqual([100])
  })

  it.each([
    ['maxBytes and partitionMaxBytes 1 (row 170)', 1, 1, [100, 0]],
    ['maxBytes 0 (row 171)', 0, 1000, [100, 0]],
    ['maxBytes 1, partitionMaxBytes large (row 191)', 1, 1000, [100, 0]],
    ['maxBytes 150: only whole batches (row 192)', 150, 1000, [100, 0]],
    ['maxBytes 250', 250, 100, [100, 100]],
    ['maxBytes large, partitionMaxBytes less than one batch', 1000, 50, [100, 0]],
    ['partitionMaxBytes of two batches', 1000, 200, [200, 200]],
    ['maxBytes that cuts the second', 350, 200, [200, 100]],
  ])('keeps to the limits: %s', async (_, maxBytes, max, expected) => {
    for (const reads of ['now', 'later'] as const) {
      const { directory, fetches } = broker()
      for (const partition of [directory.add('t', 0), directory.add('t', 1)]) {
        partition.append(3)
        partition.reads = reads
      }
      const asked = [{ max }, { partition: 1, max }]
      expect(bytesOf(await fetches.execute(command(asked, { maxBytes })))).toEqual(expected)
    }
  })

  it('lets the first partition that has records exceed the limits, not the first one named', async () => {
    const { directory, fetches } = broker()
    directory.add('t', 0)
    directory.add('t', 1).append(1)
    directory.add('t', 2).append(1)
    const asked = [0, 1, 2].map((partition) => ({ partition, max: 1 }))
    expect(bytesOf(await fetches.execute(command(asked)))).toEqual([0, 100, 0])
  })

  it('never exceeds fetch.max.bytes', async () => {
    const { directory, fetches } = broker({ fetchMaxBytes: 250 })
    directory.add('t', 0).append(5)
    expect(bytesOf(await fetches.execute(command([{}])))).toEqual([200])
  })

  it('gives less, and does not wait for more, while clients hold on to their answers', async () => {
    for (const reads of ['now', 'later'] as const) {
      const { directory, fetches } = broker({ heldBytesMax: 800, fetchMaxBytes: 1 << 30 })
      const partitions = [directory.add('t', 0), directory.add('t', 1)]
      for (const partition of partitions) {
        partition.append(700)
        partition.reads = reads
      }
      const ask = () =>
        fetches.execute(command([{ max: 1 << 30 }, { partition: 1, max: 1 << 30 }], { minBytes: 1e6, maxBytes: 1e6 }))
      const first = await ask()
      expect(bytesOf(first)).toEqual([65_500, 0])
      const second = await ask()
      expect(bytesOf(second)).toEqual([65_500, 0])
      first.release()
      second.release()
      second.release()
      expect(partitions.map(({ held }) => held)).toEqual([0, 0])
    }
  })

  it.each<[string, Asked, string]>([
    ['offset -1 (row 172)', { offset: -1n }, 'OFFSET_OUT_OF_RANGE'],
    ['past the end (row 175)', { offset: 4n }, 'OFFSET_OUT_OF_RANGE'],
    ['below the log start (rows 176, 177)', { offset: 0n }, 'OFFSET_OUT_OF_RANGE'],
    ['a leader epoch to come (row 182)', { offset: 1n, epoch: 99 }, 'UNKNOWN_LEADER_EPOCH'],
    ['a leader epoch gone by', { offset: 1n, epoch: 1 }, 'FENCED_LEADER_EPOCH'],
    ['an epoch that is still to come as the last fetched', { offset: 1n, lastFetchedEpoch: 9 }, 'OFFSET_OUT_OF_RANGE'],
    ['a negative size', { offset: 1n, max: -1 }, 'INVALID_REQUEST'],
  ])('answers an error at once and without offsets: %s', async (_, asked, error) => {
    const { directory, fetches } = broker()
    const partition = directory.add('t', 0)
    partition.append(3)
    partition.logStartOffset = 1n
    partition.leaderEpoch = 2
    const result = await fetches.execute(command([asked], { minBytes: 1_000_000 }))
    expect(result.error).toBe('NONE')
    expect(result.partitions).toMatchObject([{ error, ...NEVER, abortedTransactions: null, recordBytes: 0 }])
    const leader = error === 'FENCED_LEADER_EPOCH' ? { leaderId: 1, leaderEpoch: 2 } : null
    expect(result.partitions[0]!.currentLeader).toEqual(leader)
  })

  it('takes every negative leader epoch for none, as Kafka does here and nowhere else', async () => {
    const { directory, fetches } = broker()
    directory.add('t', 0).append(1)
    const result = await fetches.execute(command([{ epoch: -2, lastFetchedEpoch: -2 }]))
    expect(result.partitions).toMatchObject([{ error: 'NONE', highWatermark: 1n }])
  })

  it('waits for nobody when there is nothing it could wait for (rows 179 to 181, 190)', async () => {
    const { directory, fetches } = broker()
    directory.add('t', 0)
    const byId = { usesTopicIds: true }
    const refused = { ...NEVER, abortedTransactions: [], recordBytes: 0 }
    const unknownId = await fetches.execute(command([{ topicId: 'nobody', topic: '' }], byId))
    expect(unknownId.partitions).toMatchObject([{ error: 'UNKNOWN_TOPIC_ID', ...refused }])
    const zeroId = await fetches.execute(command([{ topic: '' }], byId))
    expect(zeroId.partitions).toMatchObject([{ error: 'UNKNOWN_TOPIC_ID', ...refused }])
    const partition9 = await fetches.execute(command([{ partition: 9 }]))
    expect(partition9.partitions).toMatchObject([{ error: 'UNKNOWN_TOPIC_OR_PARTITION', ...refused }])
    expect(await fetches.execute(command([]))).toMatchObject({ error: 'NONE', sessionId: 0, partitions: [] })
  })

  it('answers what it refused after what it read', async () => {
    const { directory, fetches } = broker()
    directory.add('t', 0).append(1)
    const result = await fetches.execute(command([{ topic: 'nope' }, {}]))
    expect(result.partitions.map(({ target }) => target.topic)).toEqual(['t', 'nope'])
  })

  it('tells a replica that it is none, and who leads (row 196)', async () => {
    const { directory, fetches } = broker()
    directory.add('t', 0).append(1)
    const asked = command([{ topic: '', topicId: 't-id' }], { usesTopicIds: true, replicaId: 5 })
    expect((await fetches.execute(asked)).partitions).toMatchObject([
      { error: 'NOT_LEADER_OR_FOLLOWER', ...NEVER, currentLeader: { leaderId: 1, leaderEpoch: 0 } },
    ])
  })

  it('refuses an isolation level that does not exist, as a whole and for each partition (row 195)', async () => {
    // Kafka answers UNKNOWN_SERVER_ERROR, because it does not check.
    const { directory, fetches } = broker()
    directory.add('t', 0)
    const result = await fetches.execute(command([{}], { isolationLevel: 7 }))
    expect(result).toMatchObject({ error: 'INVALID_REQUEST', sessionId: 0 })
    expect(result.partitions).toMatchObject([{ error: 'INVALID_REQUEST', ...NEVER, abortedTransactions: [] }])
  })

  it('says that a topic is another one by now when a session still knows its name', async () => {
    const { directory, fetches } = broker()
    const old = directory.add('t', 0)
    old.append(1)
    const byId = { usesTopicIds: true }
    const opened = command([{ topic: '', topicId: 't-id', offset: 1n }], { ...byId, sessionEpoch: 0, maxWaitMs: 0 })
    const { sessionId } = await fetches.execute(opened)
    old.state = 'closed'
    const next = (epoch: number) => command([], { ...byId, sessionId, sessionEpoch: epoch, maxWaitMs: 0 })
    expect((await fetches.execute(next(1))).partitions).toMatchObject([{ error: 'UNKNOWN_TOPIC_OR_PARTITION' }])
    directory.add('t', 0, 'another-id').append(1)
    expect((await fetches.execute(next(2))).partitions).toMatchObject([{ error: 'INCONSISTENT_TOPIC_ID' }])
  })

  describe('last fetched epochs (KIP-595)', () => {
    function twoEpochs() {
      const made = broker()
      const partition = made.directory.add('t', 0)
      partition.append(10)
      partition.epochs = [
        { epoch: 1, startOffset: 0n },
        { epoch: 3, startOffset: 6n },
      ]
      partition.leaderEpoch = 3
      return { ...made, partition }
    }

    it.each<[string, Asked, { epoch: number; endOffset: bigint } | null]>([
      [
        'the client went on in an epoch that ended before',
        { offset: 8n, lastFetchedEpoch: 1 },
        { epoch: 1, endOffset: 6n },
      ],
      [
        'the client has an epoch that this log never had',
        { offset: 5n, lastFetchedEpoch: 2 },
        { epoch: 1, endOffset: 6n },
      ],
      ['the logs agree', { offset: 6n, lastFetchedEpoch: 1 }, null],
      ['the logs agree in the current epoch', { offset: 8n, lastFetchedEpoch: 3 }, null],
    ])('%s', async (_, asked, diverging) => {
      const { fetches } = twoEpochs()
      const { partitions } = await fetches.execute(command([asked], { minBytes: 1 }))
      expect(partitions).toMatchObject([{ error: 'NONE', diverging, highWatermark: 10n, logStartOffset: 0n }])
      expect(partitions[0]!.recordBytes > 0).toBe(diverging === null)
    })

    it('a leader that has not written yet has an epoch too', async () => {
      const { fetches, partition } = twoEpochs()
      partition.leaderEpoch = 4
      const asked = command([{ offset: 9n, lastFetchedEpoch: 3 }])
      expect((await fetches.execute(asked)).partitions[0]).toMatchObject({ diverging: null, recordBytes: 100 })
      const newest = command([{ offset: 10n, lastFetchedEpoch: 4 }], { maxWaitMs: 0 })
      expect((await fetches.execute(newest)).partitions[0]).toMatchObject({ error: 'NONE', diverging: null })
    })
  })

  it('reads committed records up to the last stable offset (row 267)', async () => {
    const { directory, fetches } = broker()
    const partition = directory.add('t', 0)
    partition.append(3)
    partition.firstUnstable = 2n
    const result = await fetches.execute(command([{}], { isolationLevel: 1 }))
    expect(result.partitions).toMatchObject([
      { highWatermark: 3n, lastStableOffset: 2n, abortedTransactions: [], recordBytes: 200 },
    ])
  })

  describe('a disk that fails', () => {
    it.each(['now', 'later'] as const)('is an error of that partition only (%s)', async (reads) => {
      const { directory, fetches } = broker()
      const broken = directory.add('t', 0)
      broken.append(1)
      broken.reads = reads
      broken.readFails = true
      directory.add('t', 1).append(1)
      directory.add('t', 2).state = 'offline'
      const asked = [0, 1, 2].map((partition) => ({ partition }))
      const { partitions } = await fetches.execute(command(asked))
      const storage = { error: 'KAFKA_STORAGE_ERROR', ...NEVER, recordBytes: 0 }
      expect(partitions).toMatchObject([storage, { error: 'NONE', recordBytes: 100 }, storage])
    })

    it('gives back what it had read when something unexpected is thrown', async () => {
      const { directory, fetches } = broker()
      const good = directory.add('t', 0)
      good.append(1)
      const odd = directory.add('t', 1)
      odd.append(1)
      odd.read = () => {
        throw new Error('a bug')
      }
      await expect(fetches.execute(command([{}, { partition: 1 }]))).rejects.toThrow('a bug')
      expect(good.held).toBe(0)
    })
  })

  it('waits for partitions that are still opening, all at a time', async () => {
    const { directory, fetches } = broker()
    const opening = [directory.add('t', 0), directory.add('t', 1)]
    const open: (() => void)[] = []
    for (const partition of opening) {
      partition.state = 'opening'
      partition.opening = new Promise((resolve) => {
        open.push(() => {
          partition.state = 'open'
          partition.append(1)
          resolve()
        })
      })
    }
    const fetch = fetches.execute(command([{}, { partition: 1 }]))
    expect(await isWaiting(fetch)).toBe(true)
    for (const one of open) one()
    expect(bytesOf(await fetch)).toEqual([100, 100])
  })

  describe('long poll', () => {
    function grow({ waiters }: { waiters: Waiters<ReadablePartition> }, partition: TestPartition, batches = 1): void {
      partition.append(batches)
      waiters.notify(partition)
    }

    it('ends with the first record, which is the only read that it costs', async () => {
      const made = broker()
      const partition = made.directory.add('t', 0)
      const fetch = made.fetches.execute(command([{}]))
      expect(await isWaiting(fetch)).toBe(true)
      expect(partition.readCount).toBe(0)
      grow(made, partition)
      expect(bytesOf(await fetch)).toEqual([100])
      expect(partition.readCount).toBe(1)
      expect(made.time.pending).toBeLessThanOrEqual(1)
      expect(made.waiters.size).toBe(0)
    })

    it('ends empty at its deadline, with the offsets of then', async () => {
      const made = broker()
      const partition = made.directory.add('t', 0)
      partition.append(1)
      const fetch = made.fetches.execute(command([{ offset: 1n }]))
      made.time.advance(299)
      expect(await isWaiting(fetch)).toBe(true)
      made.time.advance(1)
      const { partitions } = await fetch
      expect(partitions).toMatchObject([{ error: 'NONE', highWatermark: 1n, recordBytes: 0 }])
    })

    it('answers at once without a wait', async () => {
      const { directory, fetches } = broker()
      directory.add('t', 0)
      expect(bytesOf(await fetches.execute(command([{}], { maxWaitMs: 0 })))).toEqual([0])
      expect(bytesOf(await fetches.execute(command([{}], { minBytes: 0 })))).toEqual([0])
    })

    it('counts what arrives until there is enough, without reading', async () => {
      const made = broker()
      const [first, second] = [made.directory.add('t', 0), made.directory.add('t', 1)]
      first.append(1)
      const fetch = made.fetches.execute(command([{}, { partition: 1, offset: 0n }], { minBytes: 400 }))
      expect(await isWaiting(fetch)).toBe(true)
      expect(first.held).toBe(0)
      const readsBefore = first.readCount
      grow(made, first)
      grow(made, second)
      expect(await isWaiting(fetch)).toBe(true)
      expect(first.readCount).toBe(readsBefore)
      grow(made, second)
      expect(bytesOf(await fetch)).toEqual([200, 200])
    })

    it('counts no more of a partition than may be answered of it', async () => {
      const made = broker()
      const partition = made.directory.add('t', 0)
      const fetch = made.fetches.execute(command([{ max: 200 }], { minBytes: 300 }))
      grow(made, partition, 10)
      expect(await isWaiting(fetch)).toBe(true)
      made.time.advance(300)
      expect(bytesOf(await fetch)).toEqual([200])
    })

    it('does not wait for bytes that only a part of a batch could give', async () => {
      const { directory, fetches } = broker()
      directory.add('t', 0).append(5)
      expect(bytesOf(await fetches.execute(command([{ max: 250 }], { minBytes: 250 })))).toEqual([200])
    })

    it('misses nothing that arrives while a disk is read', async () => {
      const made = broker()
      const partition = made.directory.add('t', 0)
      partition.append(1)
      partition.reads = 'later'
      const fetch = made.fetches.execute(command([{}], { minBytes: 200 }))
      grow(made, partition)
      expect(bytesOf(await fetch)).toEqual([200])
    })

    it('ends when an error comes up in one of its partitions', async () => {
      const made = broker()
      const [quiet, deleted] = [made.directory.add('t', 0), made.directory.add('u', 0)]
      const fetch = made.fetches.execute(command([{}, { topic: 'u' }], { minBytes: 1000 }))
      expect(await isWaiting(fetch)).toBe(true)
      deleted.state = 'closed'
      made.waiters.notify(deleted)
      expect((await fetch).partitions).toMatchObject([{ error: 'NONE' }, { error: 'UNKNOWN_TOPIC_OR_PARTITION' }])
      const again = made.fetches.execute(command([{}], { minBytes: 1000 }))
      quiet.state = 'offline'
      made.waiters.notify(quiet)
      expect((await again).partitions).toMatchObject([{ error: 'KAFKA_STORAGE_ERROR' }])
    })

    it('ends when a transaction gives records free, whatever was appended', async () => {
      const made = broker()
      const partition = made.directory.add('t', 0)
      partition.append(5)
      partition.firstUnstable = 0n
      const fetch = made.fetches.execute(command([{}], { isolationLevel: 1, minBytes: 500 }))
      expect(await isWaiting(fetch)).toBe(true)
      partition.firstUnstable = null
      grow(made, partition)
      expect(bytesOf(await fetch)).toEqual([600])
    })

    it('ends when the client has gone, and when the broker stops', async () => {
      const made = broker()
      made.directory.add('t', 0)
      let abandon: () => void = () => undefined
      const gone = made.fetches.execute(command([{}], { onAbandoned: (listener) => (abandon = listener) }))
      expect(await isWaiting(gone)).toBe(true)
      abandon()
      expect(bytesOf(await gone)).toEqual([0])
      const stopped = made.fetches.execute(command([{}]))
      made.waiters.close()
      expect(bytesOf(await stopped)).toEqual([0])
      expect(made.time.pending).toBe(0)
    })

    it('is not parked past the bound', async () => {
      const { directory, fetches } = broker({ keysMax: 1 })
      directory.add('t', 0)
      directory.add('t', 1)
      expect(bytesOf(await fetches.execute(command([{}, { partition: 1 }])))).toEqual([0, 0])
    })
  })

  it('answers a session only what is new (rows 185 and 186)', async () => {
    const { directory, fetches } = broker()
    const partition = directory.add('t', 0)
    directory.add('t', 1)
    partition.append(1)
    const first = await fetches.execute(command([{}, { partition: 1 }], { sessionEpoch: 0 }))
    expect(first).toMatchObject({ error: 'NONE', sessionId: 78 })
    expect(first.partitions).toHaveLength(2)
    const session = (sessionEpoch: number) => ({ sessionId: 78, sessionEpoch, maxWaitMs: 0 })
    const again = await fetches.execute(command([], session(1)))
    expect(again.partitions.map(({ target, recordBytes }) => [target.partition, recordBytes])).toEqual([[0, 100]])
    const read = await fetches.execute(command([{ offset: 1n }], session(2)))
    expect(read).toMatchObject({ error: 'NONE', sessionId: 78, partitions: [] })
    const wrong = await fetches.execute(command([], session(9)))
    expect(wrong).toMatchObject({ error: 'INVALID_FETCH_SESSION_EPOCH', sessionId: 0, partitions: [] })
  })

  it('returns exactly the stored bytes, in order, whatever the sizes', async () => {
    const log = fc.array(fc.record({ bytes: fc.integer({ min: 61, max: 400 }), count: fc.integer({ min: 1, max: 5 }) }))
    const limits = fc.record({
      max: fc.nat(900),
      maxBytes: fc.nat(900),
      reads: fc.constantFrom('now' as const, 'later' as const),
    })
    await fc.assert(
      fc.asyncProperty(log, log, fc.array(limits, { minLength: 1, maxLength: 5 }), async (logA, logB, sizes) => {
        const { directory, fetches } = broker()
        const partitions = [logA, logB].map((batches, index) => {
          const partition = directory.add('t', index)
          for (const batch of batches) partition.append(1, batch)
          return partition
        })
        const offsets = partitions.map(() => 0n)
        const got = partitions.map((): Uint8Array[] => [])
        for (let round = 0; round < 200; round++) {
          const { max, maxBytes, reads } = sizes[round % sizes.length]!
          for (const partition of partitions) partition.reads = reads
          const order = round % 2 === 0 ? [0, 1] : [1, 0]
          const asked = order.map((partition) => ({ partition, offset: offsets[partition]!, max }))
          const result = await fetches.execute(command(asked, { maxBytes, maxWaitMs: 0 }))
          const sizeOf = bytesOf(result)
          const total = sizeOf[0]! + sizeOf[1]!
          const first = result.partitions.find(({ recordBytes }) => recordBytes > 0)?.chunks[0]?.length ?? 0
          expect(total).toBeLessThanOrEqual(Math.max(maxBytes, first))
          for (const { target, chunks, recordBytes } of result.partitions) {
            const partition = partitions[target.partition]!
            for (const chunk of chunks) {
              got[target.partition]!.push(chunk)
              const batch = partition.batches.find(({ bytes }) => bytes === chunk)!
              offsets[target.partition] = batch.lastOffset + 1n
            }
            expect(recordBytes).toBeLessThanOrEqual(Math.max(max, first))
          }
          result.release()
          const isDone = partitions.every(({ highWatermark }, index) => offsets[index] === highWatermark)
          if (isDone) break
          expect(total).toBeGreaterThan(0)
        }
        expect(got).toEqual(partitions.map(({ batches }) => batches.map(({ bytes }) => bytes)))
        for (const partition of partitions) expect(partition.held).toBe(0)
      }),
      { numRuns: 60 },
    )
  })
})
