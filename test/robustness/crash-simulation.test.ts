/**
 * Random work on partitions over a simulated disk, with clean stops, crashes of the process and power losses, against
 * a model: what was acknowledged is there, in order and unaltered. After a crash of the process that is everything;
 * after a power loss everything that `flush.messages=1` acknowledged. What was sent and not acknowledged may be there,
 * but only in its place. The metadata outlives every crash here: it has a log and tests of its own.
 */
import { describe, expect, it } from '@jest/globals'
import { CodecCompressor } from '../../src/adapters/compression/codec-compressor.ts'
import { MemoryMetadataRepository } from '../../src/adapters/memory-metadata/memory-metadata-repository.ts'
import { FileLogStore } from '../../src/adapters/storage-fs/file-log-store.ts'
import { Crc32cChecksum } from '../../src/adapters/system/crc32c-checksum.ts'
import { ManualClock } from '../../src/adapters/system/manual-clock.ts'
import type { AppendResult } from '../../src/application/append-result.ts'
import { Partitions } from '../../src/application/partitions.ts'
import type { MetadataRecord } from '../../src/domain/cluster/metadata-record.ts'
import { BrokerConfig } from '../../src/domain/config/broker-config.ts'
import { TopicConfigs } from '../../src/domain/config/topic-config.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { countingRandom } from '../support/file-storage.ts'
import { testLease, topicRecords } from '../support/produce-broker.ts'
import { takeBytes } from '../support/stored-batches.ts'
import { LogLines } from '../support/tcp.ts'
import { producedBatch, storedValues } from './support/batches.ts'
import { seeded, seeds } from './support/hostile-broker.ts'
import { SimulatedDisk } from './support/simulated-disk.ts'

const STEPS = 120

/** What must be true of one partition. */
interface ModelTopic {
  readonly name: string
  readonly id: string
  flushes: boolean
  /** Every record that was sent, at its offset; `null` = deleted before it ever came to the disk. */
  sent: (string | null)[]
  /** So many records are acknowledged, and so many of them survive a power loss. */
  acknowledged: number
  durable: number
  /** The start offset: acknowledged, and asked for. */
  start: number
  startAsked: number
  producer: { readonly id: bigint; next: number; last: { readonly sequence: number; readonly offset: number } | null }
}

class Simulation {
  readonly below: (below: number) => number
  readonly log = new LogLines()
  readonly clock = new ManualClock()
  readonly random = countingRandom()
  readonly metadata: MemoryMetadataRepository
  readonly topics: ModelTopic[] = []
  disk: SimulatedDisk
  store!: FileLogStore
  partitions!: Partitions
  #names = 0
  #values = 0
  #producers = 0n

  constructor(seed: number) {
    this.below = seeded(seed)
    this.disk = new SimulatedDisk(this.below)
    this.metadata = new MemoryMetadataRepository(this.random, {
      nodeId: 1,
      endPoints: () => [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
      rack: null,
      minInsyncReplicas: 1,
    })
  }

  async boot(): Promise<void> {
    const { disk } = this
    const checksum = new Crc32cChecksum()
    const store = (this.store = new FileLogStore({
      directories: ['/data'],
      checksum,
      timers: this.clock,
      random: this.random,
      logger: this.log,
      fileSystem: disk.system,
      openFilesMax: 3,
    }))
    await store.start()
    if (disk.isDead) return
    this.partitions = new Partitions(
      {
        logStore: store,
        metadata: this.metadata,
        checksum,
        compressor: new CodecCompressor(),
        clock: this.clock,
        timers: this.clock,
        logger: this.log,
        topicConfigs: new TopicConfigs(BrokerConfig.of(new Map([['node.id', '1']]))),
      },
      () => ({
        writeQueueBytesMax: 1 << 20,
        tailCacheBytesMax: 600,
        decompressedBytesMax: 1 << 20,
        producerIdExpirationMs: 1 << 30,
        producerIdExpirationCheckIntervalMs: 1 << 30,
      }),
      () => undefined,
    )
    await this.partitions.start()
  }

  commit(records: readonly MetadataRecord[]): Promise<void> {
    return this.metadata.commit(() => ({ records, answer: undefined }))
  }

  one(): ModelTopic | undefined {
    return this.topics[this.below(this.topics.length)]
  }

  async create(): Promise<void> {
    const name = `topic-${this.#names++}`
    const id = this.random.uuid()
    const flushes = this.below(2) === 0
    const configs = {
      'segment.bytes': String(200 + this.below(900)),
      'segment.ms': '50000',
      'segment.index.bytes': '1000',
    }
    await this.commit(topicRecords({ name, id, configs: { ...configs, ...(flushes && { 'flush.messages': '1' }) } }))
    this.topics.push({
      ...{ name, id, flushes, sent: [], acknowledged: 0, durable: 0, start: 0, startAsked: 0 },
      producer: this.newProducer(),
    })
  }

  newProducer(): ModelTopic['producer'] {
    return { id: ++this.#producers, next: 0, last: null }
  }

  async delete(topic: ModelTopic): Promise<void> {
    this.topics.splice(this.topics.indexOf(topic), 1)
    await this.commit([{ type: 'RemoveTopicRecord', topicId: topic.id }])
  }

  async configure(topic: ModelTopic): Promise<void> {
    topic.flushes = !topic.flushes
    const resource = { resourceType: 2, resourceName: topic.name } as const
    await this.commit([
      { type: 'ConfigRecord', ...resource, name: 'flush.messages', value: topic.flushes ? '1' : null },
      { type: 'ConfigRecord', ...resource, name: 'segment.bytes', value: String(200 + this.below(900)) },
    ])
  }

  /** Sends batches without waiting, then waits for all answers; the process may die meanwhile. */
  async produce(): Promise<void> {
    const answers: Promise<void>[] = []
    for (let count = 1 + this.below(6); count > 0; count--) {
      const topic = this.one()
      if (topic === undefined) return
      answers.push(this.below(3) === 0 ? this.#sendIdempotent(topic) : this.#sendNew(topic, {}))
    }
    await Promise.all(answers)
  }

  #sendIdempotent(topic: ModelTopic): Promise<void> {
    const { producer } = topic
    if (producer.last !== null && this.below(3) === 0) {
      // sent again: answered as before, and not in the log twice
      const { sequence, offset } = producer.last
      const values = [topic.sent[offset] ?? '']
      return this.#append(topic, this.#batch(values, producer.id, sequence), offset, true)
    }
    const sequence = producer.next++
    producer.last = { sequence, offset: topic.sent.length }
    return this.#sendNew(topic, { producerId: producer.id, sequence })
  }

  #sendNew(topic: ModelTopic, of: { readonly producerId?: bigint; readonly sequence?: number }): Promise<void> {
    const count = of.producerId === undefined ? 1 + this.below(3) : 1
    const values = Array.from({ length: count }, () => `${topic.name} ${this.#values++} ${'x'.repeat(this.below(90))}`)
    const offset = topic.sent.length
    topic.sent.push(...values)
    return this.#append(topic, this.#batch(values, of.producerId, of.sequence), offset)
  }

  #batch(values: readonly string[], producerId?: bigint, sequence?: number): Uint8Array {
    const idempotent = producerId === undefined ? {} : { producerId, producerEpoch: 0, baseSequence: sequence ?? 0 }
    return producedBatch({ values, timestamp: this.clock.nowMs(), ...idempotent })
  }

  async #append(topic: ModelTopic, bytes: Uint8Array, offset: number, again = false): Promise<void> {
    const view = new RecordBatchView(bytes)
    const partition = this.partitions.findById(topic.id, 0)
    if (partition === null || partition === 'UNKNOWN_TOPIC_ID') throw new Error(`${topic.name} is not there`)
    const result = await new Promise<AppendResult>((resolve) =>
      partition.append({ batch: view, origin: 'client', lease: testLease(), acksAll: true }, resolve),
    )
    expect([result.error, result.message, result.baseOffset]).toEqual(['NONE', null, BigInt(offset)])
    const end = offset + view.count
    topic.acknowledged = Math.max(topic.acknowledged, end)
    // what was sent again is not written again, and was perhaps written before it had to be flushed
    if (topic.flushes && !again) topic.durable = Math.max(topic.durable, end)
  }

  async trim(topic: ModelTopic): Promise<void> {
    const before = topic.start + this.below(topic.acknowledged - topic.start + 1)
    topic.startAsked = before
    const partition = this.partitions.find(topic.name, 0)!
    await partition.whenOpen()
    expect(await partition.trim(BigInt(before))).toBeNull()
    topic.start = before
  }

  async check(topic: ModelTopic): Promise<void> {
    const found = await this.#read(topic)
    expect(found.start).toBe(topic.start)
    expect(found.values).toEqual(topic.sent.slice(topic.start))
  }

  /** `null` = nothing is at that offset. */
  async #read(topic: ModelTopic): Promise<{ readonly start: number; readonly values: readonly (string | null)[] }> {
    const partition = this.partitions.find(topic.name, 0)!
    await partition.whenOpen()
    expect(partition.state).toBe('open')
    const start = partition.logStartOffset
    const values: (string | null)[] = []
    for (let from = start; from < partition.highWatermark;) {
      const limits = { bytesMax: 1 + this.below(700), atLeastOne: true }
      const slice = await partition.read(from, limits, 'read uncommitted')
      const next = slice.nextOffset
      for (const { offset, value } of storedValues(takeBytes(slice))) {
        if (offset < from) continue
        while (start + BigInt(values.length) < offset) values.push(null)
        expect(offset).toBe(start + BigInt(values.length))
        values.push(value)
      }
      if (next <= from) break
      from = next
    }
    while (start + BigInt(values.length) < partition.highWatermark) values.push(null)
    return { start: Number(start), values }
  }

  /** What a crash may have taken: the model learns what is left, once it has judged it. */
  async afterCrash(powerLoss: boolean): Promise<void> {
    for (const topic of this.topics) {
      const { start, values } = await this.#read(topic)
      const end = start + values.length
      const due = powerLoss ? topic.durable : topic.acknowledged
      expect({ topic: topic.name, end: Math.max(end, due) }).toEqual({ topic: topic.name, end })
      expect(start).toBeLessThanOrEqual(topic.startAsked)
      if (!powerLoss) expect(start).toBeGreaterThanOrEqual(topic.start)
      // what no flush promised may leave a hole where one segment went to the disk before the one before it
      values.forEach((value, index) => {
        const offset = start + index
        if (value !== null || !powerLoss || offset < due) expect([offset, value]).toEqual([offset, topic.sent[offset]])
      })
      const kept = topic.sent.slice(0, start)
      while (kept.length < start) kept.push(null)
      topic.sent = [...kept, ...values]
      topic.acknowledged = topic.durable = end
      topic.start = topic.startAsked = start
      await this.#afterCrashOf(topic, powerLoss)
    }
  }

  /** A producer that was not answered sends again: the broker knows whether it has the batch. */
  async #afterCrashOf(topic: ModelTopic, powerLoss: boolean): Promise<void> {
    const { producer } = topic
    if (producer.last === null) return
    const { sequence, offset } = producer.last
    const survived = offset < topic.sent.length
    if (powerLoss || !survived || offset < topic.start) topic.producer = this.newProducer()
    else await this.#append(topic, this.#batch([topic.sent[offset] ?? ''], producer.id, sequence), offset)
  }

  async restart(): Promise<void> {
    const { disk } = this
    await this.partitions.close()
    await this.store.close()
    // a dead process does nothing more, even where it needed no disk
    if (disk.isDead) return
    await this.boot()
    for (const topic of this.topics) await this.check(topic)
  }

  /** Does something and dies on the way, perhaps again on the way up. */
  async crash(): Promise<void> {
    const powerLoss = this.below(2) === 0
    this.disk.killAfter(this.below(40))
    const topic = this.one()
    const work = [
      () => this.produce(),
      () => this.restart(),
      () => (topic === undefined ? this.create() : this.trim(topic)),
    ]
    await Promise.race([work[this.below(3)]!(), this.disk.died])
    for (;;) {
      if (!this.disk.isDead) this.disk.kill()
      this.disk = this.disk.revive(powerLoss)
      if (this.below(3) === 0) this.disk.killAfter(this.below(60))
      await Promise.race([this.boot().then(() => this.afterCrash(powerLoss)), this.disk.died])
      if (!this.disk.isDead) break
    }
    this.disk.killAfter(Infinity)
  }

  async step(): Promise<void> {
    const topic = this.one()
    const what = this.below(20)
    if (topic === undefined || (what === 0 && this.topics.length < 4)) await this.create()
    else if (what === 1) await this.delete(topic)
    else if (what === 2) await this.configure(topic)
    else if (what <= 4) await this.trim(topic)
    else if (what === 5) await this.restart()
    else if (what <= 8) await this.crash()
    else if (what === 9) this.clock.advance(61_000)
    else if (what === 10) await this.check(topic)
    else await this.produce()
  }
}

describe('partitions on a disk that crashes', () => {
  it.each(seeds(12))('keep what they acknowledged (seed %i)', async (seed) => {
    const simulation = new Simulation(seed)
    await simulation.metadata.start()
    await simulation.boot()
    for (let step = 0; step < STEPS; step++) await simulation.step()
    for (const topic of simulation.topics) await simulation.check(topic)
    expect(simulation.log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})
