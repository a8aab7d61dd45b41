/**
 * A whole broker with a topic `t` on a disk in memory and a clock that is moved by hand: for watching what a config
 * does to a log that is in use. Nothing in it waits for anything but sockets, so a few turns of the event loop are
 * enough for whatever is due.
 */
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { FileLogStore } from '../../src/adapters/storage-fs/file-log-store.ts'
import { Crc32cChecksum } from '../../src/adapters/system/crc32c-checksum.ts'
import { ManualClock } from '../../src/adapters/system/manual-clock.ts'
import { SystemRandom } from '../../src/adapters/system/system-random.ts'
import { deleteTopics } from '../../src/adapters/wire/apis/20-delete-topics.ts'
import { deleteRecords } from '../../src/adapters/wire/apis/21-delete-records.ts'
import { describeConfigs } from '../../src/adapters/wire/apis/32-describe-configs.ts'
import { incrementalAlterConfigs } from '../../src/adapters/wire/apis/44-incremental-alter-configs.ts'
import type { Compressor } from '../../src/application/ports/compressor.ts'
import { createBroker } from '../../src/bootstrap/create-broker.ts'
import type { BatchCodec, RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { ZERO_UUID } from '../../src/domain/uuid.ts'
import { SimulatedDisk } from '../robustness/support/simulated-disk.ts'
import { connectTo, makeTopic } from './embedded-client.ts'
import { batchesIn, produceBatch, readPartition, recordBatch, utf8, type PartitionContent } from './records.ts'
import { LogLines } from './tcp.ts'
import type { WireClient } from './wire-client.ts'

const TOPIC = 2
const BROKER = 4
const PASS_MS = 300_000
/** What `Random.integer` answers where it may, so that jitter is known. */
const DRAWN = 5_000

/** Little memory, because indexes are allocated in full, and nobody is idle for too long. */
const brokerConfigs = {
  'log.cleaner.dedupe.buffer.size': '2097152',
  'log.index.size.max.bytes': '4096',
  'connections.max.idle.ms': '1000000000',
}

export type Configs = Readonly<Record<string, string>>

export interface SentRecord {
  readonly topic?: string
  readonly key?: string | null
  /** null = a tombstone. */
  readonly value?: string | null
  /** Added to the time that it is. */
  readonly aheadMs?: bigint
  readonly codec?: BatchCodec
}

export class LiveTopic {
  readonly clock: ManualClock
  readonly client: WireClient
  readonly #watched: Watched
  readonly #close: () => Promise<void>

  private constructor(clock: ManualClock, client: WireClient, watched: Watched, close: () => Promise<void>) {
    this.clock = clock
    this.client = client
    this.#watched = watched
    this.#close = close
  }

  static async open(configs: Configs, properties: Configs = {}): Promise<LiveTopic> {
    const clock = new ManualClock()
    const watched = new Watched()
    const logger = new LogLines()
    const system = new SystemRandom()
    const random = { uuid: () => system.uuid(), integer: (below: number) => Math.min(DRAWN, below - 1) }
    const options = { directories: ['/data'], checksum: new Crc32cChecksum(), timers: clock, random, logger }
    const logStore = new FileLogStore({ ...options, fileSystem: watched.fileSystem })
    const adapters = { clock, timers: clock, random, logger, logStore, compressor: watched.compressor }
    const broker = await createBroker({ ...brokerConfigs, ...properties }, adapters).start()
    const client = await connectTo(broker.address())
    const live = new LiveTopic(clock, client, watched, async () => {
      client.close()
      await broker.close()
    })
    await live.create('t', configs)
    return live
  }

  async close(): Promise<void> {
    await this.#close()
  }

  async create(topic: string, configs: Configs): Promise<void> {
    await makeTopic(this.client, topic, configs)
    await this.settle()
  }

  /** Lets everything happen that is due. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.settle()
  }

  /** Five minutes go by: retention and compaction pass over the logs. */
  async pass(): Promise<void> {
    await this.advance(PASS_MS)
  }

  /** Sets configs of the topic; the message of a refusal, or null. */
  async alter(configs: Configs): Promise<string | null> {
    return await this.#alter(TOPIC, 't', configs)
  }

  /** Sets values of one broker, or of all of them (''). */
  async alterBroker(name: string, configs: Configs): Promise<string | null> {
    return await this.#alter(BROKER, name, configs)
  }

  async #alter(resourceType: number, resourceName: string, entries: Configs): Promise<string | null> {
    const configs = Object.entries(entries).map(([name, value]) => ({ name, configOperation: 0, value }))
    const resources = [{ resourceType, resourceName, configs }]
    const { responses } = await this.client.send(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    return responses[0]!.errorCode === 0 ? null : responses[0]!.errorMessage
  }

  /** What is shown of a key. */
  async shown(key: string) {
    const resources = [{ resourceType: TOPIC, resourceName: 't', configurationKeys: [key] }]
    const request = { resources, includeSynonyms: false, includeDocumentation: false }
    const { results } = await this.client.send(describeConfigs, 4, request)
    return results[0]!.configs[0]
  }

  /** One record in a batch of its own; what is answered. */
  async send(record: SentRecord = {}) {
    const { topic = 't', key = null, value = 'value', aheadMs = 0n, codec = 'none' } = record
    const sent = {
      key: key === null ? null : utf8(key),
      value: value === null ? null : utf8(value),
      timestamp: this.clock.nowMs() + aheadMs,
    }
    return await produceBatch(this.client, topic, 0, recordBatch([sent], { codec }))
  }

  /** The error that a record gets; 0 for none. */
  async sendCode(record: SentRecord): Promise<number> {
    return (await this.send(record)).errorCode
  }

  async read(topic = 't'): Promise<PartitionContent> {
    return await readPartition(this.client, topic, 0)
  }

  async batches(): Promise<readonly RecordBatchView[]> {
    return [...batchesIn((await this.read()).bytes)]
  }

  async deleteRecordsBefore(offset: bigint): Promise<void> {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }]
    await this.client.send(deleteRecords, 2, { topics, timeoutMs: 1000 })
    await this.settle()
  }

  async deleteTopic(): Promise<void> {
    await this.client.send(deleteTopics, 6, { topics: [{ name: 't', topicId: ZERO_UUID }], timeoutMs: 1000 })
    await this.settle()
  }

  /** The folders of the log directory that end so. */
  async folders(ending: string): Promise<readonly string[]> {
    const entries = await this.#watched.fileSystem.list('/data')
    return entries.map(({ name }) => name).filter((name) => name.endsWith(ending))
  }

  /** The names in the partition's folder that end so, in their order. */
  async files(ending: string, topic = 't'): Promise<readonly string[]> {
    const entries = await this.#watched.fileSystem.list(`/data/${topic}-0`)
    const names = entries.map(({ name }) => name).filter((name) => name.endsWith(ending))
    return names.sort()
  }

  async fileBytes(name: string): Promise<number> {
    return await this.#watched.fileSystem.sizeOf(`/data/t-0/${name}`)
  }

  /** How often records were brought to the disk. */
  get dataSyncs(): number {
    return this.#watched.dataSyncs
  }

  /** The level that a codec was asked for last. */
  get lastLevel(): number | undefined {
    return this.#watched.lastLevel
  }
}

/** The disk and the codecs, with what is looked at. */
class Watched {
  dataSyncs = 0
  lastLevel: number | undefined
  readonly #disk = new SimulatedDisk(() => 1).system
  readonly #logs = new Set<number>()
  readonly #codecs = new CodecCompressor()

  readonly fileSystem = {
    ...this.#disk,
    open: async (path: string, flags: string) => {
      const fd = await this.#disk.open(path, flags)
      if (path.endsWith('.log')) this.#logs.add(fd)
      return fd
    },
    sync: async (fd: number) => {
      await this.#disk.sync(fd)
      if (this.#logs.has(fd)) this.dataSyncs++
    },
  }

  readonly compressor: Compressor = {
    compress: (codec, bytes, level) => {
      this.lastLevel = level
      return this.#codecs.compress(codec, bytes, level)
    },
    decompress: (codec, bytes, bytesMax) => this.#codecs.decompress(codec, bytes, bytesMax),
  }
}
