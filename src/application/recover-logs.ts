/**
 * Recovery after an unclean stop: opens the logs that need it, each directory beside the others and several logs of
 * one at a time (`num.recovery.threads.per.data.dir`), and says how far it is when it takes longer than a second and,
 * at the end, what it found. What is done to a log is the storage's; clients that ask for one meanwhile do not wait
 * for the others.
 */
import type { TopicPartition } from '../domain/topic-partition.ts'
import type { Clock } from './ports/clock.ts'
import type { ListedLog, LogRepairs } from './ports/log-store.ts'
import type { Logger } from './ports/logger.ts'
import type { Timer, Timers } from './ports/timers.ts'

interface RecoveryPorts {
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
}

/** As far as recovery looks at a partition. */
interface RecoveredPartition {
  readonly state: 'opening' | 'open' | 'offline' | 'closed'
  readonly log: { readonly repairs?: LogRepairs | null } | null
  whenOpen(): Promise<void>
  sizeBytes(): number
}

interface DirectoryProgress {
  readonly path: string
  readonly logs: number
  done: number
  /** Of the logs that are done. */
  bytes: number
}

/**
 * How many logs of one directory are recovered at a time. All of them run on one thread and wait for the disk: it takes
 * several to keep it as busy as a thread of Kafka's.
 */
export function logsPerDirectory(threads: number): number {
  return Math.max(1, threads) * 4
}

const PROGRESS_MS = 1000

/**
 * Resolves when all are open or offline; never rejects.
 * @param find the partition of a log, which opens it; null = it is gone, or nothing is to be opened any more
 */
export async function recoverLogs(
  ports: RecoveryPorts,
  threads: () => number,
  unclean: readonly ListedLog[],
  find: (partition: TopicPartition) => RecoveredPartition | null,
): Promise<void> {
  if (unclean.length === 0) return
  const { clock, logger } = ports
  const beganMs = clock.monotonicMs()
  const found = { repaired: 0, cutBytes: 0, finished: 0, undone: 0, offline: 0 }
  const directories = byDirectory(unclean)
  const progress = [...directories.keys()].map((path) => ({
    path,
    logs: directories.get(path)!.length,
    done: 0,
    bytes: 0,
  }))
  const stop = reportEach(ports, progress)
  const recoverOne = async ({ topicPartition }: ListedLog, directory: DirectoryProgress) => {
    const hosted = find(topicPartition)
    if (hosted === null) return
    await hosted.whenOpen()
    if (hosted.state === 'offline') found.offline++
    const repairs = hosted.log?.repairs ?? null
    if (repairs !== null) {
      found.repaired++
      found.cutBytes += repairs.cutBytes
      found.finished += repairs.finished
      found.undone += repairs.undone
    }
    directory.done++
    directory.bytes += hosted.sizeBytes()
  }
  const atOnce = logsPerDirectory(threads())
  await Promise.all(
    progress.map(async (directory) => {
      const waiting = directories.get(directory.path)!.values()
      const worker = async () => {
        for (const log of waiting) await recoverOne(log, directory)
      }
      await Promise.all(Array.from({ length: atOnce }, worker))
    }),
  )
  stop()
  const done = progress.reduce((sum, directory) => sum + directory.done, 0)
  const tookMs = Math.round(clock.monotonicMs() - beganMs)
  logger.info('recovery finished', { logs: done, of: unclean.length, directories: progress.length, tookMs, ...found })
}

function byDirectory(logs: readonly ListedLog[]): ReadonlyMap<string, readonly ListedLog[]> {
  const directories = new Map<string, ListedLog[]>()
  for (const log of logs) {
    const of = directories.get(log.directory)
    if (of === undefined) directories.set(log.directory, [log])
    else of.push(log)
  }
  return directories
}

/** A line a second, from the end of the first one on; answers how to end it. */
function reportEach({ timers, logger }: RecoveryPorts, progress: readonly DirectoryProgress[]): () => void {
  let timer: Timer
  const later = () => {
    timer = timers.after(PROGRESS_MS, () => {
      logger.info('recovery under way', { directories: progress.map((directory) => ({ ...directory })) })
      later()
    })
  }
  later()
  return () => timer.cancel()
}
