import type { Logger } from '../../application/ports/logger.ts'

/** Drops everything: the default inside another program, whose log is its own. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
