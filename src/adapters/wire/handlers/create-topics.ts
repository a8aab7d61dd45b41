import type { CreateTopics, CreateTopicsResult } from '../../../application/use-cases/cluster/create-topics.ts'
import type { ConfigSource } from '../../../domain/config/describe-config.ts'
import { errorCode } from '../../../domain/errors.ts'
import { ZERO_UUID } from '../../../domain/uuid.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { createTopics } from '../apis/19-create-topics.ts'
import type { Handler } from '../handler.ts'

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
      configSource: sourceCodes[source],
      isSensitive,
    })),
  }
}

const sourceCodes: Readonly<Record<ConfigSource, number>> = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_CLIENT_METRICS_CONFIG: 7,
  DYNAMIC_GROUP_CONFIG: 8,
}
