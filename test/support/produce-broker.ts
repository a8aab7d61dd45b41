/**
 * The append path over memory: Produce and InitProducerId from frame to storage, without a socket, on a manual clock.
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
import { produce } from '../../src/adapters/wire/apis/00-produce.ts'
import { initProducerId } from '../../src/adapters/wire/apis/22-init-producer-id.ts'
import type { Handler, HandlerResult, RequestContext } from '../../src/adapters/wire/handler.ts'
import { initProducerIdHandler } from '../../src/adapters/wire/handlers/init-producer-id.ts'
import { produceHandler } from '../../src/adapters/wire/handlers/produce.ts'
import {
  readRequestBody,
  readRequestHeader,
  responseHeader,
  responseHeaderVersion,
  writeResponse,
} from '../../src/adapters/wire/header.ts'
import { Partitions, type PartitionsSettings } from '../../src/application/partitions.ts'
import type { ReadablePartition } from '../../src/application/partition.ts'
import type { LogStore } from '../../src/application/ports/log-store.ts'
import { InitProducerId } from '../../src/application/use-cases/transactions/init-producer-id.ts'
import type { EnrolCommand, Enrolled, TransactionEnrolment } from '../../src/application/transaction-enrolment.ts'
import { ProduceRecords } from '../../src/application/use-cases/records/produce-records.ts'
import type { MetadataRecord } from '../../src/domain/cluster/metadata-record.ts'
import { BrokerConfig } from '../../src/domain/config/broker-config.ts'
import { TopicConfigs } from '../../src/domain/config/topic-config.ts'
import { coordinatorOf } from './transaction-coordinator.ts'

export interface TestTopic {
  readonly name: string
  readonly id: string
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
  /** Only the first is in sync; default: one. */
  readonly replicas?: readonly number[]
}

export interface ProduceBrokerOptions {
  readonly logStore?: LogStore
  readonly settings?: Partial<PartitionsSettings>
  readonly startMs?: bigint
  /** What another broker of this kind knew, with the topics; default: nothing yet. */
  readonly metadata?: MemoryMetadataRepository
  /** Who is asked about transactions; by default there are none. */
  readonly enrolment?: TransactionEnrolment
  /** `transaction.partition.verification.enable` */
  readonly isVerified?: boolean
}

/** The records that make a topic. */
export function topicRecords({ name, id, partitions = 1, configs = {}, replicas = [1] }: TestTopic): MetadataRecord[] {
  const records: MetadataRecord[] = [{ type: 'TopicRecord', name, topicId: id }]
  for (let partitionId = 0; partitionId < partitions; partitionId++) {
    records.push({
      type: 'PartitionRecord',
      partitionId,
      topicId: id,
      replicas,
      isr: [1],
      removingReplicas: [],
      addingReplicas: [],
      leader: 1,
      leaderRecoveryState: 0,
      leaderEpoch: 3,
      partitionEpoch: 0,
      directories: [],
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    })
  }
  for (const [key, value] of Object.entries(configs)) {
    records.push({ type: 'ConfigRecord', resourceType: 2, resourceName: name, name: key, value })
  }
  return records
}

const brokerConfig = BrokerConfig.of(new Map([['node.id', '1']]))

export async function openProduceBroker(topics: readonly TestTopic[], options: ProduceBrokerOptions = {}) {
  const clock = new ManualClock(options.startMs)
  const logged: { readonly event: string; readonly fields: unknown }[] = []
  const log = (event: string, fields?: unknown) => void logged.push({ event, fields })
  const logger = { debug: log, info: log, warn: log, error: log }
  const random = { uuid: () => 'AAECAwQFBgcICQoLDA0ODw', integer: () => 0 }
  const fresh = new MemoryMetadataRepository(random, {
    nodeId: 1,
    endPoints: () => [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092, securityProtocol: 0 }],
    rack: null,
    minInsyncReplicas: 1,
  })
  const metadata = options.metadata ?? fresh
  if (metadata === fresh) await metadata.start()
  const commit = (records: readonly MetadataRecord[]) => metadata.commit(() => ({ records, answer: undefined }))
  if (metadata === fresh) await commit(topics.flatMap(topicRecords))
  const logStore = options.logStore ?? new MemoryLogStore()
  await logStore.start()
  const advanced: ReadablePartition[] = []
  const settings: PartitionsSettings = {
    writeQueueBytesMax: 1 << 26,
    tailCacheBytesMax: 1 << 20,
    decompressedBytesMax: 1 << 27,
    numRecoveryThreadsPerDataDir: 2,
    producerIdExpirationMs: 86_400_000,
    producerIdExpirationCheckIntervalMs: 600_000,
    ...options.settings,
  }
  const partitions = new Partitions(
    {
      logStore,
      metadata,
      checksum: new Crc32cChecksum(),
      compressor: new CodecCompressor(),
      clock,
      timers: clock,
      logger,
      topicConfigs: new TopicConfigs(brokerConfig),
    },
    () => settings,
    (partition) => void advanced.push(partition),
  )
  await partitions.start()
  const none = ({ partitions }: EnrolCommand): Enrolled => partitions.map(() => 'INVALID_PRODUCER_ID_MAPPING')
  const produceRecords = new ProduceRecords(partitions, options.enrolment ?? { add: none, verify: none }, () => ({
    transactionPartitionVerificationEnable: options.isVerified ?? true,
  }))
  const { transactions, producerIds } = coordinatorOf({ partitions, metadata, clock, logger })
  const initProducerIds = new InitProducerId(producerIds, transactions, () => ({ transactionMaxTimeoutMs: 900_000 }))
  const handlers = new Map<number, Handler<unknown, unknown>>([
    [produce.key, produceHandler(produceRecords) as unknown as Handler<unknown, unknown>],
    [initProducerId.key, initProducerIdHandler(initProducerIds) as unknown as Handler<unknown, unknown>],
  ])

  /** Handles a request frame (without its size): the decoded response, or the symbol that stands for none. */
  async function ask(frame: Uint8Array): Promise<unknown> {
    const view = new DataView(frame.buffer, frame.byteOffset)
    const api: Api = view.getInt16(0) === produce.key ? produce : initProducerId
    const apiVersion = view.getInt16(2)
    const reader = new Reader(frame)
    const { correlationId, clientId } = readRequestHeader(api, apiVersion, reader)
    const request = readRequestBody(api, apiVersion, reader)
    const context = { apiKey: api.key, apiVersion, correlationId, clientId, lease: testLease() }
    const result: HandlerResult<unknown> = await handlers.get(api.key)!(request, context as unknown as RequestContext)
    if (typeof result === 'symbol') return result
    const chunks = writeResponse(new Writer(), api, apiVersion, correlationId, result as never)
    return decodeProduced(api, apiVersion, Buffer.concat(chunks).subarray(4))
  }

  return { ask, advanced, clock, commit, logged, logger, logStore, metadata, partitions, produceRecords }
}

/** The body of a response frame (without its size). */
export function decodeProduced(api: Api, version: number, frame: Uint8Array): unknown {
  const reader = new Reader(frame)
  codecOf(responseHeader, responseHeaderVersion(api, version)).read(reader)
  return codecOf(api.response, version).read(reader)
}

/** A lease that knows how often it is held. */
export function testLease() {
  const lease = {
    held: 1,
    retain: () => {
      lease.held++
    },
    release: () => {
      if (lease.held-- === 0) throw new Error('released too often')
    },
  }
  return lease
}
