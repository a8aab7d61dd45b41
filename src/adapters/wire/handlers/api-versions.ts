/**
 * ApiVersions, versions 0 to 5: what this broker serves, read off the table of its handlers, and its features.
 *
 * Versions that are not served are answered by the router, because their bodies cannot be read.
 */
import type { ClusterImage } from '../../../domain/cluster/cluster-image.ts'
import { supportedFeatures } from '../../../domain/cluster/metadata-version.ts'
import { errorCode, type KafkaError } from '../../../domain/errors.ts'
import type { Api, RequestOf, ResponseOf } from '../api.ts'
import { SOFTWARE_SINCE, LEVEL_ZERO_SINCE, IDENTITY_SINCE, type apiVersions } from '../apis/18-api-versions.ts'
import type { Handler } from '../handler.ts'

type Request = RequestOf<typeof apiVersions>
type Response = ResponseOf<typeof apiVersions>

/** What KIP-511 allows as a name or version. */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

export interface AnsweringBroker {
  readonly nodeId: number
  readonly image: () => ClusterImage
}

/** @param served - every API with a handler, in the order of the keys. */
export function apiVersionsHandler(served: readonly Api[], broker: AnsweringBroker): Handler<Request, Response> {
  const apiKeys = served.flatMap(({ key, advertised }) =>
    advertised === undefined ? [] : [{ apiKey: key, minVersion: advertised.min, maxVersion: advertised.max }],
  )
  return (request, { apiVersion, connection }) => {
    const image = broker.image()
    if (apiVersion >= SOFTWARE_SINCE) {
      const { clientSoftwareName, clientSoftwareVersion } = request
      if (!softwarePattern.test(clientSoftwareName) || !softwarePattern.test(clientSoftwareVersion)) {
        return refused('INVALID_REQUEST')
      }
      connection.identify(clientSoftwareName, clientSoftwareVersion)
    }
    if (apiVersion >= IDENTITY_SINCE && meansAnother(request, image.clusterId, broker.nodeId)) {
      return refused('REBOOTSTRAP_REQUIRED')
    }
    return {
      errorCode: errorCode('NONE'),
      apiKeys,
      throttleTimeMs: 0,
      supportedFeatures: supportedFeatures
        .filter(({ minSupportedVersion }) => minSupportedVersion > 0 || apiVersion >= LEVEL_ZERO_SINCE)
        .map(({ name, minSupportedVersion, maxSupportedVersion }) => ({
          name,
          minVersion: minSupportedVersion,
          maxVersion: maxSupportedVersion,
        })),
      finalizedFeaturesEpoch: image.offset,
      finalizedFeatures: Array.from(image.features, ([name, level]) => ({
        name,
        maxVersionLevel: level,
        minVersionLevel: level,
      })),
      zkMigrationReady: false,
    }
  }
}

/** A client that names no cluster does not mind where it has come out. */
function meansAnother(request: Request, clusterId: string, nodeId: number): boolean {
  return request.clusterId !== null && (request.clusterId !== clusterId || request.nodeId !== nodeId)
}

function refused(error: KafkaError): Response {
  return { errorCode: errorCode(error), apiKeys: [] }
}
