/** Tells a client the cluster's id, its brokers and which of them answers for the controller. */
import { ALL_CLUSTER_OPERATIONS, OPERATIONS_NOT_ASKED } from '../../../domain/cluster/authorized-operations.ts'
import type { ClientAddress, EndpointSettings, VisibleBroker } from '../../../domain/cluster/endpoints.ts'
import { clientView, visibleBrokers } from '../../../domain/cluster/endpoints.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

/** Kafka's codes of `endpointType`. */
export const BROKER_ENDPOINTS = 1
const CONTROLLER_ENDPOINTS = 2

export interface DescribeClusterCommand {
  readonly client: ClientAddress
  /** A code of the kind of nodes asked for: a broker's listener tells of brokers only (KIP-919). */
  readonly endpointType: number
  readonly includeFencedBrokers: boolean
  readonly includeClusterAuthorizedOperations: boolean
}

export type DescribeClusterResult =
  | {
      readonly error: 'NONE'
      readonly clusterId: string
      readonly controllerId: number
      readonly brokers: readonly VisibleBroker[]
      readonly clusterAuthorizedOperations: number
    }
  | { readonly error: 'MISMATCHED_ENDPOINT_TYPE' | 'UNSUPPORTED_ENDPOINT_TYPE'; readonly message: string }

export class DescribeCluster {
  readonly #metadata: MetadataRepository
  readonly #settings: () => EndpointSettings

  constructor(metadata: MetadataRepository, settings: () => EndpointSettings) {
    this.#metadata = metadata
    this.#settings = settings
  }

  execute(command: DescribeClusterCommand): DescribeClusterResult {
    const { endpointType, includeFencedBrokers, includeClusterAuthorizedOperations } = command
    if (endpointType === CONTROLLER_ENDPOINTS) {
      return {
        error: 'MISMATCHED_ENDPOINT_TYPE',
        message: 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
      }
    }
    if (endpointType !== BROKER_ENDPOINTS) {
      return { error: 'UNSUPPORTED_ENDPOINT_TYPE', message: `Unsupported endpoint type ${endpointType}` }
    }
    const image = this.#metadata.image()
    const settings = this.#settings()
    const brokers = visibleBrokers(image, clientView(settings, command.client))
    return {
      error: 'NONE',
      clusterId: image.clusterId,
      controllerId: settings.nodeId,
      brokers: includeFencedBrokers ? brokers : brokers.filter(({ fenced }) => !fenced),
      clusterAuthorizedOperations: includeClusterAuthorizedOperations ? ALL_CLUSTER_OPERATIONS : OPERATIONS_NOT_ASKED,
    }
  }
}
