/** What goes over the logs from time to time: retention and compaction. */
import { ContainerModule } from 'inversify'
import { ApplyRetention } from '../../application/use-cases/maintenance/apply-retention.ts'
import { CompactLogs, type CompactLogsSettings } from '../../application/use-cases/maintenance/compact-logs.ts'
import type { Live } from '../settings.ts'
import { parts, ports } from '../tokens.ts'

/** Asked for at each use, because all of them but the intervals of retention can be changed at run time. */
function compactLogsSettings(live: Live): CompactLogsSettings {
  const config = live()
  return {
    logCleanerBackoffMs: Number(config.bigint('log.cleaner.backoff.ms')),
    logCleanerDedupeBufferSize: Number(config.bigint('log.cleaner.dedupe.buffer.size')),
    logCleanerIoBufferSize: config.number('log.cleaner.io.buffer.size'),
    logCleanerIoBufferLoadFactor: config.number('log.cleaner.io.buffer.load.factor'),
    logCleanerIoMaxBytesPerSecond: config.number('log.cleaner.io.max.bytes.per.second'),
  }
}

export const maintenanceModule = new ContainerModule(({ bind }) => {
  bind(parts.applyRetention)
    .toResolvedValue(
      (partitions, clock, timers, logger, live) =>
        new ApplyRetention(partitions, clock, timers, logger, () => ({
          logRetentionCheckIntervalMs: Number(live().bigint('log.retention.check.interval.ms')),
          logInitialTaskDelayMs: Number(live().bigint('log.initial.task.delay.ms')),
        })),
      [parts.partitions, ports.clock, ports.timers, ports.logger, parts.live],
    )
    .inSingletonScope()

  bind(parts.compactLogs)
    .toResolvedValue(
      (partitions, clock, timers, random, checksum, compressor, logger, live) =>
        new CompactLogs({ partitions, clock, timers, random, checksum, compressor, logger }, () =>
          compactLogsSettings(live),
        ),
      [
        parts.partitions,
        ports.clock,
        ports.timers,
        ports.random,
        ports.checksum,
        ports.compressor,
        ports.logger,
        parts.live,
      ],
    )
    .inSingletonScope()
})
