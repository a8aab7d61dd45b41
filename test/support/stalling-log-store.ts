/** A log store whose opening, appending and deleting wait until they are told to go on, or fail on command. */
import { MemoryLogStore } from '../../src/adapters/storage-memory/memory-log-store.ts'
import {
  StorageError,
  type LogOptions,
  type PartitionLog,
  type StampedBatch,
} from '../../src/application/ports/log-store.ts'
import type { TopicPartition } from '../../src/domain/topic-partition.ts'

export class StallingLogStore extends MemoryLogStore {
  stallOpen = false
  stallAppend = false
  stallDelete = false
  failAppend = false
  /** The batches of each append, by their base offsets. */
  readonly appends: bigint[][] = []
  reads = 0
  #stalled: (() => void)[] = []

  /** Lets go on what waits, and everything after it. */
  async release(): Promise<void> {
    this.stallOpen = false
    this.stallAppend = false
    this.stallDelete = false
    await this.releaseOne()
  }

  /** Lets go on what waits now. */
  async releaseOne(): Promise<void> {
    const stalled = this.#stalled
    this.#stalled = []
    for (const resume of stalled) resume()
    await settle()
  }

  async #stall(on: boolean): Promise<void> {
    if (on) await new Promise<void>((resolve) => this.#stalled.push(resolve))
  }

  override async delete(partition: TopicPartition): Promise<void> {
    await this.#stall(this.stallDelete)
    await super.delete(partition)
  }

  override async open(partition: TopicPartition, options: LogOptions): Promise<PartitionLog> {
    await this.#stall(this.stallOpen)
    const log = await super.open(partition, options)
    const append = async (at: bigint, batches: readonly StampedBatch[]) => {
      this.appends.push(batches.map(({ baseOffset }) => baseOffset))
      await this.#stall(this.stallAppend)
      if (this.failAppend) throw new StorageError('the disk is full')
      return log.append(at, batches)
    }
    return new Proxy(log, {
      get: (target, name) => {
        if (name === 'append') return append
        if (name === 'read') this.reads++
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve()
}
