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
type GroupOffsets = Map<string, Map<number, CommittedOffset>>

const noOffsets: ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> = new Map()

export class CommittedOffsets {
  readonly #byGroup = new Map<string, GroupOffsets>()
  /** By producer id, then as above. Seldom more than a few: looked through as they are. */
  readonly #pending = new Map<bigint, Map<string, GroupOffsets>>()

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
    for (const groups of this.#pending.values()) {
      if (groups.get(group)?.get(topic)?.has(partition) === true) return true
    }
    return false
  }

  /** Everything that transactions have committed for a group without having ended. */
  *pendingOf(group: string): Generator<OffsetCommitKey> {
    for (const groups of this.#pending.values()) yield* keysOf(group, groups.get(group))
  }

  hasPending(group: string): boolean {
    for (const groups of this.#pending.values()) if (groups.has(group)) return true
    return false
  }

  /** Each group and partition of a topic that an offset is committed for, pending ones included. */
  *ofTopic(topic: string): Generator<OffsetCommitKey> {
    for (const groups of [this.#byGroup, ...this.#pending.values()]) {
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
    put(producerId < 0n ? this.#byGroup : this.#pendingBy(producerId), key, { ...value, recordOffset })
  }

  endTransaction(producerId: bigint, committed: boolean): void {
    const groups = this.#pending.get(producerId)
    this.#pending.delete(producerId)
    if (groups === undefined || !committed) return
    for (const [group, topics] of groups) {
      for (const [topic, partitions] of topics) {
        for (const [partition, offset] of partitions) {
          const before = this.get(group, topic, partition)
          if (before === null || offset.recordOffset > before.recordOffset) {
            put(this.#byGroup, { group, topic, partition }, offset)
          }
        }
      }
    }
  }

  #pendingBy(producerId: bigint): Map<string, GroupOffsets> {
    let groups = this.#pending.get(producerId)
    if (groups === undefined) this.#pending.set(producerId, (groups = new Map<string, GroupOffsets>()))
    return groups
  }

  /** Also what is pending: a transaction that ends later does not bring back what was deleted meanwhile. */
  #remove(key: OffsetCommitKey): void {
    remove(this.#byGroup, key)
    for (const [producerId, groups] of this.#pending) {
      remove(groups, key)
      if (groups.size === 0) this.#pending.delete(producerId)
    }
  }
}

function put(groups: Map<string, GroupOffsets>, key: OffsetCommitKey, offset: CommittedOffset): void {
  let topics = groups.get(key.group)
  if (topics === undefined) groups.set(key.group, (topics = new Map<string, Map<number, CommittedOffset>>()))
  let partitions = topics.get(key.topic)
  if (partitions === undefined) topics.set(key.topic, (partitions = new Map<number, CommittedOffset>()))
  partitions.set(key.partition, offset)
}

function remove(groups: Map<string, GroupOffsets>, { group, topic, partition }: OffsetCommitKey): void {
  const topics = groups.get(group)
  const partitions = topics?.get(topic)
  if (topics === undefined || partitions === undefined) return
  partitions.delete(partition)
  if (partitions.size === 0) topics.delete(topic)
  if (topics.size === 0) groups.delete(group)
}

function* keysOf(group: string, topics: GroupOffsets | undefined): Generator<OffsetCommitKey> {
  for (const [topic, partitions] of topics ?? []) {
    for (const partition of partitions.keys()) yield { group, topic, partition }
  }
}
