/** What a host may bring along, and where a broker keeps its data. */
import type { Checksum } from '../application/ports/checksum.ts'
import type { Clock } from '../application/ports/clock.ts'
import type { Compressor } from '../application/ports/compressor.ts'
import type { LogStore } from '../application/ports/log-store.ts'
import type { Logger } from '../application/ports/logger.ts'
import type { MetadataRepository } from '../application/ports/metadata-repository.ts'
import type { Random } from '../application/ports/random.ts'
import type { Timers } from '../application/ports/timers.ts'

/** Adapters that replace the broker's own, each passing its port's contract. */
export interface Adapters {
  readonly checksum?: Checksum
  readonly clock?: Clock
  readonly compressor?: Compressor
  readonly logStore?: LogStore
  /** Absent: nothing is logged. */
  readonly logger?: Logger
  readonly metadata?: MetadataRepository
  readonly random?: Random
  readonly timers?: Timers
}

export type StorageKind = 'directory' | 'memory'
