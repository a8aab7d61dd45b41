/**
 * One structured line per event. `info` is what an operator must know (listening, formatted, recovered, topic
 * created), `debug` one line per request, `warn` something refused or odd, `error` a bug or failed I/O.
 */
export interface Logger {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void
  info(event: string, fields?: Readonly<Record<string, unknown>>): void
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void
  error(event: string, fields?: Readonly<Record<string, unknown>>): void
}
