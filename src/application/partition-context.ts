/** What all partitions of a broker share. */
import type { ReadablePartition } from './partition.ts'
import type { Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import type { PreparePorts } from './prepare-batch.ts'
import type { TailCache } from './tail-cache.ts'
import type { WriteBudget } from './write-budget.ts'

export interface PartitionContext extends PreparePorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly tail: TailCache
  readonly budget: WriteBudget
  /** Called after each written group, before its producers are answered, and when a partition goes offline or away. */
  readonly onAdvance: (partition: ReadablePartition) => void
}
