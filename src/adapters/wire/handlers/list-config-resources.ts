import type { ListConfigResources } from '../../../application/use-cases/cluster/list-config-resources.ts'
import { configResourceCodes } from '../../../domain/cluster/cluster-evolution.ts'
import { errorCode } from '../../../domain/errors.ts'
import type { RequestOf, ResponseOf } from '../api.ts'
import { RESOURCE_TYPES_SINCE, type listConfigResources } from '../apis/74-list-config-resources.ts'
import type { Handler } from '../handler.ts'

export function listConfigResourcesHandler(
  useCase: ListConfigResources,
): Handler<RequestOf<typeof listConfigResources>, ResponseOf<typeof listConfigResources>> {
  return (request, context) => {
    const typed = context.apiVersion >= RESOURCE_TYPES_SINCE
    const typeCodes = typed ? request.resourceTypes : [configResourceCodes.CLIENT_METRICS]
    const { error, resources } = useCase.execute(typeCodes)
    return {
      throttleTimeMs: 0,
      errorCode: errorCode(error),
      configResources: resources.map(({ type, name }) => ({
        resourceName: name,
        resourceType: configResourceCodes[type],
      })),
    }
  }
}
