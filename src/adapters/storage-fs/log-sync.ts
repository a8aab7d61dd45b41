/** What of one log is on the disk: brings the rest there, now or after `flush.ms`. Its owner says when it may run. */
import type { LogOptions } from '../../application/ports/log-store.ts'
import type { Timer } from '../../application/ports/timers.ts'
import type { FileSegment } from './file-segment.ts'
import type { LogActivity } from './log-activity.ts'
import { syncSegments } from './segment-list.ts'
import type { StorageContext } from './storage-context.ts'

/** Delays above it are not timers: they mean that the operating system decides. */
const FLUSH_MS_MAX = 0x7fff_ffffn

export class LogSync {
  /** Everything below it is on the disk. */
  recoveryPoint: bigint
  readonly #context: StorageContext
  readonly #folder: string
  readonly #segments: readonly FileSegment[]
  readonly #activity: LogActivity
  #timer: Timer | null = null

  constructor(
    context: StorageContext,
    folder: string,
    segments: readonly FileSegment[],
    activity: LogActivity,
    recoveryPoint: bigint,
  ) {
    this.#context = context
    this.#folder = folder
    this.#segments = segments
    this.#activity = activity
    this.recoveryPoint = recoveryPoint
  }

  /** Brings everything below `end`, which is written, to the disk: only what is not there yet. */
  async to(end: bigint): Promise<void> {
    if (end <= this.recoveryPoint) return
    await syncSegments(this.#context, this.#folder, this.#segments, this.recoveryPoint, end)
    if (end > this.recoveryPoint) this.recoveryPoint = end
  }

  /** Something was written: syncs up to the `end` of then after `flush.ms`, unless that is asked for already. */
  later({ flushMs }: Pick<LogOptions, 'flushMs'>, end: () => bigint): void {
    if (this.#timer !== null || flushMs > FLUSH_MS_MAX) return
    this.#timer = this.#context.timers.after(Number(flushMs), () => {
      this.#timer = null
      if (this.#activity.state === 'open') this.#activity.later(() => this.to(end()))
    })
  }

  /** `flush.ms` has changed: what is not on the disk yet waits that long from now on. */
  rescheduled(options: Pick<LogOptions, 'flushMs'>, end: () => bigint): void {
    this.#timer?.cancel()
    this.#timer = null
    if (end() > this.recoveryPoint) this.later(options, end)
  }

  cancel(): void {
    this.#timer?.cancel()
  }
}
