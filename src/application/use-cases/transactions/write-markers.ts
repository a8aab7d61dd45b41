/** WriteTxnMarkers: ends transactions in partitions of this broker, as a coordinator or an admin tells it to. */
import type { ErrorName } from '../../../domain/errors.ts'
import type { TransactionMarker, TransactionMarkers } from '../../transaction-markers.ts'

export interface WriteMarkersCommand extends TransactionMarker {
  readonly topics: readonly { readonly name: string; readonly partitions: readonly number[] }[]
}

/** In the order of the command. */
export type WrittenMarkers = readonly {
  readonly name: string
  readonly partitions: readonly { readonly partition: number; readonly error: ErrorName }[]
}[]

export class WriteMarkers {
  readonly #markers: TransactionMarkers

  constructor(markers: TransactionMarkers) {
    this.#markers = markers
  }

  execute({ topics, ...marker }: WriteMarkersCommand): Promise<WrittenMarkers> {
    const all = topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ topic: name, partition })))
    const errors = all.map((): ErrorName => refuse(marker) ?? 'NONE')
    const answer = (): WrittenMarkers => {
      const inOrder = errors.values()
      return topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => ({ partition, error: inOrder.next().value! })),
      }))
    }
    if (errors.every((error) => error !== 'NONE')) return Promise.resolve(answer())
    return new Promise((resolve) => {
      let left = all.length
      this.#markers.write(marker, all, (place, error) => {
        errors[place] = error ?? 'NONE'
        if (--left === 0) resolve(answer())
      })
    })
  }
}

/** No batch can say that it is nobody's: Kafka fails to make one. Every epoch that there is has passed a smaller one. */
function refuse({
  producerId,
  producerEpoch,
}: Pick<TransactionMarker, 'producerId' | 'producerEpoch'>): ErrorName | null {
  if (producerId < 0n || producerEpoch === -1) return 'UNKNOWN_SERVER_ERROR'
  return producerEpoch < 0 ? 'INVALID_PRODUCER_EPOCH' : null
}
