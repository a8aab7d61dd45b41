/** The small ports: time, randomness, checksum, compression and the log, the caller's own where given. */
import { ContainerModule } from 'inversify'
import { CodecCompressor } from '../../adapters/compression/codec-compressor.ts'
import { silentLogger } from '../../adapters/observability/silent-logger.ts'
import { Crc32cChecksum } from '../../adapters/system/crc32c-checksum.ts'
import { SystemClock } from '../../adapters/system/system-clock.ts'
import { SystemRandom } from '../../adapters/system/system-random.ts'
import { SystemTimers } from '../../adapters/system/system-timers.ts'
import type { Adapters } from '../adapters.ts'
import { ports } from '../tokens.ts'

export function systemModule(own: Adapters): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.checksum)
      .toResolvedValue(() => own.checksum ?? new Crc32cChecksum())
      .inSingletonScope()
    bind(ports.clock)
      .toResolvedValue(() => own.clock ?? new SystemClock())
      .inSingletonScope()
    bind(ports.compressor)
      .toResolvedValue(() => own.compressor ?? new CodecCompressor())
      .inSingletonScope()
    bind(ports.logger).toConstantValue(own.logger ?? silentLogger)
    bind(ports.random)
      .toResolvedValue(() => own.random ?? new SystemRandom())
      .inSingletonScope()
    bind(ports.timers)
      .toResolvedValue(() => own.timers ?? new SystemTimers())
      .inSingletonScope()
  })
}
