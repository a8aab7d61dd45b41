/**
 * Cluster metadata that lives as long as the process: the adapter for embedding and tests.
 *
 * It starts with the features of a freshly formatted cluster and one unfenced broker, as a Kafka that has just come
 * up would show them. Commits are in effect before `commit` returns its promise. It keeps no log of the records: its
 * image is its state.
 */
import type { Uuid } from '../../domain/uuid.ts'
import { emptyImage, evolve } from '../../domain/cluster/cluster-evolution.ts'
import type { ClusterImage } from '../../domain/cluster/cluster-image.ts'
import type { BrokerEndpoint, MetadataRecord } from '../../domain/cluster/metadata-record.ts'
import {
  FORMAT_LEVEL,
  bootstrapRecords,
  formatFeatures,
  supportedFeatures,
} from '../../domain/cluster/metadata-version.ts'
import type { Decision, MetadataRepository } from '../../application/ports/metadata-repository.ts'
import type { ImageListener } from '../../application/ports/image-listeners.ts'
import { ImageListeners } from '../../application/ports/image-listeners.ts'
import type { Random } from '../../application/ports/random.ts'

export interface MemoryMetadataOptions {
  readonly nodeId: number
  /** Drawn when absent. */
  readonly clusterId?: string
  /** Asked for at `start`. */
  readonly endPoints: () => readonly BrokerEndpoint[]
  readonly rack: string | null
  /** `min.insync.replicas`: a new cluster with eligible leader replicas on makes it the default of all brokers. */
  readonly minInsyncReplicas: number
}

export class MemoryMetadataRepository implements MetadataRepository {
  readonly #options: MemoryMetadataOptions
  readonly #random: Random
  readonly #listeners = new ImageListeners()
  #image: ClusterImage | null = null
  #closed = false

  constructor(random: Random, options: MemoryMetadataOptions) {
    this.#random = random
    this.#options = options
  }

  start(): Promise<void> {
    if (this.#image !== null) return Promise.reject(new Error('the metadata repository was started before'))
    const clusterId = this.#options.clusterId ?? this.#random.uuid()
    this.#image = evolve(emptyImage(clusterId), this.#firstRecords(), { offset: 0n, epoch: 1 })
    return Promise.resolve()
  }

  image(): ClusterImage {
    if (this.#image === null) throw new Error('the metadata repository is not started')
    return this.#image
  }

  commit<Answer>(decide: (image: ClusterImage) => Decision<Answer>): Promise<Answer> {
    try {
      const before = this.image()
      if (this.#closed) throw new Error('the metadata repository is closed')
      const { records, answer } = decide(before)
      if (records.length > 0) {
        const image = evolve(before, records)
        this.#image = image
        this.#listeners.tell(image, before)
      }
      return Promise.resolve(answer)
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  onChange(listener: ImageListener): () => void {
    return this.#listeners.add(listener)
  }

  directoryIds(): ReadonlyMap<string, Uuid> {
    return new Map()
  }

  close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
    return Promise.resolve()
  }

  #firstRecords(): readonly MetadataRecord[] {
    const { nodeId, endPoints, rack, minInsyncReplicas } = this.#options
    return [
      ...bootstrapRecords(formatFeatures(FORMAT_LEVEL), minInsyncReplicas),
      {
        type: 'RegisterBrokerRecord',
        brokerId: nodeId,
        isMigratingZkBroker: false,
        incarnationId: this.#random.uuid(),
        brokerEpoch: 0n,
        endPoints: endPoints(),
        features: supportedFeatures,
        rack,
        fenced: false,
        inControlledShutdown: false,
        logDirs: [this.#random.uuid()],
        cordonedLogDirs: null,
      },
    ]
  }
}
