/** The Logger port on pino: one JSON line per event on a file descriptor, written at once so that a crash loses none. */
import pino from 'pino'
import type { Logger } from '../../application/ports/logger.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/**
 * Writes events of `level` and above to `fd` (1 = standard output). Errors under `error` and `cause` keep their stack.
 *
 * @param at when the event at hand happened, in milliseconds since 1970
 */
export function pinoLogger(level: LogLevel, fd = 1, at: () => number = Date.now): Logger {
  const sink = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp: () => `,"time":"${new Date(at()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err, cause: pino.stdSerializers.err },
    },
    pino.destination({ fd, sync: true }),
  )
  return {
    debug: (event, fields) => sink.debug(fields ?? {}, event),
    info: (event, fields) => sink.info(fields ?? {}, event),
    warn: (event, fields) => sink.warn(fields ?? {}, event),
    error: (event, fields) => sink.error(fields ?? {}, event),
  }
}
