/**
 * The read side over memory: everything that reads or trims logs, from frame to storage, without a socket, on a manual
 * clock. Logs may be filled before the broker opens them.
 */
import { codecOf } from '../../src/adapters/codec/codec.ts'
import { Reader } from '../../src/adapters/codec/reader.ts'
import { Writer } from '../../src/adapters/codec/writer.ts'
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { MemoryMetadataRepository } from '../../src/adapters/memory-metadata/memory-metadata-repository.ts'
import { MemoryLogStore } from '../../src/adapters/storage-memory/memory-log-store.ts'
import { Crc32cChecksum } from '../../src/adapters/system/crc32c-checksum.ts'
import { ManualClock } from '../../src/adapters/system/manual-clock.ts'
import type { Api } from '../../src/adapters/wire/api.ts'
import { fetch } from '../../src/adapters/wire/apis/01-fetch.ts'
import { listOffsets } from '../../src/adapters/wire/apis/02-list-offsets.ts'
import { deleteRecords } from '../../src/adapters/wire/apis/21-delete-records.ts'
import { offsetForLeaderEpoch } from '../../src/adapters/wire/apis/23-offset-for-leader-epoch.ts'
import { describeLogDirs } from '../../src/adapters/wire/apis/35-describe-log-dirs.ts'
import type { Handler, RequestContext } from '../../src/adapters/wire/handler.ts'
import { deleteRecordsHandler } from '../../src/adapters/wire/handlers/delete-records.ts'
import { describeLogDirsHandler } from '../../src/adapters/wire/handlers/describe-log-dirs.ts'
import { fetchHandler } from '../../src/adapters/wire/handlers/fetch.ts'
import { listOffsetsHandler } from '../../src/adapters/wire/handlers/list-offsets.ts'
import { offsetForLeaderEpochHandler } from '../../src/adapters/wire/handlers/offset-for-leader-epoch.ts'
import {
  readRequestBody,
  readRequestHeader,
  responseHeader,
  responseHeaderVersion,
  writeResponse,
} from '../../src/adapters/wire/header.ts'
import { FetchSessions } from '../../src/application/fetch-sessions.ts'
import type { ReadablePartition } from '../../src/application/partition.ts'
import { Partitions } from '../../src/application/partitions.ts'
import { DeleteRecords } from '../../src/application/use-cases/records/delete-records.ts'
import { DescribeLogDirs } from '../../src/application/use-cases/records/describe-log-dirs.ts'
import { FetchRecords } from '../../src/application/use-cases/records/fetch-records.ts'
import { ListOffsets } from '../../src/application/use-cases/records/list-offsets.ts'
import { OffsetForLeaderEpoch } from '../../src/application/use-cases/records/offset-for-leader-epoch.ts'
import { Waiters } from '../../src/application/waiters.ts'
import { BrokerConfig } from '../../src/domain/config/broker-config.ts'
import { TopicConfigs } from '../../src/domain/config/topic-config.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { topicRecords, type TestTopic } from './produce-broker.ts'
import { settled } from './settled.ts'
import { testLogOptions } from './stored-batches.ts'

export interface SeededTopic extends TestTopic {
  /** Whole batches as they are to be in the log, by partition. */
  readonly batches?: Readonly<Record<number, readonly Uint8Array[]>>
}

/** Every API of the read side, by key. */
const apis = new Map<number, Api>(
  [fetch, listOffsets, deleteRecords, offsetForLeaderEpoch, describeLogDirs].map((api) => [api.key, api]),
)

async function seed(logStore: MemoryLogStore, topics: readonly SeededTopic[]): Promise<void> {
  for (const { name, id, batches = {} } of topics) {
    for (const [partition, stored] of Object.entries(batches)) {
      const options = { ...testLogOptions, topicId: id }
      const log = await logStore.open({ topic: name, partition: Number(partition) }, options)
      for (const bytes of stored) {
        const { baseOffset, lastOffset, maxTimestamp, leaderEpoch } = new RecordBatchView(bytes)
        await log.append(baseOffset, [{ bytes, baseOffset, lastOffset, maxTimestamp, leaderEpoch }])
      }
    }
  }
}

/** @param draw what session ids are made from */
export async function openReadBroker(topics: readonly SeededTopic[], draw: () => number = () => 0) {
  const clock = new ManualClock()
  const silent = () => undefined
  const logger = { debug: silent, info: silent, warn: silent, error: silent }
  const random = { uuid: () => 'AAECAwQFBgcICQoLDA0ODw', integer: draw }
  const metadata = new MemoryMetadataRepository(random, {
    nodeId: 1,
    endPoints: () => [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092, securityProtocol: 0 }],
    rack: null,
    minInsyncReplicas: 1,
  })
  await metadata.start()
  const logStore = new MemoryLogStore()
  await seed(logStore, topics)
  const records = topics
    .flatMap(topicRecords)
    .map((record) => (record.type === 'PartitionRecord' ? { ...record, leaderEpoch: 0 } : record))
  await metadata.commit(() => ({ records, answer: undefined }))

  const waiters = new Waiters<ReadablePartition>(clock, clock, { keysMax: 1000 })
  const topicConfigs = new TopicConfigs(BrokerConfig.of(new Map([['node.id', '1']])))
  const partitions = new Partitions(
    {
      logStore,
      metadata,
      checksum: new Crc32cChecksum(),
      compressor: new CodecCompressor(),
      clock,
      timers: clock,
      logger,
      topicConfigs,
    },
    () => ({
      writeQueueBytesMax: 1 << 26,
      tailCacheBytesMax: 1 << 20,
      decompressedBytesMax: 1 << 27,
      numRecoveryThreadsPerDataDir: 2,
      producerIdExpirationMs: 86_400_000,
      producerIdExpirationCheckIntervalMs: 600_000,
    }),
    (partition) => waiters.notify(partition),
  )
  await partitions.start()
  const slots = () => ({ maxIncrementalFetchSessionCacheSlots: 10 })
  const sessions = new FetchSessions(clock, random, slots, { partitionsMax: 1000 })
  const fetchMaxBytes = 57_671_680
  const fetchRecords = new FetchRecords(partitions, metadata, sessions, waiters, clock, () => ({
    fetchMaxBytes,
    heldBytesMax: 1 << 26,
  }))
  const logDirs = new DescribeLogDirs(partitions, logStore, metadata, () => ({ cordonedLogDirs: [] }))
  const handlers = new Map<number, unknown>([
    [fetch.key, fetchHandler(fetchRecords)],
    [listOffsets.key, listOffsetsHandler(new ListOffsets(partitions))],
    [deleteRecords.key, deleteRecordsHandler(new DeleteRecords(partitions, metadata, topicConfigs))],
    [offsetForLeaderEpoch.key, offsetForLeaderEpochHandler(new OffsetForLeaderEpoch(partitions))],
    [describeLogDirs.key, describeLogDirsHandler(logDirs)],
  ])

  /** Handles a request frame; both frames are without their size. Waits as long as the request wants to wait. */
  async function ask(frame: Uint8Array): Promise<Buffer> {
    const view = new DataView(frame.buffer, frame.byteOffset)
    const api = apis.get(view.getInt16(0))!
    const apiVersion = view.getInt16(2)
    const reader = new Reader(frame)
    const { correlationId } = readRequestHeader(api, apiVersion, reader)
    const request = readRequestBody(api, apiVersion, reader)
    const releases: (() => void)[] = []
    const context = {
      apiVersion,
      afterSent: (release: () => void) => void releases.push(release),
      onAbandoned: () => undefined,
    }
    const handle = handlers.get(api.key) as Handler<unknown, unknown>
    const answering = Promise.resolve(handle(request, context as unknown as RequestContext))
    for (let waits = 0; waits < 50; waits++) {
      await settled()
      clock.advance(20)
    }
    const answer = await answering
    const chunks = writeResponse(new Writer(), api, apiVersion, correlationId, answer as never)
    const bytes = Buffer.concat(chunks).subarray(4)
    for (const release of releases) release()
    return bytes
  }

  return { ask, clock, metadata, partitions, fetchRecords, waiters }
}

/** The body of a response frame (without its size) to the request in `request`. */
export function decodeAnswer(request: Uint8Array, response: Uint8Array): unknown {
  const view = new DataView(request.buffer, request.byteOffset)
  const api = apis.get(view.getInt16(0))!
  const version = view.getInt16(2)
  const reader = new Reader(response)
  codecOf(responseHeader, responseHeaderVersion(api, version)).read(reader)
  return codecOf(api.response, version).read(reader)
}
