/**
 * What transactions cost: producing in them beside producing as an idempotent producer, committing, reading what is
 * committed, and very many transactional ids and producers.
 */
import { describeTransactions } from '../src/adapters/wire/apis/65-describe-transactions.ts'
import { fetch } from '../src/adapters/wire/apis/01-fetch.ts'
import { findCoordinator } from '../src/adapters/wire/apis/10-find-coordinator.ts'
import { decodeResponse, encodeRequest } from '../test/support/wire-client.ts'
import { checkAnswer, createTopic, encodeRequestFrame } from './frames.ts'
import { ask, load } from './load-client.ts'
import { usageOf, type OwnTarget } from './processes.ts'
import { addressOf, pause, startTimed, whenServed, type StorageBench, type StorageScenario } from './storage-bench.ts'
import { BenchProducer, batchTemplate, framed } from './transactional-producer.ts'

const topic = 'bench'
const partitionsOfTransaction = Array.from({ length: 10 }, (_, i) => i)
const recordsOfBatch = 10
const perSecond = 100
const fetchVersion = 11
const overrides = ['transaction.state.log.replication.factor=1', 'transaction.state.log.min.isr=1']

export const transactionScenarios: readonly StorageScenario[] = [
  { name: 'transactions-100b', run: (bench) => producing(bench, 100) },
  { name: 'transactions-1kb', run: (bench) => producing(bench, 1000) },
  { name: 'transactions-commit', run: committing },
  { name: 'transactions-fetch', run: reading },
  { name: 'transactions-many', run: many },
]

/** A broker with the topic and with the transaction coordinator. */
async function prepared(bench: StorageBench, partitions: number): Promise<OwnTarget> {
  const target = await bench.broker(overrides)
  await createTopic(target.host, target.port, topic, partitions)
  const find = encodeRequest(findCoordinator, 1, { key: 'any', keyType: 1 })
  while (decodeResponse(findCoordinator, 1, await ask(target.host, target.port, find)).errorCode !== 0);
  return target
}

interface Rate {
  readonly recordsPerSecond: number
  readonly cpuPerMillion: number
}

/** Transactions of 100 records over 10 partitions, beside the same requests of idempotent producers. */
async function producing(bench: StorageBench, recordBytes: number): Promise<string> {
  const lines: string[] = []
  for (const producers of [1, 8]) {
    const target = await prepared(bench, partitionsOfTransaction.length)
    const rates: Rate[] = []
    for (const transactional of [false, true])
      rates.push(await rateOf(target, producers, recordBytes, transactional, bench.size))
    await target.stop()
    const [plain, inTransactions] = rates as [Rate, Rate]
    lines.push(
      `${String(producers)} producer(s), 100 records of ${String(recordBytes)} B over 10 partitions a request: ` +
        `${plain.recordsPerSecond.toFixed(0)} records/s idempotent, ${inTransactions.recordsPerSecond.toFixed(0)} in a ` +
        `transaction each, ${percent(inTransactions.recordsPerSecond / plain.recordsPerSecond)} (at least 60 %); ` +
        `CPU per million records ${plain.cpuPerMillion.toFixed(2)} and ${inTransactions.cpuPerMillion.toFixed(2)} s`,
    )
  }
  return lines.join('\n')
}

/** Each producer with one request in flight, for some seconds after others for warming up. */
async function rateOf(
  target: OwnTarget,
  producers: number,
  recordBytes: number,
  transactional: boolean,
  size: number,
): Promise<Rate> {
  const template = batchTemplate(recordsOfBatch, recordBytes, transactional)
  const all = await Promise.all(
    Array.from({ length: producers }, (_, i) =>
      BenchProducer.open(target, topic, transactional ? `bench-${String(i)}` : null),
    ),
  )
  const runFor = async (ms: number): Promise<number> => {
    const until = performance.now() + ms
    let requests = 0
    const run = async (producer: BenchProducer) => {
      while (performance.now() < until) {
        await producer.produce(template, recordsOfBatch, partitionsOfTransaction)
        if (transactional) await producer.end(true)
        requests++
      }
    }
    await Promise.all(all.map(run))
    return requests * recordsOfBatch * partitionsOfTransaction.length
  }
  await runFor(2_000 * size)
  const before = usageOf(target.pid).cpuSeconds
  const started = performance.now()
  const records = await runFor(5_000 * size)
  const seconds = (performance.now() - started) / 1000
  const cpuSeconds = usageOf(target.pid).cpuSeconds - before
  for (const producer of all) producer.close()
  return { recordsPerSecond: records / seconds, cpuPerMillion: cpuSeconds / (records / 1e6) }
}

/** One transaction each 10 ms, over 10 partitions: how long its commit takes. */
async function committing(bench: StorageBench): Promise<string> {
  const target = await prepared(bench, partitionsOfTransaction.length)
  const producer = await BenchProducer.open(target, topic, 'bench')
  const template = batchTemplate(recordsOfBatch, 100, true)
  const commits: number[] = []
  const wholes: number[] = []
  const count = Math.ceil(2_000 * bench.size)
  const warmUps = Math.ceil(400 * bench.size)
  const started = performance.now()
  for (let i = 0; i < warmUps + count; i++) {
    const due = started + (i * 1000) / perSecond
    if (performance.now() < due) await pause(due - performance.now())
    const begun = performance.now()
    await producer.produce(template, recordsOfBatch, partitionsOfTransaction)
    const produced = performance.now()
    await producer.end(true)
    if (i < warmUps) continue
    commits.push(performance.now() - produced)
    wholes.push(performance.now() - begun)
  }
  producer.close()
  await target.stop()
  return (
    `${String(perSecond)} transactions/s over 10 partitions: commit p50 ${at(commits, 0.5)} ms, p99 ${at(commits, 0.99)} ms ` +
    `(at most 10), max ${at(commits, 1)} ms; with its produce p50 ${at(wholes, 0.5)} ms, p99 ${at(wholes, 0.99)} ms`
  )
}

/** The same batches, of transactions of which every tenth is aborted, for readers of both kinds. */
async function reading(bench: StorageBench): Promise<string> {
  const target = await prepared(bench, 1)
  const producer = await BenchProducer.open(target, topic, 'bench')
  const template = batchTemplate(1000, 1000, true)
  const batches = Math.max(20, Math.ceil(200 * bench.size))
  for (let i = 0; i < batches; i++) {
    await producer.produce(template, 1000, [0])
    await producer.end(i % 10 !== 9)
  }
  producer.close()
  // A batch of 1,000 records and a marker are 1,001 offsets.
  const frames = (isolationLevel: number) =>
    Array.from({ length: batches }, (_, i) => fetchFrame(BigInt(i * 1_001), template.length, isolationLevel))
  await whenServed(target, topic, 0n)
  const costs: number[][] = [[], []]
  const requests = Math.ceil(6_000 * bench.size)
  // In turn, so that what the machine does besides is spread over both.
  for (let round = 0; round < 5; round++) {
    for (const isolationLevel of [0, 1]) {
      const before = usageOf(target.pid).cpuSeconds
      const plan = { ...addressOf(target), connections: 2, inFlight: 1, frames: frames(isolationLevel), requests }
      await load({ ...plan, check: checkAnswer.fetch })
      const cpu = usageOf(target.pid).cpuSeconds - before
      if (round > 0) costs[isolationLevel]!.push(cpu / ((requests * template.length) / 1e9))
    }
  }
  await target.stop()
  const [uncommitted, committed] = costs.map((each) => each.sort((a, b) => a - b)[1]!) as [number, number]
  return (
    `fetch of 1 MB in transactions: ${uncommitted.toFixed(3)} s CPU per GB read uncommitted, ${committed.toFixed(3)} read ` +
    `committed, ratio ${(committed / uncommitted).toFixed(2)} (at most 1.1)`
  )
}

function fetchFrame(fetchOffset: bigint, bytes: number, isolationLevel: number): Uint8Array {
  return encodeRequest(fetch, fetchVersion, {
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: bytes,
    isolationLevel,
    sessionEpoch: -1,
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: bytes }] }],
  })
}

/** 10,000 transactional ids that have written, and 100,000 idempotent producers, all on one partition. */
async function many(bench: StorageBench): Promise<string> {
  const ids = Math.ceil(10_000 * bench.size)
  const producers = Math.ceil(100_000 * bench.size)
  const target = await prepared(bench, 1)
  // What any load leaves, without the producers.
  await sendPlain(target, producers)
  const before = usageOf(target.pid).residentMb
  await transactEach(target, ids)
  await sendOfEach(target, producers)
  const after = usageOf(target.pid).residentMb
  await target.kill()
  const { target: next, seconds } = await startTimed(bench, overrides)
  const started = performance.now()
  await whenServed(next, topic, 0n)
  await whenCoordinated(next, `many-${String(ids - 1)}`)
  const recovered = seconds + (performance.now() - started) / 1000
  const { cpuSeconds, residentMb } = usageOf(next.pid)
  await next.stop()
  return (
    `${String(ids)} transactional ids and ${String(producers)} producers on one partition: ${before.toFixed(0)} MB resident ` +
    `before, ${after.toFixed(0)} MB after (at most 150 more); killed, from the start of the process until all is served ` +
    `${recovered.toFixed(2)} s (at most 2), ${cpuSeconds.toFixed(2)} s CPU, ${residentMb.toFixed(0)} MB resident`
  )
}

async function sendPlain(target: OwnTarget, requests: number): Promise<void> {
  const frames = [encodeRequestFrame.produce(topic, [{ index: 0, records: encodeRequestFrame.batch(1, 100) }], -1)]
  await load({ ...addressOf(target), connections: 4, inFlight: 5, frames, requests, check: checkAnswer.produce })
}

async function sendOfEach(target: OwnTarget, producers: number): Promise<void> {
  const template = batchTemplate(1, 100, false)
  const atOnce = 5_000
  for (let from = 0; from < producers; from += atOnce) {
    const frames = Array.from({ length: Math.min(atOnce, producers - from) }, (_, i) =>
      encodeRequestFrame.produce(
        topic,
        [{ index: 0, records: framed(template, BigInt(1_000_000 + from + i), 0, 0) }],
        -1,
      ),
    )
    const plan = { ...addressOf(target), connections: 4, inFlight: 5, frames, requests: frames.length }
    await load({ ...plan, check: checkAnswer.produce })
  }
}

async function transactEach(target: OwnTarget, ids: number): Promise<void> {
  const template = batchTemplate(1, 100, true)
  const connections = 8
  const run = async (first: number) => {
    let producer = await BenchProducer.open(target, topic, `many-${String(first)}`)
    for (let id = first; id < ids; id += connections) {
      if (id !== first) producer = await producer.become(`many-${String(id)}`)
      await producer.produce(template, 1, [0])
      await producer.end(true)
    }
    producer.close()
  }
  await Promise.all(Array.from({ length: Math.min(connections, ids) }, (_, first) => run(first)))
}

/** Resolves when the transactional id is known again and nothing of it is open. */
async function whenCoordinated({ host, port }: OwnTarget, transactionalId: string): Promise<void> {
  const frame = encodeRequest(describeTransactions, 0, { transactionalIds: [transactionalId] })
  for (;;) {
    const answer = decodeResponse(describeTransactions, 0, await ask(host, port, frame))
    if (/^Complete/.test(answer.transactionStates[0]!.transactionState)) return
    await pause(2)
  }
}

const at = (all: readonly number[], share: number): string =>
  [...all].sort((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * share))]!.toFixed(2)
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`
