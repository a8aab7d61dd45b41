import { describe, expect, it } from '@jest/globals'
import type { MetadataRepository } from '../../../../src/application/ports/metadata-repository.ts'
import { DeleteRecords } from '../../../../src/application/use-cases/records/delete-records.ts'
import { ListOffsets, type ListOffsetsPartition } from '../../../../src/application/use-cases/records/list-offsets.ts'
import { OffsetForLeaderEpoch } from '../../../../src/application/use-cases/records/offset-for-leader-epoch.ts'
import { emptyImage } from '../../../../src/domain/cluster/cluster-evolution.ts'
import { TestDirectory } from '../../../support/test-partition.ts'

/** `beh-0` as it was when these questions were put to a real broker: records 4 to 12, leader epoch 0. */
function beh() {
  const directory = new TestDirectory()
  const partition = directory.add('beh', 0)
  partition.append(13)
  partition.logStartOffset = 4n
  partition.epochs = [{ epoch: 0, startOffset: 4n }]
  partition.ofMaxTimestamp = { timestamp: 1795355001830n, offset: 12n, leaderEpoch: 0 }
  partition.byTimestamp = { timestamp: 1795354989437n, offset: 4n, leaderEpoch: 0 }
  return { directory, partition }
}

const nothing = { timestamp: -1n, offset: -1n, leaderEpoch: -1 }

describe('ListOffsets', () => {
  async function list(
    { directory }: { directory: TestDirectory },
    question: Partial<ListOffsetsPartition> & { name?: string },
    { isolationLevel = 0, replicaId = -1, lowestTimestamp = -6n } = {},
  ) {
    const { name = 'beh', partitionIndex = 0, currentLeaderEpoch = -1, timestamp = -1n } = question
    const topics = [{ name, partitions: [{ partitionIndex, currentLeaderEpoch, timestamp }] }]
    const answer = await new ListOffsets(directory).execute({ replicaId, isolationLevel, lowestTimestamp, topics })
    return answer[0]!.partitions[0]!
  }

  it.each([
    ['the latest (row 197)', -1n, { timestamp: -1n, offset: 13n, leaderEpoch: 0 }],
    ['the earliest', -2n, { timestamp: -1n, offset: 4n, leaderEpoch: 0 }],
    ['the largest timestamp (row 199)', -3n, { timestamp: 1795355001830n, offset: 12n, leaderEpoch: 0 }],
    ['the earliest local (row 200)', -4n, { timestamp: -1n, offset: 4n, leaderEpoch: 0 }],
    ['the latest tiered (row 201)', -5n, nothing],
    ['the earliest to be uploaded (row 202)', -6n, nothing],
    ['a time (row 204)', 0n, { timestamp: 1795354989437n, offset: 4n, leaderEpoch: 0 }],
  ])('%s', async (_, timestamp, expected) => {
    expect(await list(beh(), { timestamp })).toEqual({ partitionIndex: 0, error: 'NONE', ...expected })
  })

  it('a time after all records, or the largest timestamp of an empty log (row 205)', async () => {
    const { directory, partition } = beh()
    partition.byTimestamp = null
    partition.ofMaxTimestamp = null
    expect(await list({ directory }, { timestamp: 1n << 60n })).toMatchObject({ error: 'NONE', ...nothing })
    expect(await list({ directory }, { timestamp: -3n })).toMatchObject({ error: 'NONE', ...nothing })
  })

  it('the earliest of an empty log has the epoch of its leader', async () => {
    const directory = new TestDirectory()
    directory.add('beh', 0).leaderEpoch = 3
    expect(await list({ directory }, { timestamp: -2n })).toMatchObject({ offset: 0n, leaderEpoch: 3 })
  })

  it.each([
    ['-3 in v1 (row 206)', -3n, -2n],
    ['-4 in v7 (row 207)', -4n, -3n],
    ['one that no version knows', -7n, -6n],
  ])('refuses a timestamp that the version does not know: %s', async (_, timestamp, lowestTimestamp) => {
    expect(await list(beh(), { timestamp }, { lowestTimestamp })).toMatchObject({
      error: 'UNSUPPORTED_VERSION',
      ...nothing,
    })
  })

  it.each([
    ['unknown topic (row 209)', { name: 'nope' }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['unknown partition (row 210)', { partitionIndex: 9 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['an epoch to come (row 211)', { currentLeaderEpoch: 99 }, 'UNKNOWN_LEADER_EPOCH'],
  ])('%s', async (_, question, error) => {
    expect(await list(beh(), question)).toMatchObject({ error, ...nothing })
  })

  it('an epoch gone by', async () => {
    const { directory, partition } = beh()
    partition.leaderEpoch = 2
    expect(await list({ directory }, { currentLeaderEpoch: 1 })).toMatchObject({ error: 'FENCED_LEADER_EPOCH' })
    expect(await list({ directory }, { currentLeaderEpoch: -2 })).toMatchObject({ error: 'FENCED_LEADER_EPOCH' })
  })

  it('ends at the last stable offset for who reads committed records (rows 265 and 266)', async () => {
    const { directory, partition } = beh()
    partition.firstUnstable = 10n
    expect(await list({ directory }, {}, { isolationLevel: 1 })).toMatchObject({ offset: 10n })
    expect(await list({ directory }, {}, { isolationLevel: 0 })).toMatchObject({ offset: 13n })
    expect(await list({ directory }, {}, { isolationLevel: 1, replicaId: 2 })).toMatchObject({ offset: 13n })
    expect(await list({ directory }, { timestamp: -3n }, { isolationLevel: 1 })).toMatchObject(nothing)
  })

  it('refuses an isolation level that does not exist, where Kafka fails with UNKNOWN_SERVER_ERROR', async () => {
    expect(await list(beh(), {}, { isolationLevel: 7 })).toMatchObject({ error: 'INVALID_REQUEST', ...nothing })
  })

  it('answers a partition that was asked twice once, as an invalid request', async () => {
    const { directory } = beh()
    directory.add('beh', 1).append(2)
    const of = (partitionIndex: number) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp: -1n })
    const topics = [
      { name: 'beh', partitions: [of(0), of(1)] },
      { name: 'beh', partitions: [of(0)] },
    ]
    const asked = { replicaId: -1, isolationLevel: 0, lowestTimestamp: -6n, topics }
    expect(await new ListOffsets(directory).execute(asked)).toEqual([
      {
        name: 'beh',
        partitions: [
          { partitionIndex: 0, error: 'INVALID_REQUEST', ...nothing },
          { partitionIndex: 1, error: 'NONE', timestamp: -1n, offset: 2n, leaderEpoch: 0 },
        ],
      },
    ])
  })

  it('says when the disk does not answer', async () => {
    const { directory, partition } = beh()
    partition.readFails = true
    expect(await list({ directory }, { timestamp: 5n })).toMatchObject({ error: 'KAFKA_STORAGE_ERROR', ...nothing })
    partition.state = 'offline'
    expect(await list({ directory }, {})).toMatchObject({ error: 'KAFKA_STORAGE_ERROR', ...nothing })
  })
})

describe('OffsetForLeaderEpoch', () => {
  async function endOf(
    { directory }: { directory: TestDirectory },
    leaderEpoch: number,
    { topic = 'beh', partition = 0, currentLeaderEpoch = -1 } = {},
  ) {
    const topics = [{ topic, partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }]
    return (await new OffsetForLeaderEpoch(directory).execute({ topics }))[0]!.partitions[0]!
  }

  it.each([
    ['none (row 216)', -1, -1, -1n],
    ['the current one (row 217)', 0, 0, 13n],
    ['one to come', 7, -1, -1n],
  ])('epoch: %s', async (_, asked, leaderEpoch, endOffset) => {
    expect(await endOf(beh(), asked)).toEqual({ partition: 0, error: 'NONE', leaderEpoch, endOffset })
  })

  it.each([
    [0, 0, 2n],
    [1, 1, 6n],
    [2, 1, 6n],
    [3, 3, 13n],
    [4, 3, 13n],
    [5, 5, 13n],
    [6, -1, -1n],
  ])('epoch %i of several', async (asked, leaderEpoch, endOffset) => {
    const { directory, partition } = beh()
    partition.epochs = [
      { epoch: 1, startOffset: 2n },
      { epoch: 3, startOffset: 6n },
    ]
    // Its leader has not written yet.
    partition.leaderEpoch = 5
    expect(await endOf({ directory }, asked)).toMatchObject({ error: 'NONE', leaderEpoch, endOffset })
  })

  it.each([
    ['an unknown topic', { topic: 'nope' }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['an unknown partition', { partition: 9 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['an epoch to come', { currentLeaderEpoch: 99 }, 'UNKNOWN_LEADER_EPOCH'],
  ])('refuses %s', async (_, where, error) => {
    expect(await endOf(beh(), 0, where)).toMatchObject({ error, leaderEpoch: -1, endOffset: -1n })
  })

  it('refuses who believes in a leader that is gone', async () => {
    const { directory, partition } = beh()
    partition.leaderEpoch = 2
    expect(await endOf({ directory }, 0, { currentLeaderEpoch: 1 })).toMatchObject({ error: 'FENCED_LEADER_EPOCH' })
    expect(await endOf({ directory }, 0, { currentLeaderEpoch: -2 })).toMatchObject({ error: 'FENCED_LEADER_EPOCH' })
  })
})

describe('DeleteRecords', () => {
  const policies: Readonly<Record<string, { compact: boolean; delete: boolean }>> = {
    cmp: { compact: true, delete: false },
    both: { compact: true, delete: true },
  }

  async function deleteUpTo({ directory }: { directory: TestDirectory }, name: string, offset: bigint, partition = 0) {
    const metadata = { image: () => emptyImage('cluster') } as MetadataRepository
    const configs = {
      of: (_: unknown, topic: string) => ({ cleanupPolicy: policies[topic] ?? { compact: false, delete: true } }),
    }
    const useCase = new DeleteRecords(directory, metadata, configs)
    const topics = [{ name, partitions: [{ partitionIndex: partition, offset }] }]
    return (await useCase.execute({ topics }))[0]!.partitions[0]!
  }

  it.each([
    ['an offset', 6n, 6n],
    ['all (row 215)', -1n, 13n],
    ['less than is deleted already', 2n, 4n],
  ])('%s', async (_, offset, lowWatermark) => {
    const { directory, partition } = beh()
    expect(await deleteUpTo({ directory }, 'beh', offset)).toEqual({ partitionIndex: 0, error: 'NONE', lowWatermark })
    expect(partition.logStartOffset).toBe(lowWatermark)
  })

  it.each([
    ['beyond the end (row 212)', 'beh', 14n, 0, 'OFFSET_OUT_OF_RANGE'],
    ['a negative offset', 'beh', -2n, 0, 'OFFSET_OUT_OF_RANGE'],
    ['an unknown topic', 'nope', 1n, 0, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['an unknown partition', 'beh', 1n, 9, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['a compacted topic (row 214)', 'cmp', 1n, 0, 'POLICY_VIOLATION'],
    ['an internal topic', '__consumer_offsets', 1n, 0, 'INVALID_TOPIC_EXCEPTION'],
    ['an internal topic that does not exist', '__transaction_state', 1n, 0, 'UNKNOWN_TOPIC_OR_PARTITION'],
  ])('refuses %s', async (_, name, offset, partition, error) => {
    const made = beh()
    made.directory.add('cmp', 0).append(2)
    made.directory.add('__consumer_offsets', 0).append(2)
    const refused = { partitionIndex: partition, error, lowWatermark: -1n }
    expect(await deleteUpTo(made, name, offset, partition)).toEqual(refused)
  })

  it('deletes from topics that compact and delete', async () => {
    const made = beh()
    made.directory.add('both', 0).append(2)
    expect(await deleteUpTo(made, 'both', 1n)).toMatchObject({ error: 'NONE', lowWatermark: 1n })
  })

  it('says when the disk does not do it', async () => {
    const { directory, partition } = beh()
    partition.readFails = true
    const failed = { error: 'KAFKA_STORAGE_ERROR', lowWatermark: -1n }
    expect(await deleteUpTo({ directory }, 'beh', 6n)).toMatchObject(failed)
  })
})
