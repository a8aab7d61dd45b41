/** A log store of a broker that dies at a given append; what was appended before is there for the next broker. */
import { MemoryLogStore } from '../../src/adapters/storage-memory/memory-log-store.ts'
import {
  StorageError,
  type LogOptions,
  type PartitionLog,
  type StampedBatch,
} from '../../src/application/ports/log-store.ts'
import type { TopicPartition } from '../../src/domain/topic-partition.ts'

export class DyingLogStore extends MemoryLogStore {
  /** How many appends are still made. */
  appendsLeft = Infinity
  /** The append at which it dies is made all the same, but nobody learns of it. */
  makesTheLast = false
  /** Of the appends that were made. */
  readonly appended: string[] = []
  #life = 0
  #isDead = false

  get isDead(): boolean {
    return this.#isDead
  }

  /** For the next broker: whatever the last one still does is lost. */
  revive(appendsLeft = Infinity): this {
    this.#life++
    this.#isDead = false
    this.appendsLeft = appendsLeft
    return this
  }

  override async open(partition: TopicPartition, options: LogOptions): Promise<PartitionLog> {
    const log = await super.open(partition, options)
    const life = this.#life
    const append = async (at: bigint, batches: readonly StampedBatch[]) => {
      const isLast = this.appendsLeft === 0
      if (life !== this.#life || this.#isDead || (isLast && !this.makesTheLast)) return this.#die(life)
      this.appendsLeft--
      const result = await log.append(at, batches)
      this.appended.push(`${partition.topic}-${partition.partition}`)
      return isLast ? this.#die(life) : result
    }
    return new Proxy(log, {
      get: (target, name) => {
        if (name === 'append') return append
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }

  #die(life: number): never {
    if (life === this.#life) this.#isDead = true
    throw new StorageError('the broker is dead')
  }
}
