/**
 * Cluster metadata in `__cluster_metadata-0`, as a KRaft quorum of one node keeps it (KIP-500, KIP-595, KIP-631).
 *
 * `start` formats what is not formatted yet, reads snapshot and log, leads a new epoch and registers the broker;
 * `close` leaves what Kafka leaves at a clean stop. Apache Kafka 4.2 to 4.4 open the directory afterwards, and this
 * adapter opens theirs. Records are written in the versions that the directory's `metadata.version` allows.
 *
 * Commits wait in one queue. Those that came while a write was under way go out together, each in a batch of its own,
 * durable before they are answered. Not done: NoOpRecords (they only keep followers' lag small), elections, other
 * voters.
 */
import type { ImageListener } from '../../application/ports/image-listeners.ts'
import { ImageListeners } from '../../application/ports/image-listeners.ts'
import { ReportedStorageError } from '../../application/ports/reported-storage-error.ts'
import type { Decision, MetadataRepository } from '../../application/ports/metadata-repository.ts'
import { evolve } from '../../domain/cluster/cluster-evolution.ts'
import type { ClusterImage } from '../../domain/cluster/cluster-image.ts'
import { InvalidMetadataRecord } from '../../domain/cluster/invalid-metadata-record.ts'
import type { MetadataRecord } from '../../domain/cluster/metadata-record.ts'
import { metadataVersionAllows, recordAtLevel } from '../../domain/cluster/metadata-version.ts'
import { decideDeparture } from '../../domain/cluster/single-node-leadership.ts'
import type { KraftMetadataOptions, KraftMetadataPorts } from './kraft-metadata-options.ts'
import type { Uuid } from '../../domain/uuid.ts'
import { batchRuns } from './metadata-batches.ts'
import type { MetadataLogWriter } from './metadata-log-writer.ts'
import { MetadataRecordEncoder } from './metadata-record-codec.ts'
import { takeLeadership } from './metadata-start.ts'
import type { SnapshotKeeper } from './snapshot-keeper.ts'

interface PendingCommit {
  /** Decides and stages; answers what to do once that is durable. */
  readonly stage: () => () => void
  readonly reject: (error: unknown) => void
}

interface Leading {
  readonly writer: MetadataLogWriter
  readonly keeper: SnapshotKeeper
}

export class KraftMetadataRepository implements MetadataRepository {
  readonly #ports: KraftMetadataPorts
  readonly #options: KraftMetadataOptions
  readonly #listeners = new ImageListeners()
  readonly #encoder = new MetadataRecordEncoder()
  #leading: Leading | null = null
  /** What readers see: all of it is durable. */
  #image: ClusterImage | null = null
  /** With what is staged and not yet durable: what the next decision is made against. */
  #staged: ClusterImage | null = null
  #queue: PendingCommit[] = []
  #draining: Promise<void> | null = null
  #failure: ReportedStorageError | null = null
  #closed = false
  #directoryIds: ReadonlyMap<string, Uuid> = new Map()

  constructor(ports: KraftMetadataPorts, options: KraftMetadataOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** @throws UnusableDirectory when a log directory is damaged, or another node's or cluster's; nothing is changed then */
  async start(): Promise<void> {
    if (this.#leading !== null) throw new Error('the metadata repository was started before')
    const { keeper, writer, image, directoryIds, stageAll } = await takeLeadership(this.#ports, this.#options)
    this.#leading = { writer, keeper }
    this.#directoryIds = directoryIds
    this.#staged = image
    stageAll((records, transaction) => this.#stage(records, transaction))
    keeper.written(await writer.write(), this.#staged, writer.lastTimestamp)
    this.#image = this.#staged
    const { topicsById, offset, epoch } = this.#image
    this.#ports.logger.info('metadata ready', { topics: topicsById.size, offset, epoch })
  }

  image(): ClusterImage {
    if (this.#image === null) throw new Error('the metadata repository is not started')
    return this.#image
  }

  commit<Answer>(decide: (image: ClusterImage) => Decision<Answer>): Promise<Answer> {
    if (this.#closed) return Promise.reject(new Error('the metadata repository is closed'))
    if (this.#image === null) return Promise.reject(new Error('the metadata repository is not started'))
    return new Promise((resolve, reject) => {
      const stage = (): (() => void) => {
        const { records, answer } = decide(this.#staged!)
        const image = records.length === 0 ? null : this.#stage(records)
        return () => {
          if (image !== null) this.#show(image)
          resolve(answer)
        }
      }
      this.#queue.push({ stage, reject })
      this.#draining ??= this.#drain()
    })
  }

  onChange(listener: ImageListener): () => void {
    return this.#listeners.add(listener)
  }

  directoryIds(): ReadonlyMap<string, Uuid> {
    return this.#directoryIds
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    while (this.#draining !== null) await this.#draining
    this.#listeners.clear()
    if (this.#leading === null || this.#image === null) return
    if (this.#failure === null) {
      for (const records of decideDeparture(this.#image, this.#options.nodeId)) this.#stage(records)
      await this.#leading.writer.write()
      this.#image = this.#staged
    }
    await this.#leading.keeper.close()
  }

  /** One round takes everything that waits: decisions one after the other, then one write for all of them. */
  async #drain(): Promise<void> {
    // The callers of this turn go out together.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const commits = this.#queue
      this.#queue = []
      const staged: { readonly settle: () => void; readonly reject: (error: unknown) => void }[] = []
      for (const { stage, reject } of commits) {
        try {
          if (this.#failure !== null) throw this.#failure
          staged.push({ settle: stage(), reject })
        } catch (error) {
          reject(error)
        }
      }
      await this.#write(staged)
    }
    this.#draining = null
  }

  async #write(
    staged: readonly { readonly settle: () => void; readonly reject: (error: unknown) => void }[],
  ): Promise<void> {
    const { writer, keeper } = this.#leading!
    try {
      const bytes = await writer.write()
      if (bytes > 0) keeper.written(bytes, this.#staged!, writer.lastTimestamp)
    } catch (error) {
      this.#failure = this.#report(error)
      for (const { reject } of staged) reject(this.#failure)
      return
    }
    for (const { settle, reject } of staged) {
      try {
        settle()
      } catch (error) {
        reject(error)
      }
    }
  }

  /** From here on the image stays as it is: what was written and what not is for the next start to find out. */
  #report(error: unknown): ReportedStorageError {
    if (error instanceof ReportedStorageError) return error
    this.#ports.logger.error('metadata log failed', { error })
    const reason = error instanceof Error ? error.message : String(error)
    return new ReportedStorageError(`the metadata log failed: ${reason}`, { cause: error })
  }

  #show(image: ClusterImage): void {
    const before = this.#image!
    this.#image = image
    this.#listeners.tell(image, before)
  }

  /**
   * Encodes records as the directory's level allows and gives them their place: one batch, or a metadata transaction
   * (KIP-868) over several when they do not fit into one. Answers the image after them.
   *
   * @throws InvalidMetadataRecord when one does not fit the image or the level; nothing is staged then
   */
  #stage(records: readonly MetadataRecord[], transaction: string | null = null): ClusterImage {
    const { writer } = this.#leading!
    const before = this.#staged!
    const level = levelFor(records, before)
    const written: MetadataRecord[] = []
    const encode = (record: MetadataRecord): Uint8Array => {
      const writable = recordAtLevel(record, level)
      if (writable === null) throw new InvalidMetadataRecord(`metadata.version ${level} knows no ${record.type}`)
      written.push(writable.record)
      return this.#encoder.encode(writable)
    }
    let runs = batchRuns(records.map(encode))
    const image = (count: number): ClusterImage =>
      evolve(before, written, { offset: writer.end + BigInt(count) - 1n, epoch: writer.epoch })
    const many = runs.length > 1 && metadataVersionAllows(level, 'metadataTransactions')
    if (runs.length > 1 && !many) runs = [runs.flat()]
    if (!many && transaction === null) {
      const after = image(records.length)
      writer.stageData(runs[0] ?? [])
      return (this.#staged = after)
    }
    const begin = this.#encoder.encode(recordAtLevel({ type: 'BeginTransactionRecord', name: transaction }, level)!)
    const end = this.#encoder.encode(recordAtLevel({ type: 'EndTransactionRecord' }, level)!)
    const after = image(records.length + 2)
    if (many) for (const run of [[begin], ...runs, [end]]) writer.stageData(run)
    else writer.stageData([begin, ...(runs[0] ?? []), end])
    return (this.#staged = after)
  }
}

/** `metadata.version` as it is, or as the records themselves set it. */
function levelFor(records: readonly MetadataRecord[], image: ClusterImage): number {
  for (const record of records) {
    if (record.type === 'FeatureLevelRecord' && record.name === 'metadata.version') return record.featureLevel
  }
  const level = image.features.get('metadata.version')
  if (level === undefined) throw new InvalidMetadataRecord('metadata.version is not known')
  return level
}
