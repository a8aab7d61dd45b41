/**
 * A topic of one partition that outlives its brokers, written by one idempotent producer that runs on through all of
 * them: what each broker shows of it must be what was sent, with the offsets and leader epochs that were seen before.
 */
import { expect } from '@jest/globals'
import { listOffsets } from '../../src/adapters/wire/apis/02-list-offsets.ts'
import { offsetForLeaderEpoch } from '../../src/adapters/wire/apis/23-offset-for-leader-epoch.ts'
import { errorCode } from '../../src/domain/errors.ts'
import type { NewRecord } from '../../src/domain/log/batch-writer.ts'
import type { BatchCodec } from '../../src/domain/log/record-batch.ts'
import { batchesIn, produceBatch, readPartition, recordBatch, textOf, topicIdOf, utf8 } from './records.ts'
import type { WireClient } from './wire-client.ts'

export interface PingPongRecord {
  readonly key: string
  /** null = a tombstone. */
  readonly value: string | null
}

/** Kafka forgets a producer when the timestamp of its last batch is a day old. */
const recently = BigInt(Date.now())

interface Shown {
  readonly start: bigint
  readonly end: bigint
  readonly bytes: number
  readonly records: ReadonlyMap<bigint, PingPongRecord>
  /** Of the batch that holds each offset. */
  readonly epochs: ReadonlyMap<bigint, number>
}

export class PingPongTopic {
  readonly name: string
  readonly configs: Readonly<Record<string, string>>
  readonly #codecs: readonly BatchCodec[]
  readonly #compacts: boolean
  #id = ''
  #producerId = -1n
  #sequence = 0
  #last: { readonly bytes: () => Uint8Array; readonly offset: bigint } | null = null
  readonly #sent = new Map<bigint, PingPongRecord>()
  #epochs: ReadonlyMap<bigint, number> = new Map()
  /** By leader epoch: where it ended, as the last broker told. */
  #epochEnds: ReadonlyMap<number, bigint> = new Map()
  #start = 0n
  #end = 0n

  constructor(name: string, codecs: readonly BatchCodec[], configs: Readonly<Record<string, string>> = {}) {
    this.name = name
    this.#codecs = codecs
    this.configs = { 'internal.segment.bytes': '20000', 'index.interval.bytes': '2000', ...configs }
    this.#compacts = configs['cleanup.policy'] === 'compact'
  }

  get end(): bigint {
    return this.#end
  }

  begin(id: string, producerId: bigint): void {
    this.#id = id
    this.#producerId = producerId
  }

  /** What the broker before left is what this one shows, and it knows the producer. */
  async take(client: WireClient): Promise<void> {
    expect([this.name, await topicIdOf(client, this.name)]).toEqual([this.name, this.#id])
    const shown = await this.check(client)
    const ends = await this.#askEpochEnds(client, shown)
    // retention may have taken the last batch of an epoch since
    const known = new Map([...this.#epochEnds].filter(([epoch]) => ends.has(epoch)))
    expect([this.name, ends]).toEqual([this.name, known])
    const last = this.#last!
    const again = await this.#produce(client, last.bytes)
    expect([this.name, again.errorCode, again.baseOffset]).toEqual([this.name, 0, last.offset])
    const gap = await this.#produce(client, () => this.#batch([{ key: 'gap', value: 'gap' }], this.#sequence + 1))
    expect([this.name, gap.errorCode]).toEqual([this.name, errorCode('OUT_OF_ORDER_SEQUENCE_NUMBER')])
  }

  /** Remembers how the topic is left. */
  async leave(client: WireClient): Promise<void> {
    const shown = await this.check(client)
    this.#epochEnds = await this.#askEpochEnds(client, shown)
  }

  async append(client: WireClient, records: readonly PingPongRecord[]): Promise<void> {
    const sequence = this.#sequence
    const bytes = () => this.#batch(records, sequence)
    const { errorCode, baseOffset } = await this.#produce(client, bytes)
    expect([this.name, errorCode, baseOffset]).toEqual([this.name, 0, this.#end])
    records.forEach((record, i) => this.#sent.set(this.#end + BigInt(i), record))
    this.#last = { bytes, offset: baseOffset }
    this.#sequence += records.length
    this.#end += BigInt(records.length)
  }

  /** As clients do: a real Kafka on a busy machine fences its own broker for a moment. */
  async #produce(client: WireClient, bytes: () => Uint8Array) {
    for (;;) {
      const answer = await produceBatch(client, this.name, 0, bytes())
      if (answer.errorCode !== errorCode('NOT_LEADER_OR_FOLLOWER')) return answer
    }
  }

  #batch(records: readonly PingPongRecord[], baseSequence: number): Uint8Array {
    const stored = records.map(({ key, value }): NewRecord => {
      return { key: utf8(key), value: value === null ? null : utf8(value), timestamp: recently }
    })
    const codec = this.#codecs[baseSequence % this.#codecs.length]!
    return recordBatch(stored, { codec, producerId: this.#producerId, producerEpoch: 0, baseSequence })
  }

  /** DeleteRecords moved the start. */
  deletedBefore(offset: bigint): void {
    this.#start = offset
  }

  /** The start as it is now; retention may have moved it. */
  async startNow(client: WireClient): Promise<bigint> {
    const topics = [{ name: this.name, partitions: [{ partitionIndex: 0, timestamp: -2n }] }]
    const answer = await client.send(listOffsets, 8, { replicaId: -1, isolationLevel: 0, topics })
    return answer.topics[0]!.partitions[0]!.offset
  }

  async check(client: WireClient): Promise<Shown> {
    const shown = await this.#read(client)
    expect([this.name, shown.end]).toEqual([this.name, this.#end])
    const retentionBytes = this.configs['retention.bytes']
    if (retentionBytes === undefined) expect([this.name, shown.start]).toEqual([this.name, this.#start])
    else {
      expect(shown.start).toBeGreaterThanOrEqual(this.#start)
      if (shown.start > this.#start) expect(shown.bytes).toBeGreaterThanOrEqual(Number(retentionBytes))
      this.#start = shown.start
    }
    expect([this.name, [...shown.records]]).toEqual([this.name, this.#due(shown)])
    const known = [...this.#epochs].filter(([offset]) => shown.epochs.has(offset))
    expect([this.name, known.map(([offset]) => shown.epochs.get(offset))]).toEqual([this.name, known.map(([, e]) => e)])
    this.#epochs = shown.epochs
    return shown
  }

  /** What there must be: all, or, of a compacted topic, what is shown and the newest of each key. */
  #due(shown: Shown): [bigint, PingPongRecord][] {
    const newest = new Map<string, bigint>()
    for (const [offset, { key }] of this.#sent) newest.set(key, offset)
    return [...this.#sent].filter(([offset, { key, value }]) => {
      if (offset < shown.start) return false
      return !this.#compacts || shown.records.has(offset) || (newest.get(key) === offset && value !== null)
    })
  }

  async #read(client: WireClient): Promise<Shown> {
    const start = await this.startNow(client)
    const { bytes, records } = await readPartition(client, this.name, 0)
    const epochs = new Map<bigint, number>()
    let end = start
    for (const view of batchesIn(bytes)) {
      for (const { offset } of records.filter((r) => r.offset >= view.baseOffset && r.offset <= view.lastOffset)) {
        epochs.set(offset, view.leaderEpoch)
      }
      end = view.lastOffset + 1n
    }
    const texts = records.map(
      ({ offset, key, value }) => [offset, { key: textOf(key)!, value: textOf(value) }] as const,
    )
    return { start, end, bytes: bytes.length, records: new Map(texts), epochs }
  }

  async #askEpochEnds(client: WireClient, { epochs }: Shown): Promise<ReadonlyMap<number, bigint>> {
    const ends = new Map<number, bigint>()
    for (const leaderEpoch of new Set(epochs.values())) {
      const topics = [{ topic: this.name, partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch }] }]
      const answer = await client.send(offsetForLeaderEpoch, 4, { replicaId: -1, topics })
      ends.set(leaderEpoch, answer.topics[0]!.partitions[0]!.endOffset)
    }
    return ends
  }
}
