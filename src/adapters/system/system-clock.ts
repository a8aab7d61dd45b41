import type { Clock } from '../../application/ports/clock.ts'

/** The machine's clocks. */
export class SystemClock implements Clock {
  nowMs(): bigint {
    return BigInt(Date.now())
  }

  monotonicMs(): number {
    return performance.now()
  }
}
