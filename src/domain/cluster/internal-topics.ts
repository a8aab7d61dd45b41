/**
 * The topics that Kafka keeps its own state in: their names and how they are made when they are missing.
 *
 * A client that creates one by hand gets what it asks for; these settings apply where the broker itself creates it.
 */

export const CONSUMER_OFFSETS_TOPIC = '__consumer_offsets'
export const TRANSACTION_STATE_TOPIC = '__transaction_state'
export const SHARE_GROUP_STATE_TOPIC = '__share_group_state'

const internalTopics: ReadonlySet<string> = new Set([
  CONSUMER_OFFSETS_TOPIC,
  TRANSACTION_STATE_TOPIC,
  SHARE_GROUP_STATE_TOPIC,
])

/** What `isInternal` says in answers: it goes by the name, whether the topic exists or not. */
export function isInternalTopic(name: string): boolean {
  return internalTopics.has(name)
}

/** The broker configs of the same names. */
export interface InternalTopicSettings {
  readonly offsetsTopicNumPartitions: number
  readonly offsetsTopicReplicationFactor: number
  readonly offsetsTopicSegmentBytes: number
  readonly transactionStateLogNumPartitions: number
  readonly transactionStateLogReplicationFactor: number
  readonly transactionStateLogSegmentBytes: number
  readonly transactionStateLogMinIsr: number
  readonly shareCoordinatorStateTopicNumPartitions: number
  readonly shareCoordinatorStateTopicReplicationFactor: number
  readonly shareCoordinatorStateTopicSegmentBytes: number
  readonly shareCoordinatorStateTopicMinIsr: number
}

export interface InternalTopicSpec {
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configs: readonly (readonly [name: string, value: string])[]
}

/** How the broker creates an internal topic, or null for a name that is not internal. Observed on 4.3.1 and 4.4.0. */
export function internalTopicSpec(name: string, settings: InternalTopicSettings): InternalTopicSpec | null {
  switch (name) {
    case CONSUMER_OFFSETS_TOPIC:
      return {
        numPartitions: settings.offsetsTopicNumPartitions,
        replicationFactor: settings.offsetsTopicReplicationFactor,
        configs: [
          ['compression.type', 'producer'],
          ['cleanup.policy', 'compact'],
          ['segment.bytes', String(settings.offsetsTopicSegmentBytes)],
        ],
      }
    case TRANSACTION_STATE_TOPIC:
      return {
        numPartitions: settings.transactionStateLogNumPartitions,
        replicationFactor: settings.transactionStateLogReplicationFactor,
        configs: [
          ['compression.type', 'uncompressed'],
          ['cleanup.policy', 'compact'],
          ['min.insync.replicas', String(settings.transactionStateLogMinIsr)],
          ['segment.bytes', String(settings.transactionStateLogSegmentBytes)],
          ['unclean.leader.election.enable', 'false'],
        ],
      }
    case SHARE_GROUP_STATE_TOPIC:
      return {
        numPartitions: settings.shareCoordinatorStateTopicNumPartitions,
        replicationFactor: settings.shareCoordinatorStateTopicReplicationFactor,
        configs: [
          ['compression.type', 'producer'],
          ['cleanup.policy', 'delete'],
          ['min.insync.replicas', String(settings.shareCoordinatorStateTopicMinIsr)],
          ['segment.bytes', String(settings.shareCoordinatorStateTopicSegmentBytes)],
          ['retention.ms', '-1'],
        ],
      }
    default:
      return null
  }
}
