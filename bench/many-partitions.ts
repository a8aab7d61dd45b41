/** Starts with 10,000 partitions of one batch each: after a clean stop, after a kill, and what retention then opens. */
import { checkAnswer, createTopic, encodeRequestFrame } from './frames.ts'
import { load } from './load-client.ts'
import { usageOf, type OwnTarget } from './processes.ts'
import { addressOf, bytesRead, pause, secondsOf, startTimed, type StorageBench } from './storage-bench.ts'

const topics = 10
const partitionsOfEach = 1000
const settledMs = 200
const settledCpuSeconds = 0.005
const quietTimes = 4

export async function manyPartitions(bench: StorageBench): Promise<string> {
  const count = Math.ceil(partitionsOfEach * Math.min(1, bench.size))
  const lines: string[] = []
  const first = await bench.broker()
  const creating = await secondsOf(() => create(first, count))
  const fullStop = await secondsOf(() => first.stop())
  lines.push(
    `${String(topics * count)} partitions created and written to in ${creating.toFixed(1)} s, stopped in ${fullStop.toFixed(1)} s`,
  )

  const clean = await startTimed(bench)
  const read = bytesRead(clean.target)
  const { residentMb, cpuSeconds } = usageOf(clean.target.pid)
  const unused = await secondsOf(() => clean.target.stop())
  lines.push(
    `clean start until it listens: ${clean.seconds.toFixed(2)} s (at most 3), ${cpuSeconds.toFixed(2)} s CPU, ` +
      `${residentMb.toFixed(0)} MB resident (at most 250), ${(read / 1e6).toFixed(1)} MB read; stopped unused in ${unused.toFixed(2)} s`,
  )

  const retained = await startTimed(bench, ['log.initial.task.delay.ms=0'])
  await whenQuiet(retained.target)
  const after = usageOf(retained.target.pid)
  const used = await secondsOf(() => retained.target.stop())
  lines.push(
    `after the first pass of retention over all of them: ${after.cpuSeconds.toFixed(1)} s CPU, ` +
      `${after.residentMb.toFixed(0)} MB resident; stopped in ${used.toFixed(2)} s`,
  )

  const doomed = await bench.broker()
  // until something is written the directory still counts as cleanly stopped
  await produce(doomed, 'bench-0', 1)
  await doomed.kill()
  const unclean = await startTimed(bench)
  const recovered = (await secondsOf(() => whenQuiet(unclean.target))) - (quietTimes * settledMs) / 1000
  const usage = usageOf(unclean.target.pid)
  lines.push(
    `start after a kill: listens after ${unclean.seconds.toFixed(2)} s, all recovered about ${recovered.toFixed(1)} s ` +
      `later, ${usage.cpuSeconds.toFixed(1)} s CPU, ${usage.residentMb.toFixed(0)} MB resident`,
  )
  await unclean.target.stop()
  return lines.join('\n')
}

/** One batch in each, which also says that its folder is there. */
async function create(target: OwnTarget, count: number): Promise<void> {
  for (let i = 0; i < topics; i++) {
    const name = `bench-${String(i)}`
    await createTopic(target.host, target.port, name, count)
    await produce(target, name, count)
  }
}

async function produce(target: OwnTarget, topic: string, count: number): Promise<void> {
  const records = encodeRequestFrame.batch(10, 100)
  const partitions = Array.from({ length: count }, (_, index) => ({ index, records }))
  const frames = [encodeRequestFrame.produce(topic, partitions, 1)]
  await load({ ...addressOf(target), connections: 1, inFlight: 1, frames, requests: 1, check: checkAnswer.produce })
}

/** Resolves when the process has all but stopped computing for a while. */
async function whenQuiet({ pid }: OwnTarget): Promise<void> {
  let before = usageOf(pid).cpuSeconds
  for (let quiet = 0; quiet < quietTimes;) {
    await pause(settledMs)
    const now = usageOf(pid).cpuSeconds
    quiet = now - before < settledCpuSeconds ? quiet + 1 : 0
    before = now
  }
}
