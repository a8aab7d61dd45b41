/**
 * StreamsGroupHeartbeat (key 88): a member of a streams group joins, stays, reconciles or leaves (KIP-1071).
 *
 *  v1  the lag that makes a standby ready is an int64; the broker asks for the description of the topology
 */
import { array, bool, int16, int32, int64, int8, string, struct, uint16 } from '../../codec/schema.ts'
import { api } from '../api.ts'

const keyValue = {
  key: string(),
  value: string(),
}

const topicInfo = {
  name: string(),
  partitions: int32(),
  replicationFactor: int16(),
  topicConfigs: array(keyValue),
}

const endpoint = {
  host: string(),
  port: uint16(),
}

const taskOffset = {
  subtopologyId: string(),
  partition: int32(),
  offset: int64(),
}

const taskIds = {
  subtopologyId: string(),
  partitions: array('int32'),
}

const status = {
  statusCode: int8(),
  statusDetail: string(),
}

const topicPartition = {
  topic: string(),
  partitions: array('int32'),
}

export const streamsGroupHeartbeat = api({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    endpointInformationEpoch: int32(),
    instanceId: string({ nullable: true, default: null }),
    rackId: string({ nullable: true, default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    topology: struct(
      { nullable: true, default: null },
      {
        epoch: int32(),
        subtopologies: array({
          subtopologyId: string(),
          sourceTopics: array('string'),
          sourceTopicRegex: array('string'),
          stateChangelogTopics: array(topicInfo),
          repartitionSinkTopics: array('string'),
          repartitionSourceTopics: array(topicInfo),
          copartitionGroups: array({
            sourceTopics: array('int16'),
            sourceTopicRegex: array('int16'),
            repartitionSourceTopics: array('int16'),
          }),
        }),
      },
    ),
    activeTasks: array({ nullable: true, default: null }, taskIds),
    standbyTasks: array({ nullable: true, default: null }, taskIds),
    warmupTasks: array({ nullable: true, default: null }, taskIds),
    processId: string({ nullable: true, default: null }),
    userEndpoint: struct({ nullable: true, default: null }, endpoint),
    clientTags: array({ nullable: true, default: null }, keyValue),
    taskOffsets: array({ nullable: true, default: null }, taskOffset),
    taskEndOffsets: array({ nullable: true, default: null }, taskOffset),
    shutdownApplication: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    memberId: string(),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    acceptableRecoveryLagLegacy: int32('0'),
    taskOffsetIntervalMs: int32(),
    acceptableRecoveryLag: int64('1+', { default: -1n, ignorable: true }),
    status: array({ nullable: true }, status),
    activeTasks: array({ nullable: true, default: null }, taskIds),
    standbyTasks: array({ nullable: true, default: null }, taskIds),
    warmupTasks: array({ nullable: true, default: null }, taskIds),
    topologyDescriptionRequired: bool('1+'),
    endpointInformationEpoch: int32(),
    partitionsByUserEndpoint: array(
      { nullable: true, default: null },
      {
        userEndpoint: struct(endpoint),
        activePartitions: array(topicPartition),
        standbyPartitions: array(topicPartition),
      },
    ),
  },
})
