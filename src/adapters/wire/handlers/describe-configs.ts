import type { DescribeConfigs, DescribeConfigsResult } from '../../../application/use-cases/cluster/describe-configs.ts'
import type { DescribedConfig } from '../../../domain/config/describe-config.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { describeConfigs } from '../apis/32-describe-configs.ts'
import type { Handler } from '../handler.ts'
import { configSourceCodes } from './config-source-codes.ts'

type Request = RequestOf<typeof describeConfigs>
type Response = ResponseOf<typeof describeConfigs>
type Result = Response['results'][number]

export function describeConfigsHandler(useCase: DescribeConfigs): Handler<Request, Response> {
  return (request) => {
    const results = useCase.execute(request).map((result) => toResult(result, request.includeSynonyms))
    return { throttleTimeMs: 0, results }
  }
}

function toResult(result: DescribeConfigsResult, includeSynonyms: boolean): Result {
  return {
    errorCode: errorCode(result.error),
    errorMessage: result.message,
    resourceType: result.resourceType,
    resourceName: result.resourceName,
    configs: result.configs.map((config) => toConfig(config, includeSynonyms)),
  }
}

function toConfig(config: DescribedConfig, includeSynonyms: boolean): Result['configs'][number] {
  const synonyms = includeSynonyms
    ? config.synonyms.map(({ name, value, source }) => ({ name, value, source: configSourceCodes[source] }))
    : []
  return {
    name: config.name,
    value: config.value,
    readOnly: config.readOnly,
    configSource: configSourceCodes[config.source],
    isSensitive: config.isSensitive,
    synonyms,
    configType: typeCodes[config.type],
    documentation: null,
  }
}

const typeCodes: Readonly<Record<DescribedConfig['type'], number>> = {
  UNKNOWN: 0,
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
}
