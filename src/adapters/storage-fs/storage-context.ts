/** What all logs of one store share: the machine, the pools with their bounds, and the ports. */
import type { Checksum } from '../../application/ports/checksum.ts'
import type { Logger } from '../../application/ports/logger.ts'
import type { Timers } from '../../application/ports/timers.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { DelayedRemoval } from './delayed-removal.ts'
import type { EndOfTurn } from './end-of-turn.ts'
import type { FileSystem } from './file-system.ts'
import type { IndexCache } from './index-cache.ts'
import type { OpenFiles } from './open-files.ts'

export interface StorageContext {
  readonly fs: FileSystem
  readonly files: OpenFiles
  readonly pool: BufferPool
  readonly indexes: IndexCache
  readonly removal: DelayedRemoval
  readonly endOfTurn: EndOfTurn
  readonly checksum: Checksum
  readonly timers: Timers
  readonly logger: Logger
  /** For `segment.jitter.ms`: a random whole number. */
  readonly drawJitter: () => number
}
