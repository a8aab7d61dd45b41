/** Fetch, versions 4 to 18. The records go out as the chunks that the log has them in; they are released once sent. */
import type { FetchCommand, FetchRecords, FetchResult } from '../../../application/use-cases/records/fetch-records.ts'
import type { FetchedPartition } from '../../../application/use-cases/records/fetched-partition.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { BY_ID_SINCE, REPLICA_STATE_SINCE, LEADER_SINCE, type fetch } from '../apis/01-fetch.ts'
import type { Handler, RequestContext } from '../handler.ts'

type Request = RequestOf<typeof fetch>
type Response = ResponseOf<typeof fetch>
type TopicResponse = Response['responses'][number]
type PartitionResponse = TopicResponse['partitions'][number]

const noLeader = { leaderId: -1, leaderEpoch: -1 }
const noDivergence = { epoch: -1, endOffset: -1n }
const noSnapshot = { endOffset: -1n, epoch: -1 }

export function fetchHandler(fetchRecords: FetchRecords): Handler<Request, Response> {
  return async (request, context) => {
    const result = await fetchRecords.execute(toCommand(request, context))
    context.afterSent(() => result.release())
    return toResponse(result, context.apiVersion)
  }
}

function toCommand(request: Request, context: RequestContext): FetchCommand {
  return {
    replicaId: context.apiVersion >= REPLICA_STATE_SINCE ? request.replicaState.replicaId : request.replicaId,
    maxWaitMs: request.maxWaitMs,
    minBytes: request.minBytes,
    maxBytes: request.maxBytes,
    isolationLevel: request.isolationLevel,
    sessionId: request.sessionId,
    sessionEpoch: request.sessionEpoch,
    usesTopicIds: context.apiVersion >= BY_ID_SINCE,
    topics: request.topics,
    forgotten: request.forgottenTopicsData,
    onAbandoned: (listener) => context.onAbandoned(listener),
  }
}

function toResponse(result: FetchResult, apiVersion: number): Response {
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(result.error),
    sessionId: result.sessionId,
    responses: byTopic(result.partitions, apiVersion >= LEADER_SINCE),
    nodeEndpoints: [],
  }
}

/** Only neighbours are put together, as Kafka does: the order is what a session's client relies on. */
function byTopic(partitions: readonly FetchedPartition[], tellsLeader: boolean): TopicResponse[] {
  const topics: TopicResponse[] = []
  let ofTopic: PartitionResponse[] = []
  let previous: FetchedPartition['target'] | null = null
  for (const fetched of partitions) {
    const { target } = fetched
    if (previous?.topic !== target.topic || previous.topicId !== target.topicId) {
      ofTopic = []
      topics.push({ topic: target.topic, topicId: target.topicId, partitions: ofTopic })
      previous = target
    }
    ofTopic.push(toPartition(fetched, tellsLeader))
  }
  return topics
}

function toPartition(fetched: FetchedPartition, tellsLeader: boolean): PartitionResponse {
  return {
    partitionIndex: fetched.target.partition,
    errorCode: errorCode(fetched.error),
    highWatermark: fetched.highWatermark,
    lastStableOffset: fetched.lastStableOffset,
    logStartOffset: fetched.logStartOffset,
    divergingEpoch: fetched.diverging ?? noDivergence,
    currentLeader: (tellsLeader ? fetched.currentLeader : null) ?? noLeader,
    snapshotId: noSnapshot,
    abortedTransactions: fetched.abortedTransactions,
    preferredReadReplica: -1,
    records: fetched.chunks,
  }
}
