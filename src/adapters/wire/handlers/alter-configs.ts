import type { AlterConfigs } from '../../../application/use-cases/cluster/alter-configs.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import type { alterConfigs } from '../apis/33-alter-configs.ts'
import type { Handler } from '../handler.ts'

export function alterConfigsHandler(
  useCase: AlterConfigs,
): Handler<RequestOf<typeof alterConfigs>, ResponseOf<typeof alterConfigs>> {
  return async (request) => {
    const alterations = request.resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      changes: configs.map(({ name, value }) => ({ name, operation: 'SET' as const, value })),
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
