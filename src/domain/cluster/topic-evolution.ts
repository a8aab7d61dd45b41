/**
 * How records change topics and partitions. Kafka's rules (`PartitionRegistration`, 4.4): every PartitionChangeRecord
 * raises the partition epoch; one that names a leader, even the same one, raises the leader epoch too.
 */
import type { Uuid } from '../uuid.ts'
import type { PartitionImage, TopicImage } from './cluster-image.ts'
import { CopyOnWriteMap } from './copy-on-write-map.ts'
import { MIGRATING_DIRECTORY, UNASSIGNED_DIRECTORY } from './directory-id.ts'
import { InvalidMetadataRecord } from './invalid-metadata-record.ts'
import type { PartitionChangeRecord, PartitionRecord } from './metadata-record.ts'

/** PartitionChangeRecord.leader: the leader stays. */
export const NO_LEADER_CHANGE = -2
export const RECOVERY_STATE_STAYS = -1

interface TopicDraft {
  readonly name: string
  readonly id: Uuid
  readonly partitions: PartitionImage[]
}

export class TopicsBuilder {
  readonly #byId: CopyOnWriteMap<Uuid, TopicImage>
  readonly #byName: CopyOnWriteMap<string, TopicImage>
  /** Topics changed since the last freeze, with an array of partitions of their own. */
  readonly #drafts = new Map<Uuid, TopicDraft>()

  constructor(byId: ReadonlyMap<Uuid, TopicImage>, byName: ReadonlyMap<string, TopicImage>) {
    this.#byId = new CopyOnWriteMap(byId)
    this.#byName = new CopyOnWriteMap(byName)
  }

  addTopic(name: string, id: Uuid): void {
    const other = this.#byName.get(name)
    if (other !== undefined && other.id !== id) {
      throw new InvalidMetadataRecord(`topic ${name} is created with id ${id} while it exists with id ${other.id}`)
    }
    if (this.#byId.get(id) !== undefined) {
      throw new InvalidMetadataRecord(`topic id ${id} of ${name} is in use`)
    }
    const draft = { name, id, partitions: [] }
    this.#drafts.set(id, draft)
    this.#byId.set(id, draft)
    this.#byName.set(name, draft)
  }

  /** Answers the name of the topic that went. */
  removeTopic(id: Uuid): string {
    const topic = this.#byId.get(id)
    if (topic === undefined) throw new InvalidMetadataRecord(`unknown topic id ${id} is removed`)
    this.#drafts.delete(id)
    this.#byId.delete(id)
    this.#byName.delete(topic.name)
    return topic.name
  }

  putPartition(record: PartitionRecord): void {
    if (record.partitionId < 0) throw new InvalidMetadataRecord(`partition id ${record.partitionId} is negative`)
    this.#draft(record.topicId).partitions[record.partitionId] = toPartition(record)
  }

  changePartition(record: PartitionChangeRecord): void {
    const { name, partitions } = this.#draft(record.topicId)
    const partition = partitions[record.partitionId]
    if (partition === undefined) {
      throw new InvalidMetadataRecord(`unknown partition ${name}-${record.partitionId} is changed`)
    }
    partitions[record.partitionId] = changed(partition, record)
  }

  /** Of one topic, or of all when the name is empty. */
  clearElr(topicName: string): void {
    if (topicName !== '') {
      const topic = this.#byName.get(topicName)
      if (topic === undefined) throw new InvalidMetadataRecord(`ELR of unknown topic ${topicName} is cleared`)
      this.#clearElrOf(topic)
      return
    }
    for (const id of this.#byId.keys()) this.#clearElrOf(this.#byId.get(id)!)
  }

  freeze(): { readonly byId: ReadonlyMap<Uuid, TopicImage>; readonly byName: ReadonlyMap<string, TopicImage> } {
    for (const { name, id, partitions } of this.#drafts.values()) {
      for (let partition = 0; partition < partitions.length; partition++) {
        if (partitions[partition] === undefined) {
          throw new InvalidMetadataRecord(`partition ${name}-${partition} is missing among ${partitions.length}`)
        }
      }
      const topic = { name, id, partitions }
      this.#byId.set(id, topic)
      this.#byName.set(name, topic)
    }
    this.#drafts.clear()
    return { byId: this.#byId.freeze(), byName: this.#byName.freeze() }
  }

  #draft(id: Uuid): TopicDraft {
    let draft = this.#drafts.get(id)
    if (draft === undefined) {
      const topic = this.#byId.get(id)
      if (topic === undefined) throw new InvalidMetadataRecord(`a partition of unknown topic id ${id} is changed`)
      draft = { name: topic.name, id, partitions: [...topic.partitions] }
      this.#drafts.set(id, draft)
    }
    return draft
  }

  #clearElrOf(topic: TopicImage): void {
    const partitions = (this.#drafts.get(topic.id) ?? topic).partitions
    partitions.forEach((partition, index) => {
      if (partition.eligibleLeaderReplicas.length === 0 && partition.lastKnownElr.length === 0) return
      this.#draft(topic.id).partitions[index] = {
        ...partition,
        eligibleLeaderReplicas: [],
        lastKnownElr: [],
        partitionEpoch: partition.partitionEpoch + 1,
      }
    })
  }
}

function toPartition(record: PartitionRecord): PartitionImage {
  return {
    partitionId: record.partitionId,
    replicas: record.replicas,
    isr: record.isr,
    removingReplicas: record.removingReplicas,
    addingReplicas: record.addingReplicas,
    directories: record.directories.length > 0 ? record.directories : record.replicas.map(() => MIGRATING_DIRECTORY),
    eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? [],
    lastKnownElr: record.lastKnownElr ?? [],
    leader: record.leader,
    leaderRecoveryState: record.leaderRecoveryState,
    leaderEpoch: record.leaderEpoch,
    partitionEpoch: record.partitionEpoch,
  }
}

function changed(partition: PartitionImage, record: PartitionChangeRecord): PartitionImage {
  const leads = record.leader !== NO_LEADER_CHANGE
  const replicas = record.replicas ?? partition.replicas
  return {
    partitionId: partition.partitionId,
    replicas,
    isr: record.isr ?? partition.isr,
    removingReplicas: record.removingReplicas ?? partition.removingReplicas,
    addingReplicas: record.addingReplicas ?? partition.addingReplicas,
    directories: record.directories ?? directoriesFor(replicas, partition),
    eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? partition.eligibleLeaderReplicas,
    lastKnownElr: record.lastKnownElr ?? partition.lastKnownElr,
    leader: leads ? record.leader : partition.leader,
    leaderRecoveryState:
      record.leaderRecoveryState === RECOVERY_STATE_STAYS ? partition.leaderRecoveryState : record.leaderRecoveryState,
    leaderEpoch: leads ? partition.leaderEpoch + 1 : partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch + 1,
  }
}

/** A replica that stays keeps its directory, a new one has none yet. */
function directoriesFor(replicas: readonly number[], before: PartitionImage): readonly Uuid[] {
  if (replicas === before.replicas) return before.directories
  return replicas.map((replica) => before.directories[before.replicas.indexOf(replica)] ?? UNASSIGNED_DIRECTORY)
}

/** A change of nothing, to be spread under what does change. */
export function unchangedPartition(topicId: Uuid, partitionId: number): PartitionChangeRecord {
  return {
    type: 'PartitionChangeRecord',
    partitionId,
    topicId,
    isr: null,
    leader: NO_LEADER_CHANGE,
    replicas: null,
    removingReplicas: null,
    addingReplicas: null,
    leaderRecoveryState: RECOVERY_STATE_STAYS,
    directories: null,
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  }
}
