import type {
  ConsumerGroupResult,
  DescribeConsumerGroups,
} from '../../../application/use-cases/groups/describe-consumer-groups.ts'
import { ALL_GROUP_OPERATIONS, OPERATIONS_NOT_ASKED } from '../../../domain/cluster/authorized-operations.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { DescribedConsumerMember } from '../../../domain/groups/consumer-group-description.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { consumerGroupDescribe } from '../apis/69-consumer-group-describe.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof consumerGroupDescribe>
type Response = ResponseOf<typeof consumerGroupDescribe>

/** KIP-1099: which protocol a member speaks. */
const CLASSIC_MEMBER = 0
const CONSUMER_MEMBER = 1

export function consumerGroupDescribeHandler(useCase: DescribeConsumerGroups): Handler<Request, Response> {
  return async ({ groupIds, includeAuthorizedOperations }) => {
    const groups = await useCase.execute(groupIds)
    const operations = includeAuthorizedOperations ? ALL_GROUP_OPERATIONS : OPERATIONS_NOT_ASKED
    return { throttleTimeMs: 0, groups: groups.map((group) => toGroup(group, operations)) }
  }
}

function toGroup({ groupId, error, message, group }: ConsumerGroupResult, authorizedOperations: number) {
  if (group === null) {
    return {
      errorCode: errorCode(error),
      errorMessage: message,
      groupId,
      groupState: '',
      groupEpoch: 0,
      assignmentEpoch: 0,
      assignorName: '',
      members: [],
      authorizedOperations: OPERATIONS_NOT_ASKED,
    }
  }
  const { members, ...fields } = group
  return { ...fields, errorCode: errorCode(error), groupId, members: members.map(toMember), authorizedOperations }
}

function toMember({ member, assignment, targetAssignment }: DescribedConsumerMember) {
  const { memberId, instanceId, rackId, memberEpoch, clientId, clientHost } = member
  const { subscribedTopicNames, subscribedTopicRegex, classicMemberMetadata } = member
  return {
    memberId,
    instanceId,
    rackId,
    memberEpoch,
    clientId,
    clientHost,
    subscribedTopicNames,
    subscribedTopicRegex,
    assignment: { topicPartitions: assignment },
    targetAssignment: { topicPartitions: targetAssignment },
    memberType: classicMemberMetadata === null ? CONSUMER_MEMBER : CLASSIC_MEMBER,
  }
}
