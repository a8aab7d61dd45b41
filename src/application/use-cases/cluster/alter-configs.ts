/**
 * AlterConfigs, the older way: what is not named is no longer set. Each resource succeeds or fails for itself; what
 * succeeds is committed together.
 */
import { decideAlterConfigs, type AlterationResult } from '../../../domain/config/alter-config.ts'
import type { BrokerConfig } from '../../../domain/config/broker-config.ts'
import type { MetadataRepository } from '../../ports/metadata-repository.ts'
import type { AlterConfigsCommand } from './incremental-alter-configs.ts'

export class AlterConfigs {
  readonly #metadata: MetadataRepository
  readonly #broker: BrokerConfig

  constructor(metadata: MetadataRepository, broker: BrokerConfig) {
    this.#metadata = metadata
    this.#broker = broker
  }

  /** One result for each alteration, in their order. */
  execute({ alterations, validateOnly }: AlterConfigsCommand): Promise<readonly AlterationResult[]> {
    return this.#metadata.commit((image) => {
      const { records, results } = decideAlterConfigs(image, this.#broker, alterations)
      return { records: validateOnly ? [] : records, answer: results }
    })
  }
}
