/**
 * The partitions of this broker: found by the newest metadata image, opened on first use, one object each.
 *
 * It follows the image: topics and partitions that appear get their logs at once (so that the folders are there, as in
 * a real broker), those that vanish lose them, and changed configs reach open logs. What lies in the storage without
 * being in the image is reported and left alone, for it may be somebody's data; a topic that needs its place has it set
 * aside.
 */
import type { ClusterImage, PartitionImage, TopicImage } from '../domain/cluster/cluster-image.ts'
import type { TopicConfig } from '../domain/config/topic-config.ts'
import { topicPartitionKey, type TopicPartition } from '../domain/topic-partition.ts'
import { METADATA_TOPIC_ID, type Uuid } from '../domain/uuid.ts'
import { HostedPartition } from './hosted-partition.ts'
import { recoverLogs } from './recover-logs.ts'
import type { PartitionContext } from './partition-context.ts'
import type { PartitionDirectory, ReadablePartition } from './partition.ts'
import type { Checksum } from './ports/checksum.ts'
import type { Clock } from './ports/clock.ts'
import type { Compressor } from './ports/compressor.ts'
import type { ListedLog, LogStore, PartitionLog, LogOptions } from './ports/log-store.ts'
import type { Logger } from './ports/logger.ts'
import type { MetadataRepository } from './ports/metadata-repository.ts'
import type { Timer, Timers } from './ports/timers.ts'
import type { ReplicaDirectories } from './replica-directories.ts'
import { TailCache } from './tail-cache.ts'
import type { UpkeptPartitions } from './upkeep.ts'
import { WriteBudget } from './write-budget.ts'

export interface PartitionsSettings {
  /** Bytes of batches that may wait to be written, over all partitions. */
  readonly writeQueueBytesMax: number
  /** Bytes of written batches kept in memory for consumers at the tail; read once, at construction. */
  readonly tailCacheBytesMax: number
  /** The largest records section, decompressed, that is taken (the topic's own limit may be lower). */
  readonly decompressedBytesMax: number
  readonly numRecoveryThreadsPerDataDir: number
  readonly producerIdExpirationMs: number
  readonly producerIdExpirationCheckIntervalMs: number
}

export interface PartitionsPorts {
  readonly logStore: LogStore
  readonly metadata: MetadataRepository
  readonly checksum: Checksum
  readonly compressor: Compressor
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  /** The effective configs of a topic; the same object while nothing changed. */
  readonly topicConfigs: { of(image: ClusterImage, topic: string): TopicConfig }
  /** Where the metadata has the replicas; absent where there are no directories. */
  readonly directories?: ReplicaDirectories
}

/** How many logs are opened at a time when topics appear. */
const OPENED_AT_ONCE = 16

export class Partitions implements PartitionDirectory, UpkeptPartitions {
  readonly budget: WriteBudget
  readonly #ports: PartitionsPorts
  readonly #settings: () => PartitionsSettings
  readonly #context: PartitionContext
  /** By topic id, then by partition; holes where none is open. */
  readonly #hosted = new Map<Uuid, (HostedPartition | undefined)[]>()
  /** Deletions under way, by folder name: the same name may be created again meanwhile. */
  readonly #deleting = new Map<string, Promise<void>>()
  /** By topic id, while logs of it are being taken out of use. */
  readonly #removing = new Map<Uuid, Promise<unknown>>()
  /** Logs of no topic that we know, by folder name: set aside when a topic needs their place. */
  readonly #foreign = new Set<string>()
  /** Work that `close` waits for. */
  readonly #background = new Set<Promise<void>>()
  #stopListening: (() => void) | null = null
  #expiry: Timer | null = null
  #closed = false

  constructor(
    ports: PartitionsPorts,
    settings: () => PartitionsSettings,
    onAdvance: (partition: ReadablePartition) => void,
  ) {
    this.#ports = ports
    this.#settings = settings
    this.budget = new WriteBudget(() => settings().writeQueueBytesMax)
    this.#context = {
      clock: ports.clock,
      logger: ports.logger,
      checksum: ports.checksum,
      compressor: ports.compressor,
      decompressedBytesMax: () => settings().decompressedBytesMax,
      tail: new TailCache(settings().tailCacheBytesMax),
      budget: this.budget,
      onAdvance,
    }
  }

  /** Begins to follow the image. Storage and metadata must have been started. */
  async start(): Promise<void> {
    this.#stopListening = this.#ports.metadata.onChange((image, before) => this.#follow(image, before))
    this.#expireLater()
    this.#inBackground(this.#recover(this.#takeStock(await this.#ports.logStore.list())))
  }

  /** Notes the logs that belong to no topic of the image; answers the others that must be recovered. */
  #takeStock(listed: readonly ListedLog[]): readonly ListedLog[] {
    const image = this.#ports.metadata.image()
    return listed.filter(({ topicPartition, topicId, needsRecovery }) => {
      if (topicId === METADATA_TOPIC_ID) return false
      const topic = image.topicsByName.get(topicPartition.topic)
      const known = topic?.partitions[topicPartition.partition] !== undefined
      if (known && (topicId === null || topicId === topic.id)) return needsRecovery
      this.#ports.logger.warn('log without topic', { ...topicPartition, topicId })
      this.#foreign.add(topicPartitionKey(topicPartition.topic, topicPartition.partition))
      return false
    })
  }

  /** Opens what the last owner left unclean, so that nobody waits for it later and the next stop is a clean one. */
  async #recover(unclean: readonly ListedLog[]): Promise<void> {
    const threads = () => this.#settings().numRecoveryThreadsPerDataDir
    await recoverLogs(this.#ports, threads, unclean, ({ topic, partition }) =>
      this.#closed ? null : this.find(topic, partition),
    )
  }

  find(topic: string, partition: number): HostedPartition | null {
    const image = this.#ports.metadata.image()
    const known = image.topicsByName.get(topic)
    return known === undefined ? null : this.#partition(image, known, partition)
  }

  /** As `find`; tells apart an id that no topic has. */
  findById(topicId: Uuid, partition: number): HostedPartition | 'UNKNOWN_TOPIC_ID' | null {
    const image = this.#ports.metadata.image()
    const known = image.topicsById.get(topicId)
    return known === undefined ? 'UNKNOWN_TOPIC_ID' : this.#partition(image, known, partition)
  }

  upkept(wanted: (config: TopicConfig) => boolean): HostedPartition[] {
    const image = this.#ports.metadata.image()
    const found: HostedPartition[] = []
    for (const topic of image.topicsById.values()) {
      if (!wanted(this.#ports.topicConfigs.of(image, topic.name))) continue
      for (const { partitionId } of topic.partitions) {
        const partition = this.#partition(image, topic, partitionId)
        if (partition !== null) found.push(partition)
      }
    }
    return found
  }

  #partition(image: ClusterImage, topic: TopicImage, index: number): HostedPartition | null {
    const partitionImage = topic.partitions[index]
    if (partitionImage === undefined || this.#closed) return null
    return this.#hosted.get(topic.id)?.[index] ?? this.#open(image, topic, partitionImage)
  }

  #open(image: ClusterImage, topic: TopicImage, partitionImage: PartitionImage): HostedPartition {
    const topicPartition = { topic: topic.name, partition: partitionImage.partitionId }
    const config = this.#ports.topicConfigs.of(image, topic.name)
    const open = (options: LogOptions): Promise<PartitionLog> => this.#openLog(topicPartition, options, partitionImage)
    const hosted = new HostedPartition(topicPartition, topic.id, partitionImage, config, this.#context, open)
    let ofTopic = this.#hosted.get(topic.id)
    if (ofTopic === undefined) this.#hosted.set(topic.id, (ofTopic = []))
    ofTopic[topicPartition.partition] = hosted
    return hosted
  }

  async #openLog(
    topicPartition: TopicPartition,
    options: LogOptions,
    partitionImage: PartitionImage,
  ): Promise<PartitionLog> {
    const { logStore, directories } = this.#ports
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition)
    await this.#deleting.get(key)
    if (this.#foreign.delete(key)) await this.#ports.logStore.setAside(topicPartition)
    const assigned = directories?.assigned(partitionImage)
    const copy = logStore.copies
      ?.list()
      .find(({ topicPartition: one }) => topicPartitionKey(one.topic, one.partition) === key)
    // a move was interrupted when all that was missing were the names
    if (copy !== undefined && copy.directory === assigned) {
      await logStore.copies?.promote(topicPartition, options, () => undefined)
    }
    const log = await logStore.open(topicPartition, options, assigned)
    directories?.found(options.topicId, partitionImage, log.directory)
    return log
  }

  #follow(image: ClusterImage, before: ClusterImage): void {
    if (image.topicsById !== before.topicsById) {
      for (const [id, topic] of before.topicsById) if (!image.topicsById.has(id)) this.#remove(topic)
      const created: [TopicImage, PartitionImage][] = []
      for (const [id, topic] of image.topicsById) {
        const old = before.topicsById.get(id)
        if (old === topic) continue
        for (const partition of topic.partitions) {
          if (old?.partitions[partition.partitionId] === undefined) created.push([topic, partition])
        }
        this.#hosted.get(id)?.forEach((hosted, index) => {
          const now = topic.partitions[index]
          if (hosted !== undefined && now !== undefined) hosted.image = now
        })
      }
      if (created.length > 0) this.#inBackground(this.#create(created))
    }
    if (image.configs !== before.configs) this.#reconfigure(image)
  }

  #reconfigure(image: ClusterImage): void {
    for (const [id, ofTopic] of this.#hosted) {
      const topic = image.topicsById.get(id)
      if (topic === undefined) continue
      const config = this.#ports.topicConfigs.of(image, topic.name)
      for (const hosted of ofTopic) hosted?.configure(config)
    }
  }

  async #create(created: readonly (readonly [TopicImage, PartitionImage])[]): Promise<void> {
    for (let at = 0; at < created.length && !this.#closed; at += OPENED_AT_ONCE) {
      const image = this.#ports.metadata.image()
      const opening: Promise<void>[] = []
      for (const [topic, partition] of created.slice(at, at + OPENED_AT_ONCE)) {
        const still = image.topicsById.get(topic.id)
        const hosted = still === undefined ? null : this.#partition(image, still, partition.partitionId)
        if (hosted !== null) opening.push(hosted.whenOpen())
      }
      await Promise.all(opening)
    }
  }

  #remove(topic: TopicImage): void {
    const ofTopic = this.#hosted.get(topic.id)
    this.#hosted.delete(topic.id)
    const removing: Promise<void>[] = []
    for (const { partitionId } of topic.partitions) {
      const key = topicPartitionKey(topic.name, partitionId)
      const deleted = this.#delete({ topic: topic.name, partition: partitionId }, ofTopic?.[partitionId], key)
      this.#deleting.set(key, deleted)
      this.#inBackground(deleted)
      void deleted.then(() => {
        if (this.#deleting.get(key) === deleted) this.#deleting.delete(key)
      })
      removing.push(deleted)
    }
    const removed = Promise.all(removing)
    this.#removing.set(topic.id, removed)
    void removed.then(() => this.#removing.delete(topic.id))
  }

  /** Resolves when no log of the deleted topic is in use under its name any more; never rejects. */
  async whenRemoved(topicId: Uuid): Promise<void> {
    await this.#removing.get(topicId)
  }

  async #delete(topicPartition: TopicPartition, hosted: HostedPartition | undefined, key: string): Promise<void> {
    const before = this.#deleting.get(key)
    try {
      await before
      await hosted?.close(false)
      await this.#ports.logStore.copies?.discard(topicPartition, 'delete')
      await this.#ports.logStore.delete(topicPartition)
    } catch (cause) {
      this.#ports.logger.error('log not deleted', { partition: key, cause })
    }
  }

  /** `work` never rejects. */
  #inBackground(work: Promise<void>): void {
    this.#background.add(work)
    void work.then(() => this.#background.delete(work))
  }

  #expireLater(): void {
    this.#expiry = this.#ports.timers.after(this.#settings().producerIdExpirationCheckIntervalMs, () => {
      const expirationMs = BigInt(this.#settings().producerIdExpirationMs)
      for (const ofTopic of this.#hosted.values()) {
        for (const hosted of ofTopic) hosted?.expireProducers(expirationMs)
      }
      this.#expireLater()
    })
  }

  /** Finishes what was accepted and saves the producer states. The storage is closed afterwards, by its owner. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stopListening?.()
    this.#expiry?.cancel()
    await Promise.all(this.#background)
    const closing: Promise<void>[] = []
    for (const ofTopic of this.#hosted.values()) {
      for (const hosted of ofTopic) if (hosted !== undefined) closing.push(hosted.close(true))
    }
    await Promise.all(closing)
    this.#hosted.clear()
  }
}
