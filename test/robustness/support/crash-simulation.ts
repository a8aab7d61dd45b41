/**
 * Random work on partitions over a simulated disk: batches of plain and idempotent producers in all codecs, rolls,
 * DeleteRecords, retention, compaction, topics that come, go and are configured, clean stops, failing operations, a
 * full disk, and crashes of the process and of the power at any operation, again on the way up too. One seed decides
 * all of it. What was promised is checked after every start: see `ModelTopic`.
 *
 * A crash of the process takes nothing that was acknowledged or shown to a reader. A power loss takes what was not
 * synced, which is nothing of what `flush.messages=1` acknowledged. The metadata outlive every crash here: they have a
 * log and tests of their own.
 */
import { inspect } from 'node:util'
import { MemoryMetadataRepository } from '../../../src/adapters/memory-metadata/memory-metadata-repository.ts'
import { StorageError } from '../../../src/application/ports/log-store.ts'
import type { MetadataRecord } from '../../../src/domain/cluster/metadata-record.ts'
import { countingRandom } from '../../support/file-storage.ts'
import { topicRecords } from '../../support/produce-broker.ts'
import { seeded } from './hostile-broker.ts'
import { ModelTopic, type FoundLog, type ModelConfigs } from './model-topic.ts'
import { SimulatedBroker } from './simulated-broker.ts'
import { SimulatedClients, type SimulationHost } from './simulated-clients.ts'
import { SimulatedDisk } from './simulated-disk.ts'

const policies = ['delete', 'delete', 'compact', 'compact,delete'] as const

export class CrashSimulation implements SimulationHost {
  readonly #below: (below: number) => number
  readonly #random = countingRandom()
  readonly #clients: SimulatedClients
  readonly #metadata: MemoryMetadataRepository
  topics: ModelTopic[] = []
  #disk: SimulatedDisk
  broker: SimulatedBroker
  /** Whether this life saw its disk fail: it may refuse then. */
  faulty = false

  constructor(seed: number) {
    this.#below = seeded(seed)
    this.#clients = new SimulatedClients(this, this.#below)
    this.#disk = new SimulatedDisk(this.#below)
    this.#metadata = new MemoryMetadataRepository(this.#random, {
      nodeId: 1,
      endPoints: () => [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
      rack: null,
      minInsyncReplicas: 1,
    })
    this.broker = this.#newBroker(1_700_000_000_000n)
  }

  async run(steps: number): Promise<void> {
    await this.#metadata.start()
    await this.broker.start()
    for (let step = 0; step < steps; step++) await this.#step()
    await this.#restart()
  }

  #newBroker(nowMs: bigint): SimulatedBroker {
    return new SimulatedBroker(this.#disk, this.#metadata, this.#random, nowMs)
  }

  async #step(): Promise<void> {
    const topic = this.topics[this.#below(this.topics.length)]
    const what = this.#below(24)
    if (topic === undefined || (what === 0 && this.topics.length < 4)) await this.#create()
    else if (what === 1) await this.#delete(topic)
    else if (what === 2) await this.#configure(topic)
    else if (what <= 4) await this.#trim(topic)
    else if (what <= 6) await this.#maintain()
    else if (what === 7) this.broker.clock.advance(this.#below(61_000))
    else if (what === 8) await this.#restart()
    else if (what <= 12) await this.#crash()
    else if (what === 13) await this.#failingDisk()
    else await this.#clients.produce()
  }

  #commit(records: readonly MetadataRecord[]): Promise<void> {
    return this.#metadata.commit(() => ({ records, answer: undefined }))
  }

  #newConfigs(): ModelConfigs {
    const below = this.#below
    const bySize = below(2) === 0
    return {
      flushes: below(2) === 0,
      policy: policies[below(policies.length)]!,
      retentionMs: bySize ? -1 : 20_000 + below(200_000),
      retentionBytes: bySize ? below(3000) : -1,
      deleteRetentionMs: below(2) === 0 ? 0 : 1_000_000_000,
      segmentBytes: 200 + below(900),
    }
  }

  async #create(): Promise<void> {
    // sometimes a name that was used before
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].filter((name) => this.topics.every((topic) => topic.name !== name))
    const topic = new ModelTopic(
      names[this.#below(names.length)]!,
      this.#random.uuid(),
      this.#newConfigs(),
      this.#clients.newProducer(),
    )
    await this.#commit(topicRecords({ name: topic.name, id: topic.id, configs: entriesOf(topic.configs) }))
    this.topics.push(topic)
  }

  async #delete(topic: ModelTopic): Promise<void> {
    this.topics = this.topics.filter((other) => other !== topic)
    const removed = [{ type: 'RemoveTopicRecord', topicId: topic.id }] as const
    await this.#commit(removed)
    if (this.#below(2) === 0) await this.broker.partitions.whenRemoved(topic.id)
  }

  async #configure(topic: ModelTopic): Promise<void> {
    const configs = this.#newConfigs()
    const records = Object.entries(entriesOf(configs)).map(([name, value]): MetadataRecord => ({
      type: 'ConfigRecord',
      resourceType: 2,
      resourceName: topic.name,
      name,
      value,
    }))
    await this.#commit(records)
    topic.configure(configs)
  }

  async #trim(topic: ModelTopic): Promise<void> {
    const before = topic.start + this.#below(topic.acknowledged - topic.start + 1)
    topic.startAsked = Math.max(before, topic.startAsked)
    const partition = this.broker.partitions.find(topic.name, 0)!
    await partition.whenOpen()
    const error = await partition.trim(BigInt(before))
    if (error === null) topic.start = Math.max(topic.start, before)
    else if (!this.faulty) topic.fail(`DeleteRecords: ${error}`)
  }

  /** Retention or compaction, with or without producers beside it. */
  async #maintain(): Promise<void> {
    const { retention, compaction } = this.broker
    const work = this.#below(2) === 0 ? retention.execute() : compaction.execute()
    if (this.#below(2) === 0) await Promise.all([work, this.#clients.produce()])
    else await work
    for (const topic of this.topics) await this.#check(topic)
  }

  async #check(topic: ModelTopic): Promise<void> {
    const found = await this.#read(topic)
    if (found === null) return
    if (found.start < topic.start) topic.fail(`starts at ${found.start}, before ${topic.start}`)
    this.#judgeStart(topic, found.start)
    topic.judge(found, topic.acknowledged)
    if (this.faulty) return
    topic.learn(found)
  }

  /** null = it is offline, because its disk failed. */
  async #read(topic: ModelTopic): Promise<FoundLog | null> {
    try {
      return await this.broker.read(topic.name, () => 1 + this.#below(700))
    } catch (error) {
      if (error instanceof StorageError && this.faulty) return null
      const errors = this.broker.log.lines.filter(({ level }) => level === 'error')
      throw new Error(`${topic.name}: ${String(error)} after ${inspect(errors, { depth: 6 })}`, { cause: error })
    }
  }

  #judgeStart(topic: ModelTopic, start: number): void {
    if (start <= topic.startAsked) return
    this.#mayBegin(topic, start)
    topic.start = start
  }

  #mayBegin(topic: ModelTopic, start: number): void {
    const bytes = this.broker.partitions.find(topic.name, 0)!.sizeBytes()
    if (!topic.mayBeRetainedTo(start, bytes, this.broker.clock.nowMs()))
      topic.fail(`begins at ${start}: too much is gone`)
    topic.startAsked = start
  }

  /** A clean stop, unless the disk failed, and the next start. */
  async #restart(): Promise<void> {
    await this.broker.close()
    // a dead process does nothing more, even where it needed no disk
    if (this.#disk.isDead) return
    const clean = !this.faulty
    if (clean) for (const topic of this.topics) topic.durable = topic.acknowledged
    await this.#boot(clean ? 'clean' : 'killed')
  }

  async #boot(after: 'clean' | 'killed' | 'power loss'): Promise<void> {
    this.faulty = false
    this.#disk.failAfter(Infinity, 0)
    this.#disk.fill(Infinity)
    const broker = this.#newBroker(this.broker.clock.nowMs())
    this.broker = broker
    await broker.start()
    for (const topic of this.topics) {
      if (after === 'clean') {
        // a snapshot of producers, as a clean stop leaves it, names only the newest batch of each
        topic.producer.batches = topic.producer.batches.slice(-1)
        await this.#check(topic)
      } else await this.#checkAfterCrash(topic, after === 'power loss')
    }
  }

  /** What a crash may have taken: the model learns what is left, once it has judged it. */
  async #checkAfterCrash(topic: ModelTopic, powerLoss: boolean): Promise<void> {
    const due = powerLoss ? topic.durable : topic.acknowledged
    const found = await this.#read(topic)
    if (found === null) return
    if (!powerLoss && found.start < topic.start) topic.fail(`starts at ${found.start}, before ${topic.start}`)
    this.#judgeStart(topic, found.start)
    topic.judge(found, due)
    topic.learn(found)
    topic.durable = Math.min(topic.durable, found.end)
    topic.start = topic.startAsked = found.start
    await this.#clients.produceOn(topic, powerLoss)
  }

  /** Does something and dies on the way, perhaps again on the way up. */
  async #crash(): Promise<void> {
    const powerLoss = this.#below(2) === 0
    this.#disk.killAfter(this.#below(50))
    await Promise.race([this.#anything(), this.#disk.died])
    // what needs no disk goes on for a moment, and must not meet the next process
    await turns()
    this.#noteShown()
    for (;;) {
      if (!this.#disk.isDead) this.#disk.kill()
      this.#disk = this.#disk.revive(powerLoss)
      if (this.#below(3) === 0) this.#disk.killAfter(this.#below(60))
      await Promise.race([this.#boot(powerLoss ? 'power loss' : 'killed'), this.#disk.died])
      if (!this.#disk.isDead) break
      await turns()
    }
    this.#disk.killAfter(Infinity)
  }

  /** What readers could see is promised as if it were acknowledged. */
  #noteShown(): void {
    for (const topic of this.topics) {
      const partition = this.broker.partitions.find(topic.name, 0)
      if (partition === null) continue
      topic.acknowledged = Math.max(topic.acknowledged, Number(partition.highWatermark))
      // what retention was about to take when there was more of the log
      const start = Number(partition.logStartOffset)
      if (start > topic.startAsked) this.#mayBegin(topic, start)
    }
  }

  async #anything(): Promise<void> {
    const topic = this.topics[this.#below(this.topics.length)]
    const what = this.#below(8)
    if (topic === undefined || what === 0) await (this.topics.length < 5 ? this.#create() : this.#clients.produce())
    else if (what === 1) await this.#restart()
    else if (what === 2) await this.#trim(topic)
    else if (what === 3) await this.#delete(topic)
    else if (what <= 5) await this.#maintain()
    else await this.#clients.produce()
  }

  /** Operations fail, or the disk is full, for a while; then the broker is stopped and started on a sound disk. */
  async #failingDisk(): Promise<void> {
    this.faulty = true
    if (this.#below(2) === 0) this.#disk.fill(this.#below(1500))
    else this.#disk.failAfter(this.#below(30), 1 + this.#below(5))
    for (let work = 1 + this.#below(4); work > 0; work--) await this.#anything()
    // one of these may have been a restart
    if (this.#disk.isWorn) await this.#restart()
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function entriesOf(configs: ModelConfigs): Record<string, string> {
  return {
    'flush.messages': configs.flushes ? '1' : '9223372036854775807',
    'cleanup.policy': configs.policy,
    'retention.ms': String(configs.retentionMs),
    'retention.bytes': String(configs.retentionBytes),
    'delete.retention.ms': String(configs.deleteRetentionMs),
    'segment.bytes': String(configs.segmentBytes),
    'segment.ms': '50000',
    'segment.index.bytes': '1000',
    'index.interval.bytes': '100',
    'min.cleanable.dirty.ratio': '0.01',
  }
}
