/**
 * Metadata (key 3): brokers, the controller, and the topics with their partitions and leaders.
 *
 *  v0  an empty list of topics asks for all of them
 *  v1  null asks for all topics and an empty list for none; racks, the controller, isInternal
 *  v2  clusterId
 *  v3  throttleTimeMs
 *  v4  the client says whether asking creates topics
 *  v5  offline replicas (KIP-112)
 *  v6  quota delays are slept by the client: the response leaves before the throttle (KIP-219)
 *  v7  leader epochs (KIP-320)
 *  v8  authorized operations, when asked for (KIP-430)
 *  v9  flexible
 *  v10 topic ids in both directions (KIP-516); a topic cannot yet be asked by id
 *  v11 the operations on the cluster moved to DescribeCluster (KIP-700)
 *  v12 a topic may be asked by its id alone
 *  v13 an errorCode for the whole response: REBOOTSTRAP_REQUIRED (KIP-1102)
 */
import { array, bool, int16, int32, string, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

/** Before this version an empty list of topics asks for all of them, and unreachable replicas are left out. */
export const EMPTY_IS_NONE_SINCE = 1
/** From this version on LISTENER_NOT_FOUND may be answered. */
export const LISTENER_NOT_FOUND_SINCE = 6
/** From this version on a topic may be asked by its id alone (KIP-516). */
export const BY_ID_SINCE = 12

export const metadata = api({
  key: 3,
  name: 'Metadata',
  versions: '0-13',
  flexible: '9+',
  request: {
    topics: array(
      { nullable: '1+' },
      {
        topicId: uuid('10+', { ignorable: true }),
        name: string({ nullable: '10+' }),
      },
    ),
    allowAutoTopicCreation: bool('4+', { default: true }),
    includeClusterAuthorizedOperations: bool('8-10'),
    includeTopicAuthorizedOperations: bool('8+'),
  },
  response: {
    throttleTimeMs: int32('3+', { ignorable: true }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string('1+', { nullable: true, default: null, ignorable: true }),
    }),
    clusterId: string('2+', { nullable: true, default: null, ignorable: true }),
    controllerId: int32('1+', { default: -1, ignorable: true }),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: '12+' }),
      topicId: uuid('10+', { ignorable: true }),
      isInternal: bool('1+', { ignorable: true }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32('7+', { default: -1, ignorable: true }),
        replicaNodes: array('int32'),
        isrNodes: array('int32'),
        offlineReplicas: array('5+', { ignorable: true }, 'int32'),
      }),
      topicAuthorizedOperations: int32('8+', { default: -2147483648 }),
    }),
    clusterAuthorizedOperations: int32('8-10', { default: -2147483648 }),
    errorCode: int16('13+', { ignorable: true }),
  },
})
