/**
 * Tells a client which broker coordinates its groups, transactions or share partitions: on a single node this one.
 */
import { isShareKey } from '../../../domain/cluster/coordinator-key.ts'
import type { ClientAddress, Endpoint, EndpointSettings } from '../../../domain/cluster/endpoints.ts'
import { clientView } from '../../../domain/cluster/endpoints.ts'

export type CoordinatorType = 'group' | 'transaction' | 'share'

export interface FindCoordinatorCommand {
  readonly client: ClientAddress
  readonly type: CoordinatorType
  readonly keys: readonly string[]
}

export type Coordinator =
  | { readonly key: string; readonly error: 'NONE'; readonly nodeId: number; readonly endpoint: Endpoint }
  | { readonly key: string; readonly error: 'INVALID_REQUEST' | 'COORDINATOR_NOT_AVAILABLE' }

export class FindCoordinator {
  readonly #settings: () => EndpointSettings

  constructor(settings: () => EndpointSettings) {
    this.#settings = settings
  }

  /** One answer per key, in the order of the keys; a key given twice is answered twice. */
  execute({ client, type, keys }: FindCoordinatorCommand): readonly Coordinator[] {
    const settings = this.#settings()
    const { own } = clientView(settings, client)
    return keys.map((key) => {
      const error = this.#availability(type, key)
      return error === 'NONE' ? { key, error, nodeId: settings.nodeId, endpoint: own } : { key, error }
    })
  }

  /**
   * Whether a coordinator answers for a key. A real broker creates the coordinator's internal topic here when it is
   * missing and answers COORDINATOR_NOT_AVAILABLE until it is there; what that takes belongs into this method.
   */
  #availability(type: CoordinatorType, key: string): Coordinator['error'] {
    return type === 'share' && !isShareKey(key) ? 'INVALID_REQUEST' : 'NONE'
  }
}
