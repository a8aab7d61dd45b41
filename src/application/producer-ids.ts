/**
 * Producer ids that nobody has had (KIP-98). They come from blocks of 1,000 that the metadata log allocates, and from
 * memory while the block lasts; what is left of it when the broker stops is never used.
 */
import type { MetadataRepository } from './ports/metadata-repository.ts'

export interface ProducerIdsSettings {
  readonly nodeId: number
}

const BLOCK_SIZE = 1_000n

export class ProducerIds {
  readonly #metadata: MetadataRepository
  readonly #settings: () => ProducerIdsSettings
  /** The rest of the block at hand: [next, end). */
  #next = 0n
  #end = 0n
  #allocating: Promise<void> | null = null

  constructor(metadata: MetadataRepository, settings: () => ProducerIdsSettings) {
    this.#metadata = metadata
    this.#settings = settings
  }

  /** One of the block at hand, null when it is used up: `refill`, then ask again. */
  take(): bigint | null {
    return this.#next === this.#end ? null : this.#next++
  }

  /** Resolves when there is a block at hand, which others may take from too. */
  async refill(): Promise<void> {
    if (this.#next !== this.#end) return
    this.#allocating ??= this.#allocate()
    await this.#allocating
  }

  /** The next one. */
  async next(): Promise<bigint> {
    for (;;) {
      const producerId = this.take()
      if (producerId !== null) return producerId
      await this.refill()
    }
  }

  async #allocate(): Promise<void> {
    try {
      const brokerId = this.#settings().nodeId
      const first = await this.#metadata.commit((image) => {
        const nextProducerId = image.nextProducerId + BLOCK_SIZE
        const brokerEpoch = image.brokers.get(brokerId)?.epoch ?? -1n
        const record = { type: 'ProducerIdsRecord', brokerId, brokerEpoch, nextProducerId } as const
        return { records: [record], answer: image.nextProducerId }
      })
      this.#next = first
      this.#end = first + BLOCK_SIZE
    } finally {
      this.#allocating = null
    }
  }
}
