/**
 * The storage port in memory: for tests, caches and programs that embed a broker and want nothing on a disk. What is
 * stored lives as long as this object; `close` and `start` again is a restart that loses nothing.
 */
import type { ListedLog, LogDirectory, LogOptions, LogStore, PartitionLog } from '../../application/ports/log-store.ts'
import { StorageError } from '../../application/ports/log-store.ts'
import type { Random } from '../../application/ports/random.ts'
import { segmentJitter } from '../../domain/log/log-segment.ts'
import type { TopicPartition } from '../../domain/topic-partition.ts'
import { topicPartitionKey } from '../../domain/topic-partition.ts'
import { MemoryPartitionLog } from './memory-partition-log.ts'

const JITTER_RANGE = 0x7fff_ffff

export class MemoryLogStore implements LogStore {
  readonly #random: Pick<Random, 'integer'> | null
  readonly #logs = new Map<string, MemoryPartitionLog>()
  readonly #open = new Set<MemoryPartitionLog>()

  /** @param random for `segment.jitter.ms`; without it segments roll without jitter */
  constructor(random: Pick<Random, 'integer'> | null = null) {
    this.#random = random
  }

  start(): Promise<void> {
    return Promise.resolve()
  }

  open(partition: TopicPartition, options: LogOptions): Promise<PartitionLog> {
    const key = topicPartitionKey(partition.topic, partition.partition)
    let log = this.#logs.get(key)
    if (log === undefined) {
      log = new MemoryPartitionLog(partition, options, (current) => this.#jitterMs(current))
      this.#logs.set(key, log)
    } else if (log.topicId !== options.topicId) {
      const message = `${key} holds topic id ${log.topicId}, not ${options.topicId}`
      return Promise.reject(new StorageError(message))
    } else {
      log.resume(options)
    }
    this.#open.add(log)
    return Promise.resolve(log)
  }

  list(): Promise<readonly ListedLog[]> {
    const listed = [...this.#logs.values()].map(({ topicPartition, topicId }) => ({ topicPartition, topicId }))
    return Promise.resolve(listed.map((log) => ({ ...log, directory: '', needsRecovery: false })))
  }

  /** Nobody could look at it again: it is deleted. */
  setAside(partition: TopicPartition): Promise<void> {
    return this.delete(partition)
  }

  delete(partition: TopicPartition): Promise<void> {
    const key = topicPartitionKey(partition.topic, partition.partition)
    const log = this.#logs.get(key)
    if (log !== undefined) {
      this.#logs.delete(key)
      this.#open.delete(log)
      log.discard()
    }
    return Promise.resolve()
  }

  directories(): Promise<readonly LogDirectory[]> {
    return Promise.resolve([{ path: '', online: true, totalBytes: -1n, usableBytes: -1n }])
  }

  close(): Promise<void> {
    for (const log of this.#open) log.suspend()
    this.#open.clear()
    return Promise.resolve()
  }

  #jitterMs(options: LogOptions): bigint {
    if (this.#random === null) return 0n
    return segmentJitter(this.#random.integer(JITTER_RANGE), options.segmentJitterMs, options.segmentMs)
  }
}
