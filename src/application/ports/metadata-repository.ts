/**
 * The cluster's metadata: an immutable image that records evolve.
 *
 * Every adapter passes the same contract, `test/contracts/metadata-repository.ts`.
 */
import type { ClusterImage } from '../../domain/cluster/cluster-image.ts'
import type { MetadataRecord } from '../../domain/cluster/metadata-record.ts'
import type { Uuid } from '../../domain/uuid.ts'

/** What a rule decided: the records to commit (none = nothing changes) and what to answer once they are committed. */
export interface Decision<Answer> {
  readonly records: readonly MetadataRecord[]
  readonly answer: Answer
}

export interface MetadataRepository {
  /** Loads (formats, if there is nothing yet) and takes the storage; before it no other method may be called. */
  start(): Promise<void>
  /** The newest image. Holders keep the one they took: it never changes. */
  image(): ClusterImage
  /**
   * Decides against the newest image and commits what was decided, atomically and in the order of the calls: no
   * other commit comes between `decide` and its records. Resolves with the answer once the records are durable and
   * `image()` shows them. What `decide` throws rejects and commits nothing.
   */
  commit<Answer>(decide: (image: ClusterImage) => Decision<Answer>): Promise<Answer>
  /** The ids of the log directories that can be used, by path; empty where there are none. Known from `start` on. */
  directoryIds(): ReadonlyMap<string, Uuid>
  /** Called after each commit, in order, with the new image and the one before. Returns the way to stop it. */
  onChange(listener: (image: ClusterImage, before: ClusterImage) => void): () => void
  close(): Promise<void>
}
