/**
 * A Logger that keeps the first events until another one is there to write them: a start need not wait for a library
 * that only writes. They come out in their order, each with the time at which it happened, and before any later one.
 */
import type { Logger } from '../../application/ports/logger.ts'

interface Early {
  readonly method: keyof Logger
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>> | undefined
  readonly ms: number
}

export class EarlyLogger implements Logger {
  readonly #nowMs: () => number
  readonly #early: Early[] = []
  #real: Logger | null = null
  #ms: number | null = null

  /** @param nowMs wall clock */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** When the event that is being written happened. */
  readonly at = (): number => this.#ms ?? this.#nowMs()

  /** Hands over what was kept; from then on every event goes straight to `real`. Only the first call counts. */
  open(real: Logger): void {
    if (this.#real !== null) return
    this.#real = real
    for (const { method, event, fields, ms } of this.#early.splice(0)) {
      this.#ms = ms
      real[method](event, fields)
    }
    this.#ms = null
  }

  debug(event: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('debug', event, fields)
  }

  info(event: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('info', event, fields)
  }

  warn(event: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('warn', event, fields)
  }

  error(event: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('error', event, fields)
  }

  #log(method: keyof Logger, event: string, fields: Readonly<Record<string, unknown>> | undefined): void {
    if (this.#real === null) this.#early.push({ method, event, fields, ms: this.#nowMs() })
    else this.#real[method](event, fields)
  }
}
