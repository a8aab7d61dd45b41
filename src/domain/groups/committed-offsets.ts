/**
 * The offsets that groups have committed, of one partition of `__consumer_offsets`, and those that transactions have
 * committed without having ended yet (KIP-98).
 *
 * `evolve` and `endTransaction` are the only things that write. Whether a commit is acceptable is offset-rules.ts.
 */
import type { OffsetCommitKey, OffsetCommitValue } from './group-record.ts'

export interface CommittedOffset extends OffsetCommitValue {
  /** Where the record is in the log: of a transaction's commit and a plain one, the later record counts. */
  readonly recordOffset: bigint
}

/** By topic, then by partition. */
type PerPartition<T> = Map<string, Map<number, T>>
type GroupOffsets = PerPartition<CommittedOffset>

const noOffsets: ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> = new Map()

export class CommittedOffsets {
  readonly #byGroup = new Map<string, GroupOffsets>()
  /** By producer id, then as above. */
  readonly #pending = new Map<bigint, Map<string, GroupOffsets>>()
  /** Whose transactions have an offset pending: thousands may be open at a time, and each fetch asks. */
  readonly #pendingFor = new Map<string, PerPartition<Set<bigint>>>()

  get(group: string, topic: string, partition: number): CommittedOffset | null {
    return this.#byGroup.get(group)?.get(topic)?.get(partition) ?? null
  }

  /** By topic, then by partition. */
  ofGroup(group: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> {
    return this.#byGroup.get(group) ?? noOffsets
  }

  groups(): Iterable<string> {
    return this.#byGroup.keys()
  }

  /** Whether a transaction that has not ended has committed an offset here. */
  isPending(group: string, topic: string, partition: number): boolean {
    return this.#pendingFor.get(group)?.get(topic)?.has(partition) === true
  }

  /** Everything that transactions have committed for a group without having ended. */
  *pendingOf(group: string): Generator<OffsetCommitKey> {
    for (const [topic, partitions] of this.#pendingFor.get(group) ?? []) {
      for (const partition of partitions.keys()) yield { group, topic, partition }
    }
  }

  hasPending(group: string): boolean {
    return this.#pendingFor.has(group)
  }

  /** Each group and partition of a topic that an offset is committed for, pending ones included. */
  *ofTopic(topic: string): Generator<OffsetCommitKey> {
    for (const groups of [this.#byGroup, this.#pendingFor]) {
      for (const [group, topics] of groups) {
        for (const partition of topics.get(topic)?.keys() ?? []) yield { group, topic, partition }
      }
    }
  }

  /** A record of the log at `recordOffset`; `producerId` -1 = not part of a transaction. */
  evolve(key: OffsetCommitKey, value: OffsetCommitValue | null, recordOffset: bigint, producerId: bigint): void {
    if (value === null) {
      this.#remove(key)
      return
    }
    const offset = { ...value, recordOffset }
    if (producerId < 0n) put(this.#byGroup, key, offset)
    else this.#putPending(producerId, key, offset)
  }

  endTransaction(producerId: bigint, committed: boolean): void {
    const groups = this.#pending.get(producerId)
    this.#pending.delete(producerId)
    for (const [group, topics] of groups ?? []) {
      for (const [topic, partitions] of topics) {
        for (const [partition, offset] of partitions) {
          const key = { group, topic, partition }
          this.#noLongerPending(producerId, key)
          if (!committed) continue
          const before = this.get(group, topic, partition)
          if (before === null || offset.recordOffset > before.recordOffset) put(this.#byGroup, key, offset)
        }
      }
    }
  }

  #putPending(producerId: bigint, key: OffsetCommitKey, offset: CommittedOffset): void {
    let groups = this.#pending.get(producerId)
    if (groups === undefined) this.#pending.set(producerId, (groups = new Map<string, GroupOffsets>()))
    put(groups, key, offset)
    const producers = this.#pendingFor.get(key.group)?.get(key.topic)?.get(key.partition)
    if (producers === undefined) put(this.#pendingFor, key, new Set([producerId]))
    else producers.add(producerId)
  }

  #noLongerPending(producerId: bigint, key: OffsetCommitKey): void {
    const producers = this.#pendingFor.get(key.group)?.get(key.topic)?.get(key.partition)
    producers?.delete(producerId)
    if (producers?.size === 0) remove(this.#pendingFor, key)
  }

  /** Also what is pending: a transaction that ends later does not bring back what was deleted meanwhile. */
  #remove(key: OffsetCommitKey): void {
    remove(this.#byGroup, key)
    const producers = this.#pendingFor.get(key.group)?.get(key.topic)?.get(key.partition)
    for (const producerId of producers ?? []) {
      const groups = this.#pending.get(producerId)!
      remove(groups, key)
      if (groups.size === 0) this.#pending.delete(producerId)
    }
    remove(this.#pendingFor, key)
  }
}

function put<T>(groups: Map<string, PerPartition<T>>, key: OffsetCommitKey, value: T): void {
  let topics = groups.get(key.group)
  if (topics === undefined) groups.set(key.group, (topics = new Map<string, Map<number, T>>()))
  let partitions = topics.get(key.topic)
  if (partitions === undefined) topics.set(key.topic, (partitions = new Map<number, T>()))
  partitions.set(key.partition, value)
}

function remove(groups: Map<string, PerPartition<unknown>>, { group, topic, partition }: OffsetCommitKey): void {
  const topics = groups.get(group)
  const partitions = topics?.get(topic)
  if (topics === undefined || partitions === undefined) return
  partitions.delete(partition)
  if (partitions.size === 0) topics.delete(topic)
  if (topics.size === 0) groups.delete(group)
}
