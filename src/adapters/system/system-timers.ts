import type { Timer, Timers } from '../../application/ports/timers.ts'

/** Node's timers are limited to this; longer delays are waited for in parts. */
const DELAY_MS_MAX = 0x7fffffff

/** Node's timers, none of which keeps the process alive. */
export class SystemTimers implements Timers {
  after(delayMs: number, run: () => void): Timer {
    let handle: NodeJS.Timeout
    const arm = (leftMs: number): void => {
      const part = Math.min(leftMs, DELAY_MS_MAX)
      handle = setTimeout(() => {
        if (leftMs > part) arm(leftMs - part)
        else run()
      }, part)
      handle.unref()
    }
    arm(Math.max(0, delayMs))
    return { cancel: () => clearTimeout(handle) }
  }
}
