/**
 * Compaction of keyed records of 200 B, batches of 16 kB, each key written five times on the average: how fast it is,
 * and what producers of another topic notice of it.
 */
import { crc32c } from '@node-rs/crc32'
import { buildBatch } from '../src/domain/log/batch-writer.ts'
import { CRC_COVERS_FROM, RecordBatchView } from '../src/domain/log/record-batch.ts'
import { alterTopic, checkAnswer, createTopic, encodeRequestFrame } from './frames.ts'
import { ask, latencies, load } from './load-client.ts'
import type { OwnTarget } from './processes.ts'
import { addressOf, timed, type StorageBench } from './storage-bench.ts'

const recordsOfBatch = 80
const keyBytes = 16
const valueBytes = 175
const versionsOfKey = 5
const batchesAtOnce = 5000
const perSecond = 200
const warmUpRequests = 600
const quietRequests = 2000

export async function compaction(bench: StorageBench): Promise<string> {
  const target = await bench.broker(['log.cleaner.backoff.ms=100'])
  const records = Math.ceil((1e9 / 200) * bench.size)
  const keys = Math.ceil(records / versionsOfKey)
  await createTopic(target.host, target.port, 'latency', 1)
  for (const topic of ['alone', 'beside']) await fillKeyed(target, topic, records, keys)

  const quick = await timed(target, () => compacted(target, 'alone'))
  const { from, to } = bytesOf(lastLine)
  const frame = encodeRequestFrame.produce('latency', [{ index: 0, records: encodeRequestFrame.batch(100, 100) }], -1)
  await latencies(target.host, target.port, frame, perSecond, warmUpRequests)
  const without = await latencies(target.host, target.port, frame, perSecond, quietRequests)
  const beside = await latenciesBeside(target, frame)
  await target.stop()
  const p99 = (delays: readonly number[]) => delays[Math.floor(delays.length * 0.99)]!
  return (
    `compaction of ${(from / 1e6).toFixed(0)} MB to ${(to / 1e6).toFixed(0)} MB, ${String(keys)} keys: ` +
    `${(from / 1e6 / quick.seconds).toFixed(0)} MB/s (at least 80), ${(from / 1e6 / quick.cpuSeconds).toFixed(0)} MB per CPU second, ` +
    `${quick.residentMb.toFixed(0)} MB resident\n` +
    `produce of 10 kB at ${String(perSecond)}/s: p99 ${p99(without).toFixed(2)} ms without, ${p99(beside.delays).toFixed(2)} ms beside it ` +
    `(at most twice; ${String(beside.delays.length)} requests, compaction at ${beside.mbPerSecond.toFixed(0)} MB/s)`
  )
}

let lastLine = ''

/** Lets the cleaner at the topic, and waits until it is through. */
async function compacted(target: OwnTarget, topic: string): Promise<void> {
  const done = target.logged(new RegExp(`"partition":"${topic}-0".*"event":"log compacted"`))
  await alterTopic(target.host, target.port, topic, 'cleanup.policy', 'compact')
  lastLine = await done
}

function bytesOf(line: string): { readonly from: number; readonly to: number } {
  const number = (key: string) => Number(new RegExp(`"${key}":"?(\\d+)`).exec(line)?.[1])
  return { from: number('bytesBefore'), to: number('bytesAfter') }
}

async function latenciesBeside(target: OwnTarget, frame: Uint8Array) {
  const delays: number[] = []
  const state = { running: true }
  const started = performance.now()
  const done = compacted(target, 'beside').then(() => {
    state.running = false
    return performance.now() - started
  })
  for (;;) {
    const some = await latencies(target.host, target.port, frame, perSecond, perSecond / 2)
    // half a second of which the end lay behind the compaction does not count
    if (!state.running) break
    delays.push(...some)
  }
  const tookMs = await done
  return { delays: delays.sort((a, b) => a - b), mbPerSecond: bytesOf(lastLine).from / 1e3 / tookMs }
}

/** Records with keys at random, in segments of 100 MB; the last one is ended, so that all can be compacted. */
async function fillKeyed(target: OwnTarget, topic: string, records: number, keys: number): Promise<void> {
  const settings = {
    'segment.bytes': '104857600',
    'segment.ms': '1',
    'min.cleanable.dirty.ratio': '0',
    'retention.ms': '-1',
  }
  await createTopic(target.host, target.port, topic, 1, settings)
  const random = randomNumbers(7)
  for (let left = Math.ceil(records / recordsOfBatch); left > 0; left -= batchesAtOnce) {
    const count = Math.min(left, batchesAtOnce)
    const frames = Array.from({ length: count }, () => {
      const batch = keyedBatch(() => random() % keys)
      return encodeRequestFrame.produce(topic, [{ index: 0, records: batch }], 1)
    })
    const address = addressOf(target)
    await load({ ...address, connections: 1, inFlight: 5, frames, requests: count, check: checkAnswer.produce })
  }
  // all others have one timestamp: only a later one is time passing
  const last = { timestamp: BigInt(Date.now()) + 1000n, key: Buffer.from('last'), value: Buffer.alloc(1) }
  const batch = buildBatch([last], {}, (bytes) => crc32c(bytes))
  await ask(target.host, target.port, encodeRequestFrame.produce(topic, [{ index: 0, records: batch }], 1))
}

const template: { batch: Uint8Array; readonly keysAt: number[] } = { batch: new Uint8Array(0), keysAt: [] }

/** Copies of one batch with other keys: encoding each anew would take longer than compacting it. */
function keyedBatch(drawKey: () => number): Uint8Array {
  if (template.keysAt.length === 0) makeTemplate()
  const bytes = Buffer.from(template.batch)
  for (const at of template.keysAt) bytes.write(drawKey().toString().padStart(keyBytes, '0'), at, 'latin1')
  new RecordBatchView(bytes).setCrc(crc32c(bytes.subarray(CRC_COVERS_FROM)))
  return bytes
}

function makeTemplate(): void {
  const key = Buffer.alloc(keyBytes, 'k')
  const value = Buffer.alloc(valueBytes)
  for (let i = 0; i < valueBytes; i++) value[i] = (i * 31 + 7) & 0x3f
  const timestamp = BigInt(Date.now())
  const records = Array.from({ length: recordsOfBatch }, () => ({ timestamp, key, value }))
  template.batch = buildBatch(records, {}, (bytes) => crc32c(bytes))
  const haystack = Buffer.from(template.batch)
  for (let at = haystack.indexOf(key); at >= 0; at = haystack.indexOf(key, at + keyBytes)) template.keysAt.push(at)
}

/** A linear congruential generator: the same keys in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 4
  }
}
