/**
 * What storage costs beside the way of a request: recovery after a crash, starts with very many partitions, a log of
 * very many segments, compaction, and a flush for every message. Each brings its own bounds.
 */
import { compaction } from './compaction.ts'
import { encodeRequestFrame } from './frames.ts'
import { flushing } from './flushing.ts'
import { manyPartitions } from './many-partitions.ts'
import { manySegments } from './many-segments.ts'
import { usageOf } from './processes.ts'
import {
  fill,
  forgetRecoveryPoints,
  median,
  readAll,
  sizeOfLogs,
  startTimed,
  whenServed,
  type StorageBench,
  type StorageScenario,
} from './storage-bench.ts'

const topic = 'bench'
const recoveries = 3

export const storageScenarios: readonly StorageScenario[] = [
  { name: 'recovery', run: (bench) => recovery(bench, 1000, 'batches of 100 kB', 100) },
  { name: 'recovery-16kb', run: (bench) => recovery(bench, 1000, 'batches of 16 kB', 16) },
  { name: 'many-partitions', run: manyPartitions },
  { name: 'many-segments', run: manySegments },
  { name: 'compaction', run: compaction },
  { name: 'flush-each', onDisk: true, run: flushing },
]

/** Killed, and nothing known of what was on the disk: every batch is read, from cached files, until it is served. */
async function recovery(bench: StorageBench, megabytes: number, title: string, records: number): Promise<string> {
  const first = await bench.broker()
  await fill(first, topic, encodeRequestFrame.batch(records, 1000), megabytes * bench.size)
  await first.kill()
  const folder = `${bench.directory}/${topic}-0`
  const bytes = sizeOfLogs(folder)
  readAll(folder)
  const perCpuSecond: number[] = []
  const perSecond: number[] = []
  for (let i = 0; i < recoveries; i++) {
    forgetRecoveryPoints(bench.directory)
    const started = performance.now()
    const { target } = await startTimed(bench)
    await whenServed(target, topic, 0n)
    perSecond.push(bytes / 1e6 / ((performance.now() - started) / 1000))
    perCpuSecond.push(bytes / 1e6 / usageOf(target.pid).cpuSeconds)
    await target.kill()
  }
  return (
    `recovery of ${(bytes / 1e6).toFixed(0)} MB in ${title}: ${median(perCpuSecond).toFixed(0)} MB per CPU second, the ` +
    `start of the process included (at least 500), ${median(perSecond).toFixed(0)} MB/s from its start until served`
  )
}
