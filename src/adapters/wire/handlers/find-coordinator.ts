import type {
  Coordinator,
  CoordinatorType,
  FindCoordinator,
} from '../../../application/use-cases/cluster/find-coordinator.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { BATCHED_SINCE, SHARE_SINCE, type findCoordinator } from '../apis/10-find-coordinator.ts'
import { clientAddress } from '../client-address.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof findCoordinator>
type Response = ResponseOf<typeof findCoordinator>

/** Kafka's own texts, which answers for a single key carry whether there is an error or not. */
const messages = {
  NONE: 'NONE',
  INVALID_REQUEST:
    'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.',
  COORDINATOR_NOT_AVAILABLE: 'The coordinator is not available.',
}

export function findCoordinatorHandler(useCase: FindCoordinator): Handler<Request, Response> {
  return async (request, { apiVersion, connection }) => {
    const batched = apiVersion >= BATCHED_SINCE
    const keys = batched ? request.coordinatorKeys : [request.key]
    const type = coordinatorType(request.keyType)
    const known = type !== null && (type !== 'share' || apiVersion >= SHARE_SINCE)
    const answers = known
      ? await useCase.execute({ client: clientAddress(connection), type, keys })
      : keys.map((key) => ({ key, error: 'INVALID_REQUEST' as const }))
    if (!batched) {
      const [answer] = answers
      return { ...toFields(answer!), errorMessage: messages[answer!.error] }
    }
    // Batched answers explain only a key type that does not exist at all.
    const errorMessage = type === null ? messages.INVALID_REQUEST : ''
    return { coordinators: answers.map((answer) => ({ key: answer.key, ...toFields(answer), errorMessage })) }
  }
}

function coordinatorType(code: number): CoordinatorType | null {
  const types: readonly CoordinatorType[] = ['group', 'transaction', 'share']
  return types[code] ?? null
}

function toFields(answer: Coordinator) {
  const code = errorCode(answer.error)
  return answer.error === 'NONE'
    ? { errorCode: code, nodeId: answer.nodeId, ...answer.endpoint }
    : { errorCode: code, nodeId: -1, host: '', port: -1 }
}
