/**
 * A broker driven over its protocol, whoever wrote it, and everything that it tells of its topics: for comparing what
 * two programs make of the same directory.
 */
import { createHash } from 'node:crypto'
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { produce } from '../../src/adapters/wire/apis/00-produce.ts'
import { fetch } from '../../src/adapters/wire/apis/01-fetch.ts'
import { listOffsets } from '../../src/adapters/wire/apis/02-list-offsets.ts'
import { metadata } from '../../src/adapters/wire/apis/03-metadata.ts'
import { createTopics } from '../../src/adapters/wire/apis/19-create-topics.ts'
import { deleteTopics } from '../../src/adapters/wire/apis/20-delete-topics.ts'
import { deleteRecords } from '../../src/adapters/wire/apis/21-delete-records.ts'
import { initProducerId } from '../../src/adapters/wire/apis/22-init-producer-id.ts'
import { describeConfigs } from '../../src/adapters/wire/apis/32-describe-configs.ts'
import { createPartitions } from '../../src/adapters/wire/apis/37-create-partitions.ts'
import { incrementalAlterConfigs } from '../../src/adapters/wire/apis/44-incremental-alter-configs.ts'
import { errorCode } from '../../src/domain/errors.ts'
import { buildBatch, type NewBatch } from '../../src/domain/log/batch-writer.ts'
import { RecordBatchView, type BatchCodec } from '../../src/domain/log/record-batch.ts'
import { ZERO_UUID } from '../../src/domain/uuid.ts'
import { testChecksum } from './stored-batches.ts'
import { WireClient } from './wire-client.ts'

const TOPIC = 2
const compressor = new CodecCompressor()

export interface BatchToSend extends Pick<NewBatch, 'producerId' | 'producerEpoch' | 'baseSequence'> {
  readonly codec?: BatchCodec
  readonly count?: number
  /** Bytes of each value. */
  readonly size?: number
  readonly seed?: string
}

/** What happened to a batch: its first offset, or the code of the error. */
export type Sent = bigint | number

interface SeenPartition {
  readonly start: bigint
  readonly end: bigint
  /** Offset and timestamp of the newest record. */
  readonly newest: readonly [bigint, bigint]
  readonly bytes: number
  readonly sha256: string
}

/** All that must survive a change of programs. */
export interface Seen {
  readonly clusterId: string | null
  readonly topics: Readonly<
    Record<
      string,
      {
        readonly id: string
        readonly configs: Readonly<Record<string, string | null>>
        readonly partitions: readonly SeenPartition[]
      }
    >
  >
}

function succeeded(what: string, code: number): void {
  if (code !== 0) throw new Error(`${what}: error ${code}`)
}

export class DrivenBroker {
  readonly #client: WireClient

  private constructor(client: WireClient) {
    this.#client = client
  }

  /** Resolves when every partition is served. */
  static async connect(port: number): Promise<DrivenBroker> {
    const broker = new DrivenBroker(await WireClient.connect('127.0.0.1', port))
    await broker.settled()
    return broker
  }

  close(): void {
    this.#client.close()
  }

  /** Resolves when every partition is served: a real Kafka takes requests before that, and names leaders of old. */
  async settled(): Promise<void> {
    while (!(await this.#isServed())) await new Promise((resolve) => setTimeout(resolve, 50))
  }

  async #isServed(): Promise<boolean> {
    const { brokers, topics } = await this.#metadata()
    const asked = topics.map(({ name, partitions }) => ({
      name: name!,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, timestamp: -1n })),
    }))
    const answer = await this.#client.send(listOffsets, 8, { replicaId: -1, isolationLevel: 0, topics: asked })
    const served = answer.topics.every((topic) => topic.partitions.every((partition) => partition.errorCode === 0))
    return brokers.length > 0 && served
  }

  #metadata() {
    return this.#client.send(metadata, 12, { topics: null, allowAutoTopicCreation: false })
  }

  async create(name: string, partitions: number, configs: Readonly<Record<string, string>> = {}): Promise<string> {
    const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    const topic = { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: entries }
    const { topics } = await this.#client.send(createTopics, 7, { topics: [topic], timeoutMs: 30_000 })
    succeeded(`create ${name}: ${topics[0]!.errorMessage}`, topics[0]!.errorCode)
    await this.settled()
    return topics[0]!.topicId
  }

  async delete(name: string): Promise<void> {
    const request = { topics: [{ name, topicId: ZERO_UUID }], timeoutMs: 30_000 }
    const { responses } = await this.#client.send(deleteTopics, 6, request)
    succeeded(`delete ${name}`, responses[0]!.errorCode)
  }

  async grow(name: string, count: number): Promise<void> {
    const request = { topics: [{ name, count, assignments: null }], timeoutMs: 30_000, validateOnly: false }
    const { results } = await this.#client.send(createPartitions, 3, request)
    succeeded(`grow ${name}`, results[0]!.errorCode)
    await this.settled()
  }

  /** Sets configs of a topic; null removes one. */
  async alter(resourceName: string, changes: Readonly<Record<string, string | null>>): Promise<void> {
    const configs = Object.entries(changes).map(([name, value]) => ({
      name,
      configOperation: value === null ? 1 : 0,
      value,
    }))
    const resources = [{ resourceType: TOPIC, resourceName, configs }]
    const { responses } = await this.#client.send(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    succeeded(`alter ${resourceName}: ${responses[0]!.errorMessage}`, responses[0]!.errorCode)
  }

  async deleteBefore(name: string, partitionIndex: number, offset: bigint): Promise<void> {
    const topics = [{ name, partitions: [{ partitionIndex, offset }] }]
    const answer = await this.#client.send(deleteRecords, 2, { topics, timeoutMs: 30_000 })
    succeeded(`delete records of ${name}`, answer.topics[0]!.partitions[0]!.errorCode)
  }

  async producerId(): Promise<bigint> {
    for (;;) {
      const request = { transactionalId: null, transactionTimeoutMs: 0 }
      const answer = await this.#client.send(initProducerId, 4, request)
      if (answer.errorCode === 0) return answer.producerId
      // A real Kafka has no block of ids yet when it starts.
      if (answer.errorCode !== errorCode('COORDINATOR_LOAD_IN_PROGRESS')) succeeded('producer id', answer.errorCode)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async send(name: string, index: number, batch: BatchToSend = {}): Promise<Sent> {
    const request = {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name, partitionData: [{ index, records: encoded(batch) }] }],
    }
    const { responses } = await this.#client.send(produce, 11, request)
    const answer = responses[0]!.partitionResponses[0]!
    return answer.errorCode === 0 ? answer.baseOffset : answer.errorCode
  }

  async seen(): Promise<Seen> {
    const { clusterId, topics } = await this.#metadata()
    const seen: Record<string, Seen['topics'][string]> = {}
    for (const topic of topics.toSorted((a, b) => (a.name! < b.name! ? -1 : 1))) {
      succeeded(topic.name!, topic.errorCode)
      const partitions: SeenPartition[] = []
      for (let index = 0; index < topic.partitions.length; index++) {
        partitions.push(await this.#partition(topic.name!, topic.topicId, index))
      }
      seen[topic.name!] = { id: topic.topicId, configs: await this.#configs(topic.name!), partitions }
    }
    return { clusterId, topics: seen }
  }

  async #configs(resourceName: string): Promise<Record<string, string | null>> {
    const resources = [{ resourceType: TOPIC, resourceName, configurationKeys: null }]
    const { results } = await this.#client.send(describeConfigs, 4, { resources, includeSynonyms: false })
    const [result] = results
    succeeded(`configs of ${resourceName}`, result!.errorCode)
    const ownOnes = result!.configs.filter(({ configSource }) => configSource === 1)
    return Object.fromEntries(ownOnes.map(({ name, value }) => [name, value]))
  }

  async #offset(name: string, partitionIndex: number, timestamp: bigint): Promise<readonly [bigint, bigint]> {
    const topics = [{ name, partitions: [{ partitionIndex, timestamp }] }]
    const answer = await this.#client.send(listOffsets, 8, { replicaId: -1, topics })
    const partition = answer.topics[0]!.partitions[0]!
    succeeded(`offsets of ${name}`, partition.errorCode)
    return [partition.offset, partition.timestamp]
  }

  async #partition(name: string, topicId: string, index: number): Promise<SeenPartition> {
    const [start] = await this.#offset(name, index, -2n)
    const [end] = await this.#offset(name, index, -1n)
    const hash = createHash('sha256')
    let bytes = 0
    for (let next = start; next < end;) {
      const records = await this.#fetch(topicId, index, next)
      const view = new RecordBatchView(records)
      let whole = 0
      // The end may be torn: a real Kafka sends what fits.
      for (; view.at + 12 < records.length && view.at + view.sizeBytes <= records.length; view.at += view.sizeBytes) {
        next = view.lastOffset + 1n
        whole = view.at + view.sizeBytes
      }
      if (whole === 0) throw new Error(`nothing at offset ${next} of ${name}-${index}, which ends at ${end}`)
      hash.update(records.subarray(0, whole))
      bytes += whole
    }
    return { start, end, newest: await this.#offset(name, index, -3n), bytes, sha256: hash.digest('hex') }
  }

  async #fetch(topicId: string, partition: number, fetchOffset: bigint): Promise<Uint8Array> {
    const topics = [{ topicId, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1 << 20 }] }]
    const { responses } = await this.#client.send(fetch, 13, { maxWaitMs: 500, minBytes: 1, topics })
    const answer = responses[0]!.partitions[0]!
    succeeded(`fetch at ${fetchOffset}`, answer.errorCode)
    return answer.records === null ? new Uint8Array() : Buffer.from(answer.records)
  }
}

function encoded({ codec = 'none', count = 1, size = 100, seed = '', ...producer }: BatchToSend): Uint8Array {
  const now = BigInt(Date.now())
  const records = Array.from({ length: count }, (_, i) => ({
    timestamp: now + BigInt(i % 7),
    key: Buffer.from(`key ${i}`),
    value: Buffer.alloc(size, `${seed} ${i} `),
    headers: [{ key: Buffer.from('header'), value: i % 2 === 0 ? null : Buffer.from([i & 0xff]) }],
  }))
  const compress = codec === 'none' ? {} : { compress: (section: Uint8Array) => compressor.compress(codec, section) }
  return buildBatch(records, { codec, ...compress, ...producer }, (bytes) => testChecksum.crc32c(bytes))
}
