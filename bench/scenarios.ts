/**
 * What is measured: each scenario says which frames are sent how often, what a right answer looks like, and the plan
 * of the floors that stand beside it. Sizes are those of the figures in README.md.
 */
import { encodeRequestFrame } from './frames.ts'
import type { FloorPlan } from './floor.ts'

export interface Scenario {
  readonly name: string
  readonly title: string
  /** At most this multiple of the plain floor's CPU seconds per GB. */
  readonly atMost: number
  readonly connections: number
  readonly inFlight: number
  readonly partitions: number
  readonly requests: number
  /** Sent before the measurement starts, to the floor as well: a just-in-time compiler is at work at first. */
  readonly warmUpRequests: number
  /** Record bytes that one request carries, in batches. */
  readonly bytesPerRequest: number
  readonly recordsPerRequest: number
  readonly frames: readonly Uint8Array[]
  readonly kind: 'produce' | 'tail fetch' | 'cold fetch'
  readonly floor: Omit<FloorPlan, 'directory' | 'kind'>
  /** Produced before the measurement starts (fetches need something to read). */
  readonly preload?: { readonly frame: Uint8Array; readonly requests: number }
}

interface ProduceShape {
  readonly name: string
  readonly title: string
  readonly atMost: number
  readonly connections: number
  readonly inFlight: number
  readonly partitions: number
  /** Partitions that one request writes to. */
  readonly partitionsPerRequest: number
  readonly recordBytes: number
  readonly recordsPerBatch: number
  readonly acks: number
  readonly megabytes: number
}

export const topic = 'bench'
const warmUpShare = 0.4

function produceScenario(shape: ProduceShape): Scenario {
  const batch = encodeRequestFrame.batch(shape.recordsPerBatch, shape.recordBytes)
  const groups = shape.partitions / shape.partitionsPerRequest
  const frames = Array.from({ length: groups }, (_, group) =>
    encodeRequestFrame.produce(
      topic,
      Array.from({ length: shape.partitionsPerRequest }, (__, i) => ({
        index: group * shape.partitionsPerRequest + i,
        records: batch,
      })),
      shape.acks,
    ),
  )
  const bytesPerRequest = batch.length * shape.partitionsPerRequest
  return {
    ...shape,
    kind: 'produce',
    frames,
    bytesPerRequest,
    recordsPerRequest: shape.recordsPerBatch * shape.partitionsPerRequest,
    requests: Math.ceil((shape.megabytes * 1e6) / bytesPerRequest),
    warmUpRequests: Math.ceil((shape.megabytes * warmUpShare * 1e6) / bytesPerRequest),
    floor: {
      partitions: shape.partitions,
      batches: positions(frames[0]!, batch).map((offset) => ({ offset, length: batch.length })),
      answerBytes: 40 + 40 * shape.partitionsPerRequest,
    },
  }
}

/** Where copies of `batch` lie in `frame`. */
export function positions(frame: Uint8Array, batch: Uint8Array): number[] {
  const found: number[] = []
  const haystack = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  for (let at = haystack.indexOf(batch); at >= 0; at = haystack.indexOf(batch, at + batch.length)) found.push(at)
  return found
}

function fetchScenario(name: string, title: string, kind: 'tail fetch' | 'cold fetch', atMost: number): Scenario {
  const batch = encodeRequestFrame.batch(1000, 1000)
  const preloaded = kind === 'tail fetch' ? 4 : 500
  // Many, because one costs little: the kernel counts a process's time in hundredths of a second.
  const requests = 10_000
  return {
    name,
    title,
    kind,
    atMost,
    connections: kind === 'tail fetch' ? 4 : 1,
    inFlight: 1,
    partitions: 1,
    requests,
    warmUpRequests: requests * warmUpShare,
    bytesPerRequest: batch.length,
    recordsPerRequest: 1000,
    frames:
      kind === 'tail fetch'
        ? [encodeRequestFrame.fetch(topic, BigInt((preloaded - 1) * 1000), batch.length)]
        : Array.from({ length: preloaded }, (_, i) => encodeRequestFrame.fetch(topic, BigInt(i * 1000), batch.length)),
    preload: {
      frame: encodeRequestFrame.produce(topic, [{ index: 0, records: batch }], 1),
      requests: preloaded,
    },
    floor: {
      partitions: 1,
      batches: [],
      answerBytes: 0,
      fetch: {
        bytes: batch.length,
        from: kind === 'tail fetch' ? 'memory' : 'file',
        fileBytes: 500 * (1 << 20),
      },
    },
  }
}

const million = { recordsPerBatch: 1000, recordBytes: 1000 }

/** All of them, by size factor 1 = 500 MB each. */
export function scenarios(factor: number): readonly Scenario[] {
  const megabytes = 500 * factor
  const base = { connections: 4, inFlight: 5, partitions: 1, partitionsPerRequest: 1, acks: -1, megabytes }
  return [
    produceScenario({
      ...base,
      ...million,
      name: 'produce-1kb-1mb',
      title: 'produce, 1 kB records, 1 MB requests',
      atMost: 1.3,
    }),
    produceScenario({
      ...base,
      ...million,
      name: 'produce-1kb-1mb-acks1-100p',
      title: 'the same, acks=1, 100 partitions',
      atMost: 1.3,
      partitions: 100,
      acks: 1,
    }),
    produceScenario({
      ...base,
      name: 'produce-100b-1mb',
      title: 'produce, 100 B records, 1 MB requests',
      atMost: 1.3,
      recordsPerBatch: 9000,
      recordBytes: 100,
    }),
    produceScenario({
      ...base,
      name: 'produce-16kb',
      title: 'produce, 16 kB requests',
      atMost: 1.5,
      recordsPerBatch: 16,
      recordBytes: 1000,
    }),
    produceScenario({
      ...base,
      name: 'produce-20p-10kb',
      title: 'produce, 20 partitions x 10 kB a request',
      atMost: 1.5,
      recordsPerBatch: 10,
      recordBytes: 1000,
      partitions: 20,
      partitionsPerRequest: 20,
    }),
    produceScenario({
      ...base,
      name: 'produce-100b-small',
      title: 'produce, one 100 B record a request',
      atMost: 1.5,
      recordsPerBatch: 1,
      recordBytes: 100,
      megabytes: 10 * factor,
    }),
    fetchScenario('fetch-tail', 'tail fetch, 1 MB', 'tail fetch', 1.2),
    fetchScenario('fetch-cold', 'cold fetch from the page cache, 1 MB', 'cold fetch', 1.3),
  ]
}
