import type {
  DescribeGroups,
  DescribedClassicGroup,
  UndescribedGroup,
} from '../../../application/use-cases/groups/describe-groups.ts'
import { ALL_GROUP_OPERATIONS, OPERATIONS_NOT_ASKED } from '../../../domain/cluster/authorized-operations.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { UNKNOWN_IS_ERROR_SINCE, type describeGroups } from '../apis/15-describe-groups.ts'
import type { Handler } from '../handler.ts'

export function describeGroupsHandler(
  useCase: DescribeGroups,
): Handler<RequestOf<typeof describeGroups>, ResponseOf<typeof describeGroups>> {
  return async ({ groups, includeAuthorizedOperations }, { apiVersion }) => {
    const described = await useCase.execute(groups)
    const operations = includeAuthorizedOperations ? ALL_GROUP_OPERATIONS : OPERATIONS_NOT_ASKED
    return {
      throttleTimeMs: 0,
      groups: described.map((group) =>
        group.error === null
          ? toGroup(group, operations)
          : toDead(group, apiVersion < UNKNOWN_IS_ERROR_SINCE, operations),
      ),
    }
  }
}

function toGroup(group: DescribedClassicGroup, authorizedOperations: number) {
  return {
    errorCode: 0,
    errorMessage: null,
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType,
    protocolData: group.protocol,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: member.metadata,
      memberAssignment: member.assignment,
    })),
    authorizedOperations,
  }
}

function toDead({ groupId, error, message }: UndescribedGroup, isPlain: boolean, operations: number) {
  const isUnknown = error === 'GROUP_ID_NOT_FOUND'
  const isError = !isUnknown || !isPlain
  return {
    errorCode: isError ? errorCode(error) : 0,
    ...(isPlain ? {} : { errorMessage: message }),
    groupId,
    groupState: isUnknown ? 'Dead' : '',
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: isError ? OPERATIONS_NOT_ASKED : operations,
  }
}
