/**
 * IncrementalAlterConfigs: sets, deletes, appends to and subtracts from configs. Each resource succeeds or fails for
 * itself; what succeeds is committed together.
 */
import {
  decideIncrementalAlterConfigs,
  type AlterationResult,
  type ConfigAlteration,
} from '../../../domain/config/alter-config.ts'
import type { BrokerConfig } from '../../../domain/config/broker-config.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'

export interface AlterConfigsCommand {
  readonly alterations: readonly ConfigAlteration[]
  /** Answer as if, and change nothing. */
  readonly validateOnly: boolean
}

export class IncrementalAlterConfigs {
  readonly #metadata: MetadataRepository
  readonly #broker: BrokerConfig

  constructor(metadata: MetadataRepository, broker: BrokerConfig) {
    this.#metadata = metadata
    this.#broker = broker
  }

  /** One result for each alteration, in their order. */
  execute({ alterations, validateOnly }: AlterConfigsCommand): Promise<readonly AlterationResult[]> {
    return this.#metadata.commit((image) => {
      const { records, results } = decideIncrementalAlterConfigs(image, this.#broker, alterations)
      return { records: validateOnly ? [] : records, answer: results }
    })
  }
}
