/** A file store over a temporary folder, with timers that a test fires and log lines that it reads. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileLogStoreOptions } from '../../src/adapters/storage-fs/file-log-store.ts'
import { FileLogStore } from '../../src/adapters/storage-fs/file-log-store.ts'
import { BufferPool } from '../../src/adapters/storage-fs/buffer-pool.ts'
import { DelayedRemoval } from '../../src/adapters/storage-fs/delayed-removal.ts'
import { EndOfTurn } from '../../src/adapters/storage-fs/end-of-turn.ts'
import type { FileSystem } from '../../src/adapters/storage-fs/file-system.ts'
import { nodeFileSystem } from '../../src/adapters/storage-fs/file-system.ts'
import { IndexCache } from '../../src/adapters/storage-fs/index-cache.ts'
import { OpenFiles } from '../../src/adapters/storage-fs/open-files.ts'
import type { StorageContext } from '../../src/adapters/storage-fs/storage-context.ts'
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

/** What a store gives its parts, for tests of a part alone. */
export function storageContext({ timers, events }: FileStorage): StorageContext {
  const logger = recordingLogger(events)
  return {
    fs: nodeFileSystem,
    files: new OpenFiles(nodeFileSystem, 4),
    pool: new BufferPool(1 << 20),
    indexes: new IndexCache(1 << 20),
    removal: new DelayedRemoval(nodeFileSystem, timers, logger),
    endOfTurn: new EndOfTurn(),
    checksum: testChecksum,
    timers,
    logger,
    drawJitter: () => 0,
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

/**
 * The machine's file system under a process that can be killed: from then on nothing that it does happens, nothing
 * that it waits for resolves, and its descriptors and locks are gone.
 */
export class MortalFileSystem {
  readonly #descriptors = new Set<number>()
  readonly #unlocks = new Set<() => Promise<void>>()
  readonly #running = new Set<Promise<unknown>>()
  #alive = true
  readonly system: FileSystem

  constructor(under: FileSystem = nodeFileSystem) {
    const guarded =
      <A extends unknown[], T>(operation: (...args: A) => Promise<T>) =>
      (...args: A): Promise<T> => {
        if (!this.#alive) return new Promise<T>(() => undefined)
        const running = operation(...args)
        const settled: Promise<void> = running.then(
          () => void this.#running.delete(settled),
          () => void this.#running.delete(settled),
        )
        this.#running.add(settled)
        return running.finally(() => (this.#alive ? undefined : new Promise(() => undefined)))
      }
    this.system = {
      open: guarded(async (path, flags) => {
        const fd = await under.open(path, flags)
        this.#descriptors.add(fd)
        return fd
      }),
      close: guarded(async (fd) => {
        this.#descriptors.delete(fd)
        await under.close(fd)
      }),
      lock: guarded(async (path) => {
        const unlock = await under.lock(path)
        if (unlock === null) return null
        this.#unlocks.add(unlock)
        return guarded(async () => {
          this.#unlocks.delete(unlock)
          await unlock()
        })
      }),
      read: guarded((...args) => under.read(...args)),
      writev: guarded((...args) => under.writev(...args)),
      truncate: guarded((...args) => under.truncate(...args)),
      sync: guarded((...args) => under.sync(...args)),
      syncDirectory: guarded((path) => under.syncDirectory(path)),
      sizeOf: guarded((path) => under.sizeOf(path)),
      modifiedMs: guarded((path) => under.modifiedMs(path)),
      list: guarded((path) => under.list(path)),
      readFile: guarded((path) => under.readFile(path)),
      makeDirectory: guarded((path) => under.makeDirectory(path)),
      rename: guarded((from, to) => under.rename(from, to)),
      remove: guarded((path) => under.remove(path)),
      space: guarded((path) => under.space(path)),
    }
  }

  async kill(): Promise<void> {
    this.#alive = false
    await Promise.all(this.#running)
    for (const fd of this.#descriptors) await nodeFileSystem.close(fd)
    for (const unlock of this.#unlocks) await unlock()
  }
}
