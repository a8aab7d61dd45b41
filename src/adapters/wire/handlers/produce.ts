/**
 * Produce, versions 3 to 13. acks=0 is never answered: it is silent when all went well, and closes the connection when
 * anything failed, because the client has no other way to notice.
 */
import type { AppendResult } from '../../../application/append-result.ts'
import type {
  ProduceCommand,
  ProducedTopic,
  ProduceRecords,
} from '../../../application/use-cases/records/produce-records.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { BY_ID_SINCE, ZSTD_SINCE, ABORTABLE_SINCE, ADDS_PARTITIONS_SINCE, type produce } from '../apis/00-produce.ts'
import { CLOSE_CONNECTION, NO_RESPONSE, type Handler, type RequestContext } from '../handler.ts'

type Request = RequestOf<typeof produce>
type Response = ResponseOf<typeof produce>

type RecordErrors = Response['responses'][number]['partitionResponses'][number]['recordErrors']

const noErrors: RecordErrors = []
const noLeader = { leaderId: -1, leaderEpoch: -1 }

export function produceHandler(produceRecords: ProduceRecords): Handler<Request, Response> {
  return async (request, context) => {
    const produced = await produceRecords.execute(toCommand(request, context))
    if (request.acks === 0) return anyFailed(produced) ? CLOSE_CONNECTION : NO_RESPONSE
    return toResponse(produced)
  }
}

function toCommand(request: Request, context: RequestContext): ProduceCommand {
  return {
    acks: request.acks,
    byId: context.apiVersion >= BY_ID_SINCE,
    zstd: context.apiVersion >= ZSTD_SINCE,
    clientId: context.clientId,
    transactionalId: request.transactionalId,
    addsPartitions: context.apiVersion >= ADDS_PARTITIONS_SINCE,
    knowsAbortable: context.apiVersion >= ABORTABLE_SINCE,
    lease: context.lease,
    topics: request.topicData.map(({ name, topicId, partitionData }) => ({ name, topicId, partitions: partitionData })),
  }
}

function anyFailed(produced: readonly ProducedTopic[]): boolean {
  return produced.some((topic) => topic.partitions.some((partition) => partition.result.error !== 'NONE'))
}

function recordErrors(problems: AppendResult['recordProblems']): RecordErrors {
  return problems.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message }))
}

function toResponse(produced: readonly ProducedTopic[]): Response {
  return {
    responses: produced.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitionResponses: partitions.map(({ index, result }) => ({
        index,
        errorCode: errorCode(result.error),
        baseOffset: result.baseOffset,
        logAppendTimeMs: result.logAppendTimeMs,
        logStartOffset: result.logStartOffset,
        recordErrors: result.recordProblems.length === 0 ? noErrors : recordErrors(result.recordProblems),
        errorMessage: result.message,
        currentLeader: noLeader,
      })),
    })),
    throttleTimeMs: 0,
    nodeEndpoints: [],
  }
}
