import type { IncrementalAlterConfigs } from '../../../application/use-cases/cluster/incremental-alter-configs.ts'
import type { ConfigOperation } from '../../../domain/config/alter-config.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { incrementalAlterConfigs } from '../apis/44-incremental-alter-configs.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof incrementalAlterConfigs>
type Response = ResponseOf<typeof incrementalAlterConfigs>

const operations: readonly ConfigOperation[] = ['SET', 'DELETE', 'APPEND', 'SUBTRACT']

export function incrementalAlterConfigsHandler(useCase: IncrementalAlterConfigs): Handler<Request, Response> {
  return async (request) => {
    const alterations = request.resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      changes: configs.map(({ name, configOperation, value }) => ({
        name,
        operation: operations[configOperation] ?? configOperation,
        value,
      })),
    }))
    const results = await useCase.execute({ alterations, validateOnly: request.validateOnly })
    return {
      throttleTimeMs: 0,
      responses: results.map(({ error, message }, index) => ({
        errorCode: errorCode(error),
        errorMessage: message,
        resourceType: alterations[index]!.resourceType,
        resourceName: alterations[index]!.resourceName,
      })),
    }
  }
}
