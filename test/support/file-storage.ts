/** A file store over a temporary folder, with timers that a test fires and log lines that it reads. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileLogStoreOptions } from '../../src/adapters/storage-fs/file-log-store.ts'
import { FileLogStore } from '../../src/adapters/storage-fs/file-log-store.ts'
import type { Logger } from '../../src/application/ports/logger.ts'
import type { Random } from '../../src/application/ports/random.ts'
import type { Timers } from '../../src/application/ports/timers.ts'
import { testChecksum } from './stored-batches.ts'

/** Timers that never fire by themselves. */
export class HeldTimers implements Timers {
  readonly pending = new Set<{ readonly delayMs: number; readonly run: () => void }>()

  after(delayMs: number, run: () => void) {
    const timer = { delayMs, run, cancel: () => this.pending.delete(timer) }
    this.pending.add(timer)
    return timer
  }

  /** Fires what is due within `delayMs`. */
  fire(delayMs: number): void {
    for (const timer of [...this.pending]) {
      if (timer.delayMs > delayMs) continue
      this.pending.delete(timer)
      timer.run()
    }
  }
}

export interface LoggedEvent {
  readonly level: keyof Logger
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

export function recordingLogger(events: LoggedEvent[]): Logger {
  const at =
    (level: keyof Logger): Logger['info'] =>
    (event, fields = {}) =>
      void events.push({ level, event, fields })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Counts up, so that a run repeats. */
export function countingRandom(): Random {
  let next = 0
  return {
    uuid: () => Buffer.from((next++).toString(16).padStart(32, '0'), 'hex').toString('base64url'),
    integer: (below) => next++ % below,
  }
}

export interface FileStorage {
  readonly path: string
  readonly timers: HeldTimers
  readonly events: LoggedEvent[]
  store(options?: Partial<FileLogStoreOptions>): FileLogStore
  dispose(): Promise<void>
}

export async function fileStorage(): Promise<FileStorage> {
  const path = await mkdtemp(join(tmpdir(), 'odradek-storage-'))
  const timers = new HeldTimers()
  const events: LoggedEvent[] = []
  const random = countingRandom()
  return {
    path,
    timers,
    events,
    store: (options = {}) =>
      new FileLogStore({
        directories: [join(path, 'data')],
        checksum: testChecksum,
        timers,
        random,
        logger: recordingLogger(events),
        ...options,
      }),
    dispose: () => rm(path, { recursive: true, force: true }),
  }
}
