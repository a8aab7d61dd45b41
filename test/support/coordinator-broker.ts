/** A group coordinator with one partition of offsets, over memory and on a manual clock. */
import { GroupRecordCodec } from '../../src/adapters/internal-records/group-record-codec.ts'
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { ClassicGroups } from '../../src/application/classic-groups.ts'
import { GroupCoordinator } from '../../src/application/group-coordinator.ts'
import { GroupRunner } from '../../src/application/group-runner.ts'
import { CommitOffsets } from '../../src/application/use-cases/groups/commit-offsets.ts'
import { CONSUMER_OFFSETS_TOPIC } from '../../src/domain/cluster/internal-topics.ts'
import type { GroupRecord } from '../../src/domain/groups/group-record.ts'
import { buildEndMarker } from '../../src/domain/log/end-marker.ts'
import { LEAVE_NOT_CHECKED } from '../../src/domain/log/transaction-leaves.ts'
import type { TransactionEnd } from '../../src/application/coordinated.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { ZERO_UUID } from '../../src/domain/uuid.ts'
import { rules } from './driven-classic-group.ts'
import { consumerSettings } from './driven-consumer-group.ts'
import { openProduceBroker, type TestTopic } from './produce-broker.ts'
import { batchesIn } from './records.ts'
import { StallingLogStore } from './stalling-log-store.ts'
import { testChecksum } from './stored-batches.ts'

export const offsetsTopic: TestTopic = { name: CONSUMER_OFFSETS_TOPIC, id: 'OffsetsTopicAAAAAAAAAA' }
const topic = { name: 't', id: 'TopicTAAAAAAAAAAAAAAAA', partitions: 2 }

export const producer = { producerId: 5n, producerEpoch: 0, leave: LEAVE_NOT_CHECKED }

/** The commit of an offset of partition 0 by group g. */
export function offsetRecord(offset: bigint, metadata = ''): GroupRecord {
  const value = {
    offset,
    leaderEpoch: -1,
    metadata,
    commitTimestamp: 0n,
    expireTimestamp: -1n,
    topicId: ZERO_UUID,
  }
  return { type: 'OffsetCommit', key: { group: 'g', topic: 't', partition: 0 }, value }
}

/** The end of the producer's transaction. */
export function endMarker(committed: boolean, producerEpoch = 1): TransactionEnd {
  const { producerId } = producer
  const marker = { producerId, producerEpoch, committed, coordinatorEpoch: 0, timestamp: 0n }
  const bytes = buildEndMarker(marker, (part) => testChecksum.crc32c(part))
  return { producerId, committed, transactionVersion: 2, marker: new RecordBatchView(bytes) }
}

/** @param ofTopic - how the topic of offsets differs from a usual one */
export async function openCoordinator({
  logStore = new StallingLogStore(),
  lingerMs = -1,
  ...ofTopic
}: { readonly logStore?: StallingLogStore; readonly lingerMs?: number } & Pick<
  TestTopic,
  'configs' | 'replicas'
> = {}) {
  const configs = { 'cleanup.policy': 'compact', ...ofTopic.configs }
  const broker = await openProduceBroker([{ ...offsetsTopic, ...ofTopic, configs }, topic], { logStore })
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
    () => ({ offsetsLoadBufferSize: 100, groupCoordinatorAppendLingerMs: lingerMs }),
  )
  const runner = new GroupRunner(groups, metadata, () => ({ error: 'none' }), logger, {
    classic: () => ({ ...rules, groupInitialRebalanceDelayMs: 10 }),
    consumer: () => consumerSettings,
  })
  const classicGroups = new ClassicGroups(runner)
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
      newConsumerMemberId: 'm',
    })
  /** The batches of the only partition. */
  const offsetsLog = async () => {
    const limits = { bytesMax: 1_000_000, atLeastOne: true }
    const { chunks } = await partitions.find(CONSUMER_OFFSETS_TOPIC, 0)!.read(0n, limits, 'read uncommitted')
    return [...batchesIn(Buffer.concat(chunks))]
  }
  return { ...broker, offsetsLog, groups, classicGroups, commit, committed, join, logStore, logged }
}
