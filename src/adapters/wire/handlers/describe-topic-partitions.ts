import type {
  DescribedTopic,
  DescribeTopicPartitions,
} from '../../../application/use-cases/cluster/describe-topic-partitions.ts'
import { errorCode } from '../../../domain/errors.ts'
import { ZERO_UUID } from '../../../domain/uuid.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { describeTopicPartitions } from '../apis/75-describe-topic-partitions.ts'
import { clientAddress } from '../client-address.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof describeTopicPartitions>
type Response = ResponseOf<typeof describeTopicPartitions>

export function describeTopicPartitionsHandler(useCase: DescribeTopicPartitions): Handler<Request, Response> {
  return (request, { connection }) => {
    const result = useCase.execute({
      client: clientAddress(connection),
      topics: request.topics.map(({ name }) => name),
      responsePartitionLimit: request.responsePartitionLimit,
      cursor: request.cursor,
    })
    if ('refused' in result) {
      const code = errorCode(result.refused)
      return {
        throttleTimeMs: 0,
        topics: request.topics.map(({ name }) => ({
          errorCode: code,
          name,
          topicId: ZERO_UUID,
          isInternal: false,
          partitions: [],
        })),
      }
    }
    return { throttleTimeMs: 0, topics: result.topics.map(toTopic), nextCursor: result.next }
  }
}

function toTopic(topic: DescribedTopic): Response['topics'][number] {
  return {
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
      eligibleLeaderReplicas: partition.eligibleLeaderReplicas,
      lastKnownElr: partition.lastKnownElr,
      offlineReplicas: partition.offlineReplicas,
    })),
    topicAuthorizedOperations: topic.authorizedOperations,
  }
}
