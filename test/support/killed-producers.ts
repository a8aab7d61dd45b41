/**
 * Producers that outlive their broker: each remembers what it was promised, so that a test can hold the next life of
 * the broker to it.
 */
import { produce } from '../../src/adapters/wire/apis/00-produce.ts'
import { initProducerId } from '../../src/adapters/wire/apis/22-init-producer-id.ts'
import type { BatchCodec, RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { batchesIn, readPartition, recordBatch, textOf, utf8, type PartitionContent } from './records.ts'
import { decodeResponse, encodeRequest, type WireClient } from './wire-client.ts'

/** Numbers in `[0, 1)` that a seed repeats (a linear congruential generator; good enough to choose sizes). */
export function seeded(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
}

const codecs: readonly BatchCodec[] = ['none', 'none', 'none', 'gzip', 'snappy', 'lz4', 'zstd']

/** What lies behind the offset and the leader epoch, which the broker stamps. */
function unstamped(batch: Uint8Array): Buffer {
  return Buffer.concat([batch.subarray(8, 12), batch.subarray(16)])
}

interface Answer {
  readonly errorCode: number
  readonly baseOffset: bigint
}

/** Sends one batch; null when the connection broke before it was answered. */
async function sendBatch(client: WireClient, name: string, index: number, records: Uint8Array): Promise<Answer | null> {
  const frame = encodeRequest(produce, 11, {
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ name, partitionData: [{ index, records }] }],
  })
  const answer = await client.sendRaw(frame)
  return answer === null ? null : decodeResponse(produce, 11, answer).responses[0]!.partitionResponses[0]!
}

/** A producer without idempotence: what it sent and got no answer for may be there or not. */
export class PlainProducer {
  readonly topic: string
  readonly partition: number
  readonly #random: () => number
  readonly #promised = new Map<bigint, Buffer>()
  #sent = 0

  constructor(topic: string, partition: number, random: () => number) {
    this.topic = topic
    this.partition = partition
    this.#random = random
  }

  /** Keeps `depth` batches under way until the connection breaks; calls `onAnswer` after each answer. */
  async run(client: WireClient, depth: number, onAnswer: () => void): Promise<void> {
    const one = async (): Promise<void> => {
      for (;;) {
        const batch = this.#nextBatch()
        const answer = await sendBatch(client, this.topic, this.partition, batch)
        if (answer === null) return
        if (answer.errorCode !== 0) throw new Error(`${this.topic}: error ${answer.errorCode}`)
        this.#promised.set(answer.baseOffset, unstamped(batch))
        onAnswer()
      }
    }
    await Promise.all(Array.from({ length: depth }, one))
  }

  #nextBatch(): Uint8Array {
    const count = 1 + Math.floor(this.#random() * 20)
    const codec = codecs[Math.floor(this.#random() * codecs.length)]!
    const records = Array.from({ length: count }, () => {
      const filler = 'x'.repeat(Math.floor(this.#random() * 300))
      return { key: null, value: utf8(`${this.#sent++} ${filler}`), timestamp: BigInt(Date.now()) }
    })
    return recordBatch(records, { codec })
  }

  /** Every batch that was acknowledged is where it was said to be, unaltered; offsets have no gap. */
  async broken(client: WireClient): Promise<string | null> {
    const { bytes } = await readPartition(client, this.topic, this.partition)
    const found = new Map<bigint, RecordBatchView>()
    let next = 0n
    for (const view of batchesIn(bytes)) {
      if (view.baseOffset !== next) return `offset ${next} is missing before ${view.baseOffset}`
      next = view.lastOffset + 1n
      found.set(view.baseOffset, view)
    }
    for (const [offset, promised] of this.#promised) {
      const view = found.get(offset)
      if (view === undefined) return `the batch at ${offset} is lost`
      const stored = unstamped(view.bytes.subarray(view.at, view.at + view.sizeBytes))
      if (!stored.equals(promised)) return `the batch at ${offset} is altered`
    }
    return null
  }

  get promises(): number {
    return this.#promised.size
  }
}

/** An idempotent producer: what it sent is there once, whatever it got answers for. */
export class IdempotentProducer {
  readonly topic: string
  readonly #depth: number
  #identity: { readonly producerId: bigint; readonly producerEpoch: number } | null = null
  /** Sent and not answered, in order; sent again first in the next life. */
  #open: { readonly sequence: number; readonly count: number }[] = []
  #nextSequence = 0

  /** @param depth - how many batches are under way; a broker remembers five */
  constructor(topic: string, depth: number) {
    this.topic = topic
    this.#depth = depth
  }

  async run(client: WireClient, onAnswer: () => void): Promise<void> {
    this.#identity ??= await client.send(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 60_000 })
    const again = this.#open.map((batch) => this.#send(client, batch))
    const alive = (await Promise.all(again)).every((answered) => answered)
    const one = async (): Promise<void> => {
      for (;;) {
        const batch = { sequence: this.#nextSequence, count: 1 + (this.#nextSequence % 3) }
        this.#nextSequence += batch.count
        this.#open.push(batch)
        if (!(await this.#send(client, batch))) return
        onAnswer()
      }
    }
    if (alive) await Promise.all(Array.from({ length: this.#depth }, one))
  }

  async #send(client: WireClient, batch: { readonly sequence: number; readonly count: number }): Promise<boolean> {
    const records = Array.from({ length: batch.count }, (_, i) => {
      return {
        key: null,
        value: utf8(String(batch.sequence + i)),
        timestamp: BigInt(1_700_000_000_000 + batch.sequence),
      }
    })
    const bytes = recordBatch(records, { ...this.#identity!, baseSequence: batch.sequence })
    const answer = await sendBatch(client, this.topic, 0, bytes)
    if (answer === null) return false
    if (answer.errorCode !== 0) throw new Error(`${this.topic} at ${batch.sequence}: error ${answer.errorCode}`)
    this.#open = this.#open.filter((other) => other !== batch)
    return true
  }

  /** The values are 0, 1, 2 … without gap or repetition, up to everything that was answered. */
  async broken(client: WireClient): Promise<string | null> {
    const { records }: PartitionContent = await readPartition(client, this.topic, 0)
    const wrong = records.findIndex(({ value }, i) => textOf(value) !== String(i))
    if (wrong >= 0) return `at ${wrong} stands ${String(textOf(records[wrong]!.value))}`
    const answered = this.#open[0]?.sequence ?? this.#nextSequence
    return records.length < answered ? `${answered} were acknowledged, ${records.length} are there` : null
  }
}
