/**
 * Everything of one partition of `__consumer_offsets`: its groups, of whatever type, under their ids, and the offsets
 * that they have committed. Replaying the partition's log through `evolve` builds it.
 *
 * What a classic group does between its records (members joining, waiting, timing out) is not in the log: decisions
 * put the group's next state here with `place` when they are enacted.
 */
import { ClassicGroup } from './classic-group.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerGroupRecord } from './consumer-member.ts'
import type { Group } from './group.ts'
import type { GroupRecord } from './group-record.ts'

export class GroupShard {
  readonly offsets = new CommittedOffsets()
  readonly #groups = new Map<string, Group>()

  /** The group of this id, of whatever type, or null. */
  group(groupId: string): Group | null {
    return this.#groups.get(groupId) ?? null
  }

  /** The group if it is a classic one, or null. */
  classicGroup(groupId: string): ClassicGroup | null {
    const group = this.#groups.get(groupId)
    return group instanceof ClassicGroup ? group : null
  }

  /** The group if it is one of the consumer protocol, or null. */
  consumerGroup(groupId: string): ConsumerGroup | null {
    const group = this.#groups.get(groupId)
    return group instanceof ConsumerGroup ? group : null
  }

  groups(): Iterable<Group> {
    return this.#groups.values()
  }

  /** The state of a group from now on. */
  place(group: Group): void {
    this.#groups.set(group.groupId, group)
  }

  /** A record of the log, in its order. */
  evolve(record: GroupRecord, offset: bigint, producerId: bigint): void {
    switch (record.type) {
      case 'OffsetCommit': {
        const { key, value } = record
        // A consumer that commits without joining makes what Kafka calls a simple group.
        if (value !== null && !this.#groups.has(key.group)) this.place(ClassicGroup.empty(key.group, null))
        this.offsets.evolve(key, value, offset, producerId)
        return
      }
      case 'GroupMetadata': {
        const { key, value } = record
        if (value !== null) this.place(ClassicGroup.fromRecord(key.group, value))
        else if (this.classicGroup(key.group) !== null) this.#groups.delete(key.group)
        return
      }
      case 'ConsumerGroupMetadata':
      case 'ConsumerGroupMemberMetadata':
      case 'ConsumerGroupTargetAssignmentMetadata':
      case 'ConsumerGroupTargetAssignmentMember':
      case 'ConsumerGroupCurrentMemberAssignment':
      case 'ConsumerGroupRegularExpression':
        this.#evolveConsumerGroup(record)
        return
      default:
        // Kept in the log, not coordinated here.
        return
    }
  }

  #evolveConsumerGroup(record: ConsumerGroupRecord): void {
    const { groupId } = record.key
    const group = this.consumerGroup(groupId)
    if (record.type === 'ConsumerGroupMetadata' && record.value === null) {
      if (group !== null) this.#groups.delete(groupId)
    } else if (group !== null) {
      group.evolve(record)
    } else if (record.value !== null) {
      const begun = new ConsumerGroup(groupId)
      this.place(begun)
      begun.evolve(record)
    }
  }

  endTransaction(producerId: bigint, committed: boolean): void {
    this.offsets.endTransaction(producerId, committed)
  }
}
