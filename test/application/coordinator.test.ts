/** The coordinator over memory: loading, the order of decisions and writes, failed writes, transactions. */
import { describe, expect, it } from '@jest/globals'
import { GroupRecordCodec } from '../../src/adapters/internal-records/group-record-codec.ts'
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { ClassicGroups } from '../../src/application/classic-groups.ts'
import { GroupCoordinator } from '../../src/application/group-coordinator.ts'
import { CommitOffsets } from '../../src/application/use-cases/groups/commit-offsets.ts'
import { CONSUMER_OFFSETS_TOPIC } from '../../src/domain/cluster/internal-topics.ts'
import type { GroupRecord } from '../../src/domain/groups/group-record.ts'
import { buildBatch } from '../../src/domain/log/batch-writer.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { ZERO_UUID } from '../../src/domain/uuid.ts'
import { rules } from '../support/driven-classic-group.ts'
import { openProduceBroker } from '../support/produce-broker.ts'
import { StallingLogStore, settle } from '../support/stalling-log-store.ts'
import { testChecksum } from '../support/stored-batches.ts'

const topics = [
  { name: CONSUMER_OFFSETS_TOPIC, id: 'OffsetsTopicAAAAAAAAAA', configs: { 'cleanup.policy': 'compact' } },
  { name: 't', id: 'TopicTAAAAAAAAAAAAAAAA', partitions: 2 },
]

async function open(logStore = new StallingLogStore()) {
  const broker = await openProduceBroker(topics, { logStore })
  const { partitions, metadata, clock } = broker
  const logged: string[] = []
  const log = (event: string) => void logged.push(event)
  const logger = { debug: log, info: log, warn: log, error: log }
  const codec = new GroupRecordCodec()
  const groups = new GroupCoordinator(
    {
      partitions,
      metadata,
      clock,
      timers: clock,
      logger,
      checksum: testChecksum,
      compressor: new CodecCompressor(),
      codec,
    },
    () => ({ offsetsLoadBufferSize: 100 }),
  )
  const classicGroups = new ClassicGroups(groups, logger, () => ({ ...rules, groupInitialRebalanceDelayMs: 10 }))
  const offsetRules = { offsetMetadataMaxBytes: 100, offsetsRetentionMs: 1_000n }
  const commits = new CommitOffsets(groups, classicGroups, metadata, () => offsetRules)
  groups.start()
  const commit = async (offset: bigint, groupId = 'g') => {
    const partition = { partition: 0, offset, leaderEpoch: -1, metadata: null }
    const answer = await commits.execute({
      groupId,
      memberId: '',
      groupInstanceId: null,
      generationOrEpoch: -1,
      retentionTimeMs: -1n,
      knowsEpochs: true,
      topics: [{ name: 't', topicId: ZERO_UUID, partitions: [partition] }],
    })
    return answer[0]!.partitions[0]!.error
  }
  const committed = async (groupId = 'g') => {
    const { error, answer } = await groups.coordinator.run(groupId, (shard) => ({
      records: [],
      answer: shard.offsets.get(groupId, 't', 0)?.offset ?? null,
    }))
    return error ?? answer
  }
  const join = () =>
    classicGroups.join({
      groupId: 'g',
      memberId: '',
      groupInstanceId: null,
      clientId: 'c',
      clientHost: '/h',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: new Uint8Array() }],
      reason: null,
      requiresMemberId: false,
      canSkipAssignment: true,
      newMemberId: 'm',
    })
  return { ...broker, groups, classicGroups, commit, committed, join, logStore, logged }
}

describe('a coordinator', () => {
  it('says that it is loading until its log is replayed, and then knows everything', async () => {
    const first = await open()
    await settle()
    expect(await first.commit(1n)).toBe('NONE')
    expect(await first.commit(2n)).toBe('NONE')
    await first.groups.close()
    await first.partitions.close()

    first.logStore.stallOpen = true
    const second = await open(first.logStore)
    expect(await second.commit(3n)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    expect(second.groups.coordinator.isLoading).toBe(true)
    await second.logStore.release()
    await settle()
    expect(await second.committed()).toBe(2n)
  })

  it('answers when it is written, and decides on what is not written yet', async () => {
    const { commit, committed, logStore } = await open()
    await settle()
    logStore.stallAppend = true
    const done: string[] = []
    const writes = [1n, 2n].map((offset) => commit(offset).then((error) => done.push(`${offset} ${error}`)))
    const read = committed().then((offset) => done.push(`read ${offset}`))
    await settle()
    expect(done).toEqual([])
    await logStore.release()
    await Promise.all([...writes, read])
    expect(done.sort()).toEqual(['1 NONE', '2 NONE', 'read 2'])
    expect(logStore.appends.flat()).toEqual([0n, 1n])
  })

  it('writes its batches as a real one does', async () => {
    const { commit, partitions } = await open()
    await settle()
    await commit(1n)
    const slice = await partitions
      .find(CONSUMER_OFFSETS_TOPIC, 0)!
      .read(0n, { bytesMax: 1000, atLeastOne: true }, 'read committed')
    expect(new RecordBatchView(slice.chunks[0]!)).toMatchObject({
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: 0,
      count: 1,
      isTransactional: false,
    })
  })

  it('loses nothing silently when a write fails: who waits is told, deadlines are void', async () => {
    const { commit, committed, join, groups, logStore, logged } = await open()
    await settle()
    logStore.stallAppend = true
    logStore.failAppend = true
    const joining = join()
    const writing = commit(1n)
    await settle()
    expect(groups.deadlines.size).toBeGreaterThan(0)
    await logStore.release()
    expect(await writing).toBe('NOT_COORDINATOR')
    expect((await joining).error).toBe('NOT_COORDINATOR')
    expect(groups.deadlines.size).toBe(0)
    expect(await committed()).toBe('NOT_COORDINATOR')
    expect(logged).toContain('coordinator write failed')
  })

  it('answers whoever waits when it closes', async () => {
    const { join, groups, clock } = await open()
    await settle()
    const joining = join()
    await settle()
    await groups.close()
    expect(await joining).toMatchObject({ error: 'NOT_COORDINATOR', memberId: '' })
    expect(groups.deadlines.size).toBe(0)
    clock.advance(100_000)
  })

  it('forgets everything when its topic is deleted', async () => {
    const { commit, committed, metadata } = await open()
    await settle()
    await commit(1n)
    const records = [{ type: 'RemoveTopicRecord', topicId: topics[0]!.id } as const]
    await metadata.commit(() => ({ records, answer: null }))
    expect(await committed()).toBe('COORDINATOR_NOT_AVAILABLE')
  })

  it('runs the deadlines of groups', async () => {
    const { join, clock, groups } = await open()
    await settle()
    const joining = join()
    await settle()
    clock.advance(10)
    expect(await joining).toMatchObject({ error: 'NONE', generation: 1, leader: 'm' })
    clock.advance(10_000)
    await settle()
    const { answer } = await groups.coordinator.run('g', (shard) => ({
      records: [],
      answer: shard.classicGroup('g')?.state,
    }))
    expect(answer).toBe('Empty')
  })

  it.each([
    ['commits', true, 7n],
    ['aborts', false, 1n],
  ])('applies what a transaction decided when it %s, in replay too', async (_, isCommit, expected) => {
    const first = await open()
    await settle()
    await first.commit(1n)
    const value = {
      offset: 7n,
      leaderEpoch: -1,
      metadata: '',
      commitTimestamp: 0n,
      expireTimestamp: -1n,
      topicId: ZERO_UUID,
    }
    const record: GroupRecord = { type: 'OffsetCommit', key: { group: 'g', topic: 't', partition: 0 }, value }
    const { coordinator } = first.groups
    const producer = { producerId: 5n, producerEpoch: 0 }
    await coordinator.run('g', () => ({ records: [record], answer: null }), producer)
    expect(await first.committed()).toBe(1n)
    const control = buildBatch(
      [{ timestamp: 0n, key: Uint8Array.of(0, 0, 0, isCommit ? 1 : 0), value: Uint8Array.of(0, 0, 0, 0, 0, 0) }],
      { ...producer, transactional: true, control: true },
      (bytes) => testChecksum.crc32c(bytes),
    )
    await coordinator.endTransaction(0, 5n, isCommit, new RecordBatchView(control))
    expect(await first.committed()).toBe(expected)
    await first.groups.close()
    await first.partitions.close()
    const second = await open(first.logStore)
    while (second.groups.coordinator.isLoading) await settle()
    expect(await second.committed()).toBe(expected)
  })
})
