import type {
  DescribeMetadata,
  DescribeMetadataCommand,
  DescribeMetadataResult,
} from '../../../application/use-cases/cluster/describe-metadata.ts'
import { errorCode } from '../../../domain/errors.ts'
import { ZERO_UUID } from '../../../domain/uuid.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { EMPTY_IS_NONE_SINCE, LISTENER_NOT_FOUND_SINCE, BY_ID_SINCE, type metadata } from '../apis/03-metadata.ts'
import { clientAddress } from '../client-address.ts'
import type { Handler, RequestContext } from '../handler.ts'

type Request = RequestOf<typeof metadata>
type Response = ResponseOf<typeof metadata>

export function metadataHandler(useCase: DescribeMetadata): Handler<Request, Response> {
  return async (request, context) => {
    const topics = askedTopics(request, context.apiVersion)
    return topics === null ? refused(request) : toResponse(await useCase.execute(toCommand(request, context, topics)))
  }
}

/** null = the request contradicts itself: ids before they could be used, or neither an id nor a name. */
function askedTopics({ topics }: Request, version: number): DescribeMetadataCommand['topics'] | null {
  if (topics === null || (version < EMPTY_IS_NONE_SINCE && topics.length === 0)) return 'all'
  const ids = topics.map(({ topicId }) => topicId).filter((id) => id !== ZERO_UUID)
  if (ids.length > 0 && version >= BY_ID_SINCE) return { ids } // Names beside ids are not looked at (observed on 4.3.1).
  const names: string[] = []
  for (const { name, topicId } of topics) {
    if (name === null || topicId !== ZERO_UUID) return null
    names.push(name)
  }
  return { names }
}

function toCommand(
  request: Request,
  { apiVersion, connection }: RequestContext,
  topics: DescribeMetadataCommand['topics'],
): DescribeMetadataCommand {
  return {
    client: clientAddress(connection),
    topics,
    allowAutoTopicCreation: request.allowAutoTopicCreation,
    includeTopicAuthorizedOperations: request.includeTopicAuthorizedOperations,
    includeClusterAuthorizedOperations: request.includeClusterAuthorizedOperations,
    rules: {
      hideUnreachableReplicas: apiVersion < EMPTY_IS_NONE_SINCE,
      leaderNotOnListener: apiVersion >= LISTENER_NOT_FOUND_SINCE ? 'LISTENER_NOT_FOUND' : 'LEADER_NOT_AVAILABLE',
    },
  }
}

function toResponse(result: DescribeMetadataResult): Response {
  return {
    brokers: result.brokers.map(({ id, endpoint, rack }) => ({ nodeId: id, ...endpoint, rack })),
    clusterId: result.clusterId,
    controllerId: result.controllerId,
    topics: result.topics.map((topic) => ({
      errorCode: errorCode(topic.error),
      name: topic.name,
      topicId: topic.topicId,
      isInternal: topic.isInternal,
      partitions: topic.partitions.map((partition) => ({
        errorCode: errorCode(partition.error),
        partitionIndex: partition.partitionId,
        leaderId: partition.leader,
        leaderEpoch: partition.leaderEpoch,
        replicaNodes: partition.replicas,
        isrNodes: partition.isr,
        offlineReplicas: partition.offlineReplicas,
      })),
      topicAuthorizedOperations: topic.authorizedOperations,
    })),
    clusterAuthorizedOperations: result.clusterAuthorizedOperations,
    errorCode: errorCode('NONE'),
  }
}

/** Kafka answers UNKNOWN_SERVER_ERROR where a name is null in a version that knows ids; otherwise exactly this. */
function refused({ topics }: Request): Response {
  const code = errorCode('INVALID_REQUEST')
  return {
    brokers: [],
    clusterId: null,
    controllerId: -1,
    topics: (topics ?? []).map(({ name, topicId }) => ({
      errorCode: code,
      name: name ?? '',
      topicId,
      isInternal: false,
      partitions: [],
    })),
    errorCode: code,
  }
}
