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
    const write = async (topic: string, partition: number) => ({
      partition,
      error: (await this.#markers.write({ ...marker, topic, partition })) ?? ('NONE' as const),
    })
    return Promise.all(
      topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(partitions.map((partition) => write(name, partition))),
      })),
    )
  }
}
