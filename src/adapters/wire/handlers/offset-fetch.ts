import type {
  AskedTopic,
  FetchedPartition,
  FetchOffsets,
  FetchOffsetsResult,
} from '../../../application/use-cases/groups/fetch-offsets.ts'
import { errorCode, type KafkaError } from '../../../domain/errors.ts'
import { ZERO_UUID } from '../../../domain/uuid.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { GROUP_ERROR_SINCE, BATCHED_SINCE, IDS_SINCE, type offsetFetch } from '../apis/09-offset-fetch.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof offsetFetch>
type Response = ResponseOf<typeof offsetFetch>

export function offsetFetchHandler(useCase: FetchOffsets): Handler<Request, Response> {
  return async (request, { apiVersion }) => {
    if (apiVersion < BATCHED_SINCE) return fetchOne(useCase, request, apiVersion)
    const byId = apiVersion >= IDS_SINCE
    const groups = request.groups.map(async ({ groupId, memberId, memberEpoch, topics }) => {
      const result = await useCase.execute({
        groupId,
        memberId,
        memberEpoch,
        requireStable: request.requireStable,
        topics: topics?.map((topic) => toAsked(topic, byId)) ?? (byId ? 'all by id' : 'all'),
      })
      return { groupId, errorCode: errorCode(result.error ?? 'NONE'), topics: toTopics(result) }
    })
    return { throttleTimeMs: 0, groups: await Promise.all(groups) }
  }
}

async function fetchOne(useCase: FetchOffsets, request: Request, apiVersion: number): Promise<Response> {
  const { groupId, topics, requireStable } = request
  const asked = topics?.map(({ name, partitionIndexes }) => ({
    name,
    topicId: ZERO_UUID,
    partitions: partitionIndexes,
  }))
  const result = await useCase.execute({
    groupId,
    memberId: null,
    memberEpoch: -1,
    requireStable,
    topics: asked ?? 'all',
  })
  const isPerPartition = result.error !== null && apiVersion < GROUP_ERROR_SINCE
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(result.error ?? 'NONE'),
    topics: isPerPartition ? failed(asked ?? [], result.error) : toTopics(result),
  }
}

interface WireTopic {
  readonly name: string
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}

function toAsked({ name, topicId, partitionIndexes }: WireTopic, byId: boolean): AskedTopic {
  return { name: byId ? null : name, topicId, partitions: partitionIndexes }
}

function toTopics(result: FetchOffsetsResult) {
  if (result.error !== null) return []
  return result.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(toPartition),
  }))
}

function failed(topics: readonly AskedTopic[], error: KafkaError) {
  return topics.map(({ name, partitions }) => ({
    name: name ?? '',
    partitions: partitions.map((partition) => toPartition({ partition, error, offset: null })),
  }))
}

function toPartition({ partition, error, offset }: FetchedPartition) {
  return {
    partitionIndex: partition,
    committedOffset: offset?.offset ?? -1n,
    committedLeaderEpoch: offset?.leaderEpoch ?? -1,
    metadata: offset?.metadata ?? '',
    errorCode: errorCode(error),
  }
}
