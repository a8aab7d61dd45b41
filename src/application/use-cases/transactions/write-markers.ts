/** WriteTxnMarkers: ends transactions in partitions of this broker, as a coordinator or an admin tells it to. */
import type { ErrorName } from '../../../domain/errors.ts'
import type { TransactionMarker, TransactionMarkers } from '../../transaction-markers.ts'

export interface WriteMarkersCommand extends Omit<TransactionMarker, 'topic' | 'partition'> {
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
    const refused = refuse(marker)
    const write = async (topic: string, partition: number) => ({
      partition,
      error: refused ?? (await this.#markers.write({ ...marker, topic, partition })) ?? ('NONE' as const),
    })
    return Promise.all(
      topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(partitions.map((partition) => write(name, partition))),
      })),
    )
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
