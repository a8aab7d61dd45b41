/**
 * What each API answers when its handler failed as a whole: the error in every place where a client looks for it.
 * null: the API has no place for it, and the connection is closed instead.
 */
import { ZERO_UUID } from '../../../domain/uuid.ts'
import type { ResponseOf } from '../api.ts'
import type { produce } from '../apis/00-produce.ts'
import type { fetch } from '../apis/01-fetch.ts'
import type { FailureResponses } from './served-apis.ts'

type ProduceResponse = ResponseOf<typeof produce>
type FetchResponse = ResponseOf<typeof fetch>

const throttleTimeMs = 0

export const errorResponses: FailureResponses = {
  Produce: ({ acks, topicData }, errorCode): ProduceResponse | null =>
    acks === 0
      ? null
      : {
          responses: topicData.map(({ name, topicId, partitionData }) => ({
            name,
            topicId,
            partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1n })),
          })),
          throttleTimeMs,
        },
  // Clients before v7 know errors of partitions only; later ones look at the top first.
  Fetch: ({ topics }, errorCode): FetchResponse => ({
    throttleTimeMs,
    errorCode,
    responses: topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition }) => ({
        partitionIndex: partition,
        errorCode,
        highWatermark: -1n,
        records: null,
      })),
    })),
  }),
  ListOffsets: ({ topics }, errorCode) => ({
    throttleTimeMs,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
  Metadata: ({ topics }, errorCode) => ({
    throttleTimeMs,
    brokers: [],
    topics: (topics ?? []).map(({ name, topicId }) => ({ errorCode, name: name ?? '', topicId, partitions: [] })),
    errorCode,
  }),
  OffsetCommit: ({ topics }, errorCode) => ({
    throttleTimeMs,
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
  // Clients before v2 know errors of partitions only, those from v8 on errors of groups.
  OffsetFetch: ({ topics, groups }, errorCode) => ({
    throttleTimeMs,
    errorCode,
    topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: -1n,
        metadata: '',
        errorCode,
      })),
    })),
    groups: groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })),
  }),
  FindCoordinator: ({ coordinatorKeys }, errorCode) =>
    coordinatorKeys.length === 0
      ? { throttleTimeMs, errorCode, errorMessage: null, nodeId: -1, host: '', port: -1 }
      : {
          throttleTimeMs,
          coordinators: coordinatorKeys.map((key) => ({
            key,
            nodeId: -1,
            host: '',
            port: -1,
            errorCode,
            errorMessage: null,
          })),
        },
  JoinGroup: ({ memberId }, errorCode) => ({
    throttleTimeMs,
    errorCode,
    protocolName: '',
    leader: '',
    memberId,
    members: [],
  }),
  Heartbeat: (_, errorCode) => ({ throttleTimeMs, errorCode }),
  LeaveGroup: (_, errorCode) => ({ throttleTimeMs, errorCode }),
  SyncGroup: (_, errorCode) => ({ throttleTimeMs, errorCode, assignment: new Uint8Array() }),
  DescribeGroups: ({ groups }, errorCode) => ({
    throttleTimeMs,
    groups: groups.map((groupId) => ({
      errorCode,
      groupId,
      groupState: '',
      protocolType: '',
      protocolData: '',
      members: [],
    })),
  }),
  ListGroups: (_, errorCode) => ({ throttleTimeMs, errorCode, groups: [] }),
  SaslHandshake: (_, errorCode) => ({ errorCode, mechanisms: [] }),
  ApiVersions: (_, errorCode) => ({ errorCode, apiKeys: [] }),
  CreateTopics: ({ topics }, errorCode) => ({
    throttleTimeMs,
    topics: topics.map(({ name }) => ({ name, errorCode, errorMessage: null })),
  }),
  DeleteTopics: ({ topics, topicNames }, errorCode) => ({
    throttleTimeMs,
    responses:
      topics.length > 0
        ? topics.map(({ name, topicId }) => ({ name, topicId, errorCode }))
        : topicNames.map((name) => ({ name, errorCode })),
  }),
  DeleteRecords: ({ topics }, errorCode) => ({
    throttleTimeMs,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1n, errorCode })),
    })),
  }),
  InitProducerId: (_, errorCode) => ({ throttleTimeMs, errorCode, producerEpoch: -1 }),
  OffsetForLeaderEpoch: ({ topics }, errorCode) => ({
    throttleTimeMs,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ errorCode, partition })),
    })),
  }),
  // One error for the whole of v4+, one for each partition before.
  AddPartitionsToTxn: ({ v3AndBelowTopics }, errorCode) => ({
    throttleTimeMs,
    errorCode,
    resultsByTopicV3AndBelow: v3AndBelowTopics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode: errorCode })),
    })),
  }),
  WriteTxnMarkers: ({ markers }, errorCode) => ({
    markers: markers.map(({ producerId, topics }) => ({
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
      })),
    })),
  }),
  TxnOffsetCommit: ({ topics }, errorCode) => ({
    throttleTimeMs,
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
  DescribeProducers: ({ topics }, errorCode) => ({
    throttleTimeMs,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode, activeProducers: [] })),
    })),
  }),
  AddOffsetsToTxn: (_, errorCode) => ({ throttleTimeMs, errorCode }),
  EndTxn: (_, errorCode) => ({ throttleTimeMs, errorCode }),
  DescribeConfigs: ({ resources }, errorCode) => ({
    throttleTimeMs,
    results: resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage: null,
      resourceType,
      resourceName,
      configs: [],
    })),
  }),
  AlterConfigs: ({ resources }, errorCode) => ({ throttleTimeMs, responses: alteredConfigs(resources, errorCode) }),
  AlterReplicaLogDirs: ({ dirs }, errorCode) => ({
    throttleTimeMs,
    results: dirs.flatMap(({ topics }) =>
      topics.map(({ name, partitions }) => ({
        topicName: name,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode })),
      })),
    ),
  }),
  DescribeLogDirs: (_, errorCode) => ({ throttleTimeMs, errorCode, results: [] }),
  SaslAuthenticate: (_, errorCode) => ({ errorCode, errorMessage: null, authBytes: new Uint8Array() }),
  CreatePartitions: ({ topics }, errorCode) => ({
    throttleTimeMs,
    results: topics.map(({ name }) => ({ name, errorCode })),
  }),
  DeleteGroups: ({ groupsNames }, errorCode) => ({
    throttleTimeMs,
    results: groupsNames.map((groupId) => ({ groupId, errorCode })),
  }),
  IncrementalAlterConfigs: ({ resources }, errorCode) => ({
    throttleTimeMs,
    responses: alteredConfigs(resources, errorCode),
  }),
  AlterPartitionReassignments: (_, errorCode) => ({ throttleTimeMs, errorCode, errorMessage: null, responses: [] }),
  ListPartitionReassignments: (_, errorCode) => ({ throttleTimeMs, errorCode, errorMessage: null, topics: [] }),
  OffsetDelete: (_, errorCode) => ({ throttleTimeMs, errorCode, topics: [] }),
  DescribeCluster: (_, errorCode) => ({ throttleTimeMs, errorCode, clusterId: '', brokers: [] }),
  DescribeTransactions: ({ transactionalIds }, errorCode) => ({
    throttleTimeMs,
    transactionStates: transactionalIds.map((transactionalId) => ({
      errorCode,
      transactionalId,
      transactionState: '',
      transactionTimeoutMs: 0,
      transactionStartTimeMs: 0n,
      producerId: 0n,
      producerEpoch: 0,
      topics: [],
    })),
  }),
  ListTransactions: (_, errorCode) => ({ throttleTimeMs, errorCode, unknownStateFilters: [], transactionStates: [] }),
  ConsumerGroupHeartbeat: (_, errorCode) => ({ throttleTimeMs, errorCode, memberEpoch: 0, heartbeatIntervalMs: 0 }),
  ConsumerGroupDescribe: ({ groupIds }, errorCode) => ({
    throttleTimeMs,
    groups: groupIds.map((groupId) => ({
      errorCode,
      groupId,
      groupState: '',
      groupEpoch: 0,
      assignmentEpoch: 0,
      assignorName: '',
      members: [],
    })),
  }),
  ListConfigResources: (_, errorCode) => ({ throttleTimeMs, errorCode, configResources: [] }),
  DescribeTopicPartitions: ({ topics }, errorCode) => ({
    throttleTimeMs,
    topics: topics.map(({ name }) => ({
      errorCode,
      name,
      topicId: ZERO_UUID,
      isInternal: false,
      partitions: [],
    })),
  }),
}

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

function alteredConfigs(resources: readonly Resource[], errorCode: number) {
  return resources.map(({ resourceType, resourceName }) => ({
    errorCode,
    errorMessage: null,
    resourceType,
    resourceName,
  }))
}
