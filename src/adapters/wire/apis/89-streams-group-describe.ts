/**
 * StreamsGroupDescribe (key 89): state, topology and members of streams groups (KIP-1071).
 *
 *  v1  the described topology, when asked for, and the name of the assignor
 */
import { array, bool, int16, int32, int64, int8, string, struct, uint16 } from '../../codec/schema.ts'
import { api } from '../api.ts'

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

const assignment = {
  activeTasks: array(taskIds),
  standbyTasks: array(taskIds),
  warmupTasks: array(taskIds),
}

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

const topologyDescriptionNode = {
  name: string(),
  nodeType: int8(),
  sourceTopics: array('string'),
  sinkTopic: string({ nullable: true, default: null }),
  stores: array('string'),
  successors: array('string'),
}

const topologyDescriptionSubtopology = {
  subtopologyId: string(),
  nodes: array(topologyDescriptionNode),
}

const topologyDescriptionGlobalStore = {
  source: struct(topologyDescriptionNode),
  processor: struct(topologyDescriptionNode),
}

const topologyDescription = {
  subtopologies: array(topologyDescriptionSubtopology),
  globalStores: array(topologyDescriptionGlobalStore),
}

export const streamsGroupDescribe = api({
  key: 89,
  name: 'StreamsGroupDescribe',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupIds: array('string'),
    includeAuthorizedOperations: bool(),
    includeTopologyDescription: bool('1+'),
  },
  response: {
    throttleTimeMs: int32(),
    groups: array({
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
      groupId: string(),
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      topology: struct(
        { nullable: true, default: null },
        {
          epoch: int32(),
          subtopologies: array(
            { nullable: true, default: null },
            {
              subtopologyId: string(),
              sourceTopics: array('string'),
              repartitionSinkTopics: array('string'),
              stateChangelogTopics: array(topicInfo),
              repartitionSourceTopics: array(topicInfo),
            },
          ),
        },
      ),
      members: array({
        memberId: string(),
        memberEpoch: int32(),
        instanceId: string({ nullable: true, default: null }),
        rackId: string({ nullable: true, default: null }),
        clientId: string(),
        clientHost: string(),
        topologyEpoch: int32(),
        processId: string(),
        userEndpoint: struct({ nullable: true, default: null }, endpoint),
        clientTags: array(keyValue),
        taskOffsets: array(taskOffset),
        taskEndOffsets: array(taskOffset),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        isClassic: bool(),
      }),
      authorizedOperations: int32({ default: -2147483648 }),
      topologyDescription: struct('1+', { nullable: true, default: null }, topologyDescription),
      topologyDescriptionStatus: int8('1+'),
      assignorName: string('1+', { nullable: true, default: null, ignorable: true }),
    }),
  },
})
