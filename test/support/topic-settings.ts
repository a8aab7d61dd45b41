import type { DescribeMetadataSettings } from '../../src/application/use-cases/cluster/describe-metadata.ts'

/** What a single broker with Kafka's defaults has, and one replica for internal topics. */
export const topicSettings: DescribeMetadataSettings = {
  nodeId: 1,
  advertisedListeners: new Map(),
  autoCreateTopicsEnable: true,
  numPartitions: 1,
  defaultReplicationFactor: 1,
  offsetsTopicNumPartitions: 50,
  offsetsTopicReplicationFactor: 1,
  offsetsTopicSegmentBytes: 104857600,
  transactionStateLogNumPartitions: 50,
  transactionStateLogReplicationFactor: 1,
  transactionStateLogSegmentBytes: 104857600,
  transactionStateLogMinIsr: 1,
  shareCoordinatorStateTopicNumPartitions: 50,
  shareCoordinatorStateTopicReplicationFactor: 1,
  shareCoordinatorStateTopicSegmentBytes: 104857600,
  shareCoordinatorStateTopicMinIsr: 1,
}
