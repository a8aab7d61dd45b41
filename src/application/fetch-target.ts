/** What one fetch asks of one partition, whether the request named it or a fetch session remembered it (KIP-227). */
import type { Uuid } from '../domain/uuid.ts'
import type { ReadablePartition } from './partition.ts'

/** One partition as a fetch request carries it; negative epochs mean "not said". */
export interface FetchedPartitionRequest {
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: bigint
  readonly lastFetchedEpoch: number
  readonly partitionMaxBytes: number
}

/** Named by name (before version 13) or by id; the other of the two has its default. */
export interface FetchedTopicRequest {
  readonly topic: string
  readonly topicId: Uuid
  readonly partitions: readonly FetchedPartitionRequest[]
}

export interface ForgottenTopic {
  readonly topic: string
  readonly topicId: Uuid
  readonly partitions: readonly number[]
}

/** What was answered last and what to read next. Belongs to one request or to one session, which updates it. */
export class FetchTarget {
  /** '' while a topic id stands for no topic. */
  topic: string
  readonly topicId: Uuid
  readonly partition: number
  currentLeaderEpoch: number
  fetchOffset: bigint
  lastFetchedEpoch: number
  partitionMaxBytes: number
  /** The high watermark and log start offset that the session's client knows; -1 = none. */
  knownHighWatermark = -1n
  knownLogStartOffset = -1n
  /** The partition found last time, so that a session looks it up once. */
  found: ReadablePartition | null = null

  constructor(topic: string, topicId: Uuid, request: FetchedPartitionRequest) {
    this.topic = topic
    this.topicId = topicId
    this.partition = request.partition
    this.currentLeaderEpoch = request.currentLeaderEpoch
    this.fetchOffset = request.fetchOffset
    this.lastFetchedEpoch = request.lastFetchedEpoch
    this.partitionMaxBytes = request.partitionMaxBytes
  }

  update(request: FetchedPartitionRequest): void {
    this.currentLeaderEpoch = request.currentLeaderEpoch
    this.fetchOffset = request.fetchOffset
    this.lastFetchedEpoch = request.lastFetchedEpoch
    this.partitionMaxBytes = request.partitionMaxBytes
  }
}
