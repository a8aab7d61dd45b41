/**
 * One life of the storage side of a broker over a simulated disk: partitions, retention and compaction, as the server
 * wires them, on a clock that is told to move. The metadata belong to the caller and outlive it.
 */
import { CodecCompressor } from '../../../src/adapters/compression/codec-compressor.ts'
import { FileLogStore } from '../../../src/adapters/storage-fs/file-log-store.ts'
import { Crc32cChecksum } from '../../../src/adapters/system/crc32c-checksum.ts'
import { ManualClock } from '../../../src/adapters/system/manual-clock.ts'
import type { AppendResult } from '../../../src/application/append-result.ts'
import { Partitions } from '../../../src/application/partitions.ts'
import { StorageError } from '../../../src/application/ports/log-store.ts'
import type { MetadataRepository } from '../../../src/application/ports/metadata-repository.ts'
import type { Random } from '../../../src/application/ports/random.ts'
import { ApplyRetention } from '../../../src/application/use-cases/maintenance/apply-retention.ts'
import { CompactLogs } from '../../../src/application/use-cases/maintenance/compact-logs.ts'
import { BrokerConfig } from '../../../src/domain/config/broker-config.ts'
import { TopicConfigs } from '../../../src/domain/config/topic-config.ts'
import { RecordBatchView } from '../../../src/domain/log/record-batch.ts'
import { readRecords } from '../../../src/domain/log/record.ts'
import { takeBytes } from '../../support/stored-batches.ts'
import { LogLines } from '../../support/tcp.ts'
import type { FoundLog } from './model-topic.ts'
import type { SimulatedDisk } from './simulated-disk.ts'

const checksum = new Crc32cChecksum()
const compressor = new CodecCompressor()
const config = BrokerConfig.of(new Map([['node.id', '1']]))

export class SimulatedBroker {
  readonly log = new LogLines()
  readonly clock: ManualClock
  readonly partitions: Partitions
  readonly retention: ApplyRetention
  readonly compaction: CompactLogs
  readonly #store: FileLogStore

  constructor(disk: SimulatedDisk, metadata: MetadataRepository, random: Random, nowMs: bigint) {
    const clock = (this.clock = new ManualClock(nowMs))
    const logger = this.log
    const options = { directories: ['/data'], checksum, timers: clock, random, logger, openFilesMax: 3 }
    const logStore = (this.#store = new FileLogStore({ ...options, fileSystem: disk.system }))
    const ports = { logStore, metadata, checksum, compressor, clock, timers: clock, logger }
    const partitions = (this.partitions = new Partitions(
      { ...ports, topicConfigs: new TopicConfigs(config) },
      () => ({
        writeQueueBytesMax: 1 << 20,
        tailCacheBytesMax: 600,
        decompressedBytesMax: 1 << 20,
        numRecoveryThreadsPerDataDir: 2,
        producerIdExpirationMs: 1 << 30,
        producerIdExpirationCheckIntervalMs: 1 << 30,
      }),
      () => undefined,
    ))
    this.retention = new ApplyRetention(partitions, clock, clock, logger, () => ({
      logRetentionCheckIntervalMs: 300_000,
      logInitialTaskDelayMs: 30_000,
    }))
    this.compaction = new CompactLogs(
      { partitions, clock, timers: clock, random, checksum, compressor, logger },
      () => ({
        logCleanerBackoffMs: 15_000,
        // room for about 25 keys, so that some rounds end early
        logCleanerDedupeBufferSize: 600,
        logCleanerIoBufferSize: 1024,
        logCleanerIoBufferLoadFactor: 0.9,
        logCleanerIoMaxBytesPerSecond: Infinity,
      }),
    )
  }

  async start(): Promise<void> {
    await this.#store.start()
    await this.partitions.start()
  }

  async close(): Promise<void> {
    await this.partitions.close()
    await this.#store.close()
  }

  async append(topicId: string, batch: Uint8Array): Promise<AppendResult> {
    const partition = this.partitions.findById(topicId, 0)
    if (partition === null || partition === 'UNKNOWN_TOPIC_ID') throw new Error(`no topic ${topicId}`)
    const command = { batch: new RecordBatchView(batch), origin: 'client', lease: undefined, acksAll: true } as const
    return await new Promise<AppendResult>((resolve) => partition.append(command, resolve))
  }

  /**
   * Everything that readers see of a partition, read `bytesMax()` at a time.
   * @throws StorageError when it is offline
   */
  async read(topic: string, bytesMax: () => number): Promise<FoundLog> {
    const partition = this.partitions.find(topic, 0)!
    await partition.whenOpen()
    if (partition.state !== 'open') throw new StorageError(partition.state)
    const start = partition.logStartOffset
    const end = partition.highWatermark
    const records = new Map<number, { readonly key: string; readonly value: string | null }>()
    let last = start - 1n
    for (let from = start; from < end;) {
      const slice = await partition.read(from, { bytesMax: bytesMax(), atLeastOne: true }, 'read uncommitted')
      const next = slice.nextOffset
      for (const { offset, key, value } of recordsIn(takeBytes(slice))) {
        if (offset < from) continue
        if (offset <= last) throw new Error(`${topic}: offset ${offset} after ${last}`)
        last = offset
        records.set(Number(offset), { key, value })
      }
      if (next <= from) break
      from = next
    }
    return { start: Number(start), end: Number(end), records }
  }
}

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString())

function* recordsIn(bytes: Uint8Array) {
  const view = new RecordBatchView(bytes)
  for (; view.at < bytes.length; view.at += view.sizeBytes) {
    if (checksum.crc32c(view.checksummed()) !== view.crc) throw new Error(`bad CRC at offset ${view.baseOffset}`)
    const codec = view.codec!
    const section =
      codec === 'none' || view.count === 0 ? view.records() : compressor.decompress(codec, view.records(), 1 << 20)
    for (const { offset, key, value } of readRecords(view, section)) {
      yield { offset, key: text(key)!, value: text(value) }
    }
  }
}
