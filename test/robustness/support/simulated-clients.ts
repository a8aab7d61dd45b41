/**
 * The producers of a crash simulation, plain and idempotent, with batches of keyed records in all codecs. They tell the
 * model what they sent before they send it and what was acknowledged when it is; an idempotent one lives on through
 * crashes as long as the broker must know it.
 */
import { recordBatch, utf8 } from '../../support/records.ts'
import type { ModelProducer, ModelTopic, SentBatch, SentRecord } from './model-topic.ts'
import type { SimulatedBroker } from './simulated-broker.ts'

const codecs = ['none', 'none', 'none', 'none', 'none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

interface Identity {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
}

/** Whom they talk to. */
export interface SimulationHost {
  readonly topics: readonly ModelTopic[]
  readonly broker: SimulatedBroker
  /** Whether this life of the broker saw its disk fail: it may refuse then. */
  readonly faulty: boolean
}

export class SimulatedClients {
  readonly #host: SimulationHost
  readonly #below: (below: number) => number
  #values = 0
  #producers = 0n

  constructor(host: SimulationHost, below: (below: number) => number) {
    this.#host = host
    this.#below = below
  }

  /** Sends batches without waiting, then waits for all answers; the process may die meanwhile. */
  async produce(): Promise<void> {
    const answers: Promise<void>[] = []
    for (let count = 1 + this.#below(6); count > 0; count--) {
      const topic = this.#host.topics[this.#below(this.#host.topics.length)]
      if (topic === undefined) break
      // it would take nothing
      if (this.#host.faulty && this.#host.broker.partitions.find(topic.name, 0)?.state === 'offline') continue
      answers.push(this.#below(2) === 0 ? this.#sendIdempotent(topic) : this.#sendNew(topic, this.#newRecords()))
    }
    await Promise.all(answers)
  }

  #newRecords(): SentRecord[] {
    const below = this.#below
    return Array.from({ length: 1 + below(3) }, () => ({
      key: `key ${below(12)}`,
      value: below(6) === 0 ? null : `${this.#values++} ${'x'.repeat(below(90))}`,
      timestampMs: this.#host.broker.clock.nowMs() - BigInt(below(20_000)),
    }))
  }

  #sendNew(topic: ModelTopic, records: readonly SentRecord[], identity?: Identity): Promise<void> {
    const offset = topic.sent.length
    topic.sent.push(...records)
    return this.#append(topic, records, offset, identity)
  }

  #sendIdempotent(topic: ModelTopic): Promise<void> {
    const { producer } = topic
    const { batches } = producer
    const again = batches[this.#below(batches.length + 4)]
    if (again !== undefined) return this.#sendAgain(topic, again)
    const batch = { sequence: producer.nextSequence, offset: topic.sent.length, records: this.#newRecords() }
    producer.nextSequence += batch.records.length
    producer.batches = [...batches, batch].slice(-5)
    return this.#sendNew(topic, batch.records, identityOf(topic, batch))
  }

  /** Answered as before, and not in the log twice. */
  #sendAgain(topic: ModelTopic, batch: SentBatch): Promise<void> {
    return this.#append(topic, batch.records, batch.offset, identityOf(topic, batch), true)
  }

  async #append(
    topic: ModelTopic,
    records: readonly SentRecord[],
    offset: number,
    identity: Identity | undefined,
    again = false,
  ): Promise<void> {
    const encoded = records.map(({ key, value, timestampMs }) => {
      return { key: utf8(key), value: value === null ? null : utf8(value), timestamp: timestampMs }
    })
    const codec = codecs[this.#below(codecs.length)]!
    const result = await this.#host.broker.append(topic.id, recordBatch(encoded, { codec, ...identity }))
    if (result.error === 'KAFKA_STORAGE_ERROR' && this.#host.faulty) return
    if (result.error !== 'NONE' || result.baseOffset !== BigInt(offset)) {
      topic.fail(`${result.error} ${result.message ?? ''} at ${result.baseOffset}, ${offset} was due`)
    }
    topic.acknowledge(offset + records.length, !again)
  }

  /** A producer sends again what it had no answer for, and what it had one for: the broker knows what it has. */
  async produceOn(topic: ModelTopic, powerLoss: boolean): Promise<void> {
    const { producer } = topic
    const safe = powerLoss ? topic.durable : topic.sent.length
    const known = producer.batches.filter(({ offset, records }) => offset + records.length <= safe)
    if (known.length < producer.batches.length && (powerLoss || known.length === 0)) {
      topic.producer = this.newProducer()
      return
    }
    const newest = known.at(-1)
    if (newest === undefined) return
    // who wrote what is deleted is read from snapshots only, as in Kafka, and there may be none
    if (newest.offset + newest.records.length <= topic.start) {
      topic.producer = this.newProducer()
      return
    }
    producer.batches = [newest]
    producer.nextSequence = newest.sequence + newest.records.length
    await this.#sendAgain(topic, newest)
  }

  newProducer(): ModelProducer {
    return { id: ++this.#producers, nextSequence: 0, batches: [] }
  }
}

function identityOf({ producer }: ModelTopic, { sequence }: SentBatch): Identity {
  return { producerId: producer.id, producerEpoch: 0, baseSequence: sequence }
}
