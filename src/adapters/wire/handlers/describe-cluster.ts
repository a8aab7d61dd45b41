import type { DescribeCluster, DescribeClusterResult } from '../../../application/use-cases/cluster/describe-cluster.ts'
import { BROKER_ENDPOINTS } from '../../../application/use-cases/cluster/describe-cluster.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { describeCluster } from '../apis/60-describe-cluster.ts'
import { clientAddress } from '../client-address.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof describeCluster>
type Response = ResponseOf<typeof describeCluster>

export function describeClusterHandler(useCase: DescribeCluster): Handler<Request, Response> {
  return (request, { connection }) =>
    toResponse(
      useCase.execute({
        client: clientAddress(connection),
        endpointType: request.endpointType,
        includeFencedBrokers: request.includeFencedBrokers,
        includeClusterAuthorizedOperations: request.includeClusterAuthorizedOperations,
      }),
    )
}

function toResponse(result: DescribeClusterResult): Response {
  if (result.error !== 'NONE') {
    return {
      throttleTimeMs: 0,
      errorCode: errorCode(result.error),
      errorMessage: result.message,
      endpointType: BROKER_ENDPOINTS,
      clusterId: '',
      brokers: [],
    }
  }
  return {
    throttleTimeMs: 0,
    errorCode: errorCode('NONE'),
    errorMessage: null,
    endpointType: BROKER_ENDPOINTS,
    clusterId: result.clusterId,
    controllerId: result.controllerId,
    brokers: result.brokers.map(({ id, endpoint, rack, fenced }) => ({
      brokerId: id,
      ...endpoint,
      rack,
      isFenced: fenced,
    })),
    clusterAuthorizedOperations: result.clusterAuthorizedOperations,
  }
}
