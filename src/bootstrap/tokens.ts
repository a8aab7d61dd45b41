/** The names under which the container knows things: one typed symbol for each port and each assembled part. */
import type { ServiceIdentifier } from 'inversify'
import type { Checksum } from '../application/ports/checksum.ts'
import type { Clock } from '../application/ports/clock.ts'
import type { Compressor } from '../application/ports/compressor.ts'
import type { LogStore } from '../application/ports/log-store.ts'
import type { Logger } from '../application/ports/logger.ts'
import type { MetadataRepository } from '../application/ports/metadata-repository.ts'
import type { Random } from '../application/ports/random.ts'
import type { Timers } from '../application/ports/timers.ts'

function token<T>(name: string): ServiceIdentifier<T> {
  return Symbol(name)
}

/** The ports, each of which an embedder may replace. */
export const ports = {
  checksum: token<Checksum>('checksum'),
  clock: token<Clock>('clock'),
  compressor: token<Compressor>('compressor'),
  logStore: token<LogStore>('logStore'),
  logger: token<Logger>('logger'),
  metadata: token<MetadataRepository>('metadata'),
  random: token<Random>('random'),
  timers: token<Timers>('timers'),
}
