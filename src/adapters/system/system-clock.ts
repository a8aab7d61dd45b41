import type { Clock } from '../../application/ports/clock.ts'

/** The machine's clocks. */
export class SystemClock implements Clock {
  nowMs(): bigint {
    return BigInt(Date.now())
  }

  /** `process.hrtime` because `performance` is a module that Node loads at its first use, in the middle of a start. */
  monotonicMs(): number {
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1000 + nanoseconds / 1e6
  }
}
