/**
 * `flush.messages=1`: every acknowledged request is on the disk. Beside it a floor that does no more than appending what
 * as many connections bring, with one fdatasync for each group; and the disk itself, in groups a second, with no
 * connection at all.
 */
import { closeSync, fdatasyncSync, openSync, writevSync } from 'node:fs'
import path from 'node:path'
import { checkAnswer, createTopic, encodeRequestFrame } from './frames.ts'
import { load } from './load-client.ts'
import type { OwnTarget } from './processes.ts'
import { positions } from './scenarios.ts'
import { addressOf, median, timed, type StorageBench } from './storage-bench.ts'

const connections = 64
const rounds = 3
const bareMs = 1000
const answerBytes = 80

interface Rates {
  readonly ours: number[]
  readonly floor: number[]
  readonly cpu: number[]
  readonly floorCpu: number[]
}

export async function flushing(bench: StorageBench): Promise<string> {
  const record = encodeRequestFrame.batch(1, 1000)
  const requests = Math.ceil(10_000 * bench.size)
  const broker = await bench.broker()
  const lines: string[] = []
  for (const partitions of [1, connections]) {
    const topic = `flushed-${String(partitions)}`
    await createTopic(broker.host, broker.port, topic, partitions, { 'flush.messages': '1' })
    const frames = Array.from({ length: partitions }, (_, index) =>
      encodeRequestFrame.produce(topic, [{ index, records: record }], -1),
    )
    const batches = positions(frames[0]!, record).map((offset) => ({ offset, length: record.length }))
    const floor = await bench.floor({ kind: 'plain', partitions, batches, answerBytes, sync: true })
    const rates = await compare(broker, floor, frames, requests)
    await floor.stop()
    const [ours, theirs] = [median(rates.ours), median(rates.floor)]
    const bare = bareGroups(bench.directory, record)
    lines.push(
      `flush.messages=1, ${String(connections)} connections, ${String(partitions)} partition(s): ${ours.toFixed(0)} acknowledged ` +
        `requests/s, the floor ${theirs.toFixed(0)}, ratio ${(ours / theirs).toFixed(2)} (at least 0.5); ` +
        `${median(rates.cpu).toFixed(0)} µs CPU a request, the floor ${median(rates.floorCpu).toFixed(0)}`,
      `  the disk alone: ${bare.toFixed(0)} groups/s of ${String(connections)} records`,
    )
  }
  await broker.stop()
  return lines.join('\n')
}

async function compare(broker: OwnTarget, floor: OwnTarget, frames: readonly Uint8Array[], requests: number) {
  const rates: Rates = { ours: [], floor: [], cpu: [], floorCpu: [] }
  await produce(broker, frames, requests, true)
  await produce(floor, frames, requests, false)
  for (let i = 0; i < rounds; i++) {
    const ours = await timed(broker, () => produce(broker, frames, requests, true))
    const theirs = await timed(floor, () => produce(floor, frames, requests, false))
    rates.ours.push(requests / ours.result.seconds)
    rates.floor.push(requests / theirs.result.seconds)
    rates.cpu.push((ours.cpuSeconds / requests) * 1e6)
    rates.floorCpu.push((theirs.cpuSeconds / requests) * 1e6)
  }
  return rates
}

/** Its seconds are those of the requests, without connecting. */
async function produce(target: OwnTarget, frames: readonly Uint8Array[], requests: number, protocol: boolean) {
  const check = protocol ? checkAnswer.produce : () => undefined
  return await load({ ...addressOf(target), connections, inFlight: 1, frames, requests, check })
}

/** Appends of one record of every writer, one fdatasync each. */
function bareGroups(directory: string, record: Uint8Array): number {
  const fd = openSync(path.join(directory, '.bare'), 'w')
  const group = Array.from({ length: connections }, () => record)
  const started = performance.now()
  let groups = 0
  for (; performance.now() - started < bareMs; groups++) {
    writevSync(fd, group, groups * connections * record.length)
    fdatasyncSync(fd)
  }
  closeSync(fd)
  return groups / ((performance.now() - started) / 1000)
}
