/**
 * Hands out producer ids to idempotent producers (KIP-98). Ids come from blocks of 1,000 that the metadata log
 * allocates, and from memory while the block lasts; what is left of it when the broker stops is never used.
 * Transactional producers are answered COORDINATOR_NOT_AVAILABLE until transactions are served.
 */
import type { ErrorName, KafkaError } from '../../../domain/errors.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export interface InitProducerIdCommand {
  readonly transactionalId: string | null
  /** What the producer has already, -1 = nothing. */
  readonly producerId: bigint
  readonly producerEpoch: number
}

export interface InitProducerIdResult {
  readonly error: ErrorName
  readonly producerId: bigint
  readonly producerEpoch: number
}

export interface InitProducerIdSettings {
  readonly nodeId: number
}

const BLOCK_SIZE = 1_000n

export class InitProducerId {
  readonly #metadata: MetadataRepository
  readonly #settings: () => InitProducerIdSettings
  /** The rest of the block at hand: [next, end). */
  #next = 0n
  #end = 0n
  #allocating: Promise<void> | null = null

  constructor(metadata: MetadataRepository, settings: () => InitProducerIdSettings) {
    this.#metadata = metadata
    this.#settings = settings
  }

  async execute(command: InitProducerIdCommand): Promise<InitProducerIdResult> {
    if (command.transactionalId === '') return failed('INVALID_REQUEST')
    if ((command.producerId === -1n) !== (command.producerEpoch === -1)) return failed('INVALID_REQUEST')
    if (command.transactionalId !== null) return failed('COORDINATOR_NOT_AVAILABLE')
    while (this.#next === this.#end) {
      this.#allocating ??= this.#allocate()
      await this.#allocating
    }
    return { error: 'NONE', producerId: this.#next++, producerEpoch: 0 }
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

function failed(error: KafkaError): InitProducerIdResult {
  return { error, producerId: -1n, producerEpoch: -1 }
}
