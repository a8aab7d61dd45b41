/**
 * The ordered writer of one log with group commit: what is pushed in one turn goes out as one append, and everything
 * that queues up while it is under way as the next one.
 */
import type { PartitionLog, StampedBatch } from './ports/log-store.ts'

/** Something that waits for the log to be written up to here. */
export interface QueuedWrite {
  /** null = nothing to write: it waits for what is before it (the answer to a duplicate). */
  readonly batch: StampedBatch | null
  /** Called once, with what happened. */
  settle(written: boolean): void
}

export interface WriteQueueEvents {
  /** The batches up to `end` are written; called before their `settle`. */
  written(batches: readonly StampedBatch[], end: bigint): void
  /** An append failed: nothing will be written any more. */
  failed(cause: unknown): void
}

export class WriteQueue {
  readonly #log: PartitionLog
  readonly #events: WriteQueueEvents
  #queued: QueuedWrite[] = []
  #beforeNext: (() => void)[] = []
  #writing = false
  #broken = false
  #whenIdle: (() => void)[] = []

  constructor(log: PartitionLog, events: WriteQueueEvents) {
    this.#log = log
    this.#events = events
  }

  push(write: QueuedWrite): void {
    if (this.#broken) {
      write.settle(false)
      return
    }
    this.#queued.push(write)
    if (this.#writing) return
    this.#writing = true
    this.#writeSoon()
  }

  /** Calls `run` right before the next write begins, which comes also for its sake: what it pushes goes out with that. */
  beforeNext(run: () => void): void {
    if (this.#broken) {
      run()
      return
    }
    this.#beforeNext.push(run)
    if (this.#writing) return
    this.#writing = true
    this.#writeSoon()
  }

  /** Resolves when nothing is queued or being written. */
  idle(): Promise<void> {
    return this.#writing ? new Promise((resolve) => this.#whenIdle.push(resolve)) : Promise.resolve()
  }

  /** Not at once: what else has arrived by now goes out with it. A hand-over to the storage costs more than all else. */
  #writeSoon(): void {
    if (this.#log.gather === undefined) void Promise.resolve().then(this.#writeGathered)
    else this.#log.gather(this.#writeGathered)
  }

  readonly #writeGathered = (): void => {
    this.#writing = false
    this.#writeNext()
  }

  #writeNext(): void {
    this.#takeLatecomers()
    while (this.#queued.length > 0) {
      const group = this.#queued
      this.#queued = []
      const batches: StampedBatch[] = []
      for (const write of group) if (write.batch !== null) batches.push(write.batch)
      if (batches.length === 0) {
        // What this lets in is queued, and written by the next round of this loop.
        this.#writing = true
        settleAll(group, true)
        this.#writing = false
        continue
      }
      this.#writing = true
      this.#write(group, batches)
      return
    }
    const idle = this.#whenIdle
    this.#whenIdle = []
    for (const resolve of idle) resolve()
  }

  #write(group: readonly QueuedWrite[], batches: readonly StampedBatch[]): void {
    const at = batches[0]!.baseOffset
    let now: 'appended' | null
    try {
      now = this.#log.appendNow?.(at, batches) ?? null
    } catch (cause) {
      this.#failed(group, cause)
      return
    }
    if (now === 'appended') {
      this.#written(group, batches)
      return
    }
    this.#log.append(at, batches).then(
      (outcome) => {
        if (outcome === 'appended') this.#written(group, batches)
        else this.#failed(group, new Error('Somebody else appended to the log'))
      },
      (cause: unknown) => this.#failed(group, cause),
    )
  }

  #takeLatecomers(): void {
    const runs = this.#beforeNext
    if (runs.length === 0) return
    this.#beforeNext = []
    // What they push is taken by the write that is to begin, and begins none.
    this.#writing = true
    for (const run of runs) run()
    this.#writing = false
  }

  #written(group: readonly QueuedWrite[], batches: readonly StampedBatch[]): void {
    this.#events.written(batches, batches[batches.length - 1]!.lastOffset + 1n)
    // Before the next write begins: what this lets in goes out with it.
    settleAll(group, true)
    if (this.#queued.length > 0 || this.#beforeNext.length > 0) this.#writeSoon()
    else this.#writeGathered()
  }

  #failed(group: readonly QueuedWrite[], cause: unknown): void {
    this.#writing = false
    this.#broken = true
    const rest = this.#queued
    this.#queued = []
    this.#events.failed(cause)
    settleAll(group, false)
    settleAll(rest, false)
    this.#writeNext()
  }
}

function settleAll(writes: readonly QueuedWrite[], written: boolean): void {
  for (const write of writes) write.settle(written)
}
