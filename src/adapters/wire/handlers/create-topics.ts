import type { CreateTopics, CreateTopicsResult } from '../../../application/use-cases/cluster/create-topics.ts'
import { errorCode } from '../../../domain/errors.ts'
import { ZERO_UUID } from '../../../domain/uuid.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { createTopics } from '../apis/19-create-topics.ts'
import type { Handler } from '../handler.ts'
import { configSourceCodes } from './config-source-codes.ts'

type Request = RequestOf<typeof createTopics>
type Response = ResponseOf<typeof createTopics>

export function createTopicsHandler(useCase: CreateTopics): Handler<Request, Response> {
  return async (request) => ({ throttleTimeMs: 0, topics: (await useCase.execute(request)).map(toTopic) })
}

function toTopic(topic: CreateTopicsResult[number]): Response['topics'][number] {
  if (topic.error !== 'NONE') {
    return {
      name: topic.name,
      topicId: ZERO_UUID,
      errorCode: errorCode(topic.error),
      errorMessage: topic.message,
      configs: [],
    }
  }
  return {
    name: topic.name,
    topicId: topic.topicId,
    errorCode: errorCode('NONE'),
    errorMessage: null,
    numPartitions: topic.numPartitions,
    replicationFactor: topic.replicationFactor,
    configs: topic.configs.map(({ name, value, readOnly, source, isSensitive }) => ({
      name,
      value,
      readOnly,
      configSource: configSourceCodes[source],
      isSensitive,
    })),
  }
}
