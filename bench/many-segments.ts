/** A partition of 10,000 segments beside one of a single segment, in one broker: what a fetch at their tails costs. */
import { crc32c } from '@node-rs/crc32'
import { buildBatch } from '../src/domain/log/batch-writer.ts'
import { checkAnswer, createTopic, encodeRequestFrame } from './frames.ts'
import { load } from './load-client.ts'
import type { OwnTarget } from './processes.ts'
import { addressOf, median, openDescriptors, secondsOf, startTimed, timed, type StorageBench } from './storage-bench.ts'

const rounds = 5
const fetches = 5000
const recordsOfEach = 10

export async function manySegments(bench: StorageBench): Promise<string> {
  const segments = Math.ceil(10_000 * Math.min(1, bench.size))
  const lines: string[] = []
  const first = await bench.broker()
  const rolling = await secondsOf(async () => {
    await write(first, 'one', segments, { 'retention.ms': '-1' })
    await write(first, 'many', segments, { 'retention.ms': '-1', 'segment.ms': '1' })
  })
  lines.push(
    `${String(segments)} segments rolled in ${rolling.toFixed(1)} s; ${await compare(first, segments, 'memory')}`,
  )
  const stopped = await secondsOf(() => first.stop())
  const again = await startTimed(bench)
  const opened = await secondsOf(() => fetchTail(again.target, 'many', segments, 1))
  lines.push(
    `stopped in ${stopped.toFixed(2)} s, started in ${again.seconds.toFixed(2)} s, first fetch after ${(opened * 1000).toFixed(0)} ms; ` +
      (await compare(again.target, segments, 'the file')),
  )
  lines.push(`${String(openDescriptors(again.target))} open descriptors`)
  await again.target.stop()
  return lines.join('\n')
}

/** As many small batches as there are to be segments, each a second after the one before. */
async function write(
  target: OwnTarget,
  topic: string,
  count: number,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  await createTopic(target.host, target.port, topic, 1, settings)
  const value = Buffer.alloc(100, 7)
  const begin = Date.now() - count * 1000
  const frames = Array.from({ length: count }, (_, i) => {
    const timestamp = BigInt(begin + i * 1000)
    const records = Array.from({ length: recordsOfEach }, () => ({ timestamp, key: null, value }))
    const batch = buildBatch(records, {}, (bytes) => crc32c(bytes))
    return encodeRequestFrame.produce(topic, [{ index: 0, records: batch }], 1)
  })
  await load({ ...addressOf(target), connections: 1, inFlight: 5, frames, requests: count, check: checkAnswer.produce })
}

async function fetchTail(target: OwnTarget, topic: string, segments: number, requests: number): Promise<void> {
  const frames = [encodeRequestFrame.fetch(topic, BigInt((segments - 1) * recordsOfEach), 100_000)]
  await load({ ...addressOf(target), connections: 1, inFlight: 1, frames, requests, check: checkAnswer.fetch })
}

async function compare(target: OwnTarget, segments: number, from: string): Promise<string> {
  const costs: Record<string, number[]> = { one: [], many: [] }
  await fetchTail(target, 'one', segments, fetches)
  await fetchTail(target, 'many', segments, fetches)
  for (let i = 0; i < rounds; i++) {
    for (const [topic, all] of Object.entries(costs)) {
      all.push((await timed(target, () => fetchTail(target, topic, segments, fetches))).cpuSeconds)
    }
  }
  const [one, many] = [median(costs['one']!), median(costs['many']!)].map((cost) => (cost / fetches) * 1e6)
  return (
    `a fetch at the tail from ${from}: ${one!.toFixed(0)} µs CPU with one segment, ${many!.toFixed(0)} with ` +
    `${String(segments)}, ratio ${(many! / one!).toFixed(2)} (at most 1.1)`
  )
}
