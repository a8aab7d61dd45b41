/**
 * Producers of transactions over a whole broker in memory, on a manual clock and without a socket, in an order that a
 * seed decides: requests overtake each other, are sent twice, come late or get no answer; transactional ids change
 * hands; time passes; the broker dies at any of its appends and starts again.
 *
 * Held throughout: a reader of committed records never sees anything that is not committed in the end, and what it saw
 * stays. Held at the end: every transaction is there as a whole or not at all, and as its producer was told; each
 * record once and in its place; the offsets of its group with it; nothing is open. And whenever the broker starts, what
 * it knows is what the next start knows again.
 */
import { expect } from '@jest/globals'
import { AbortTimedOut } from '../../../src/application/use-cases/transactions/abort-timed-out.ts'
import { CommitTransactionalOffsets } from '../../../src/application/use-cases/groups/commit-transactional-offsets.ts'
import type { ErrorName } from '../../../src/domain/errors.ts'
import type { Transaction } from '../../../src/domain/transactions/transaction.ts'
import { DyingLogStore } from '../../support/dying-log-store.ts'
import { batchOf } from '../../support/records.ts'
import { testLease } from '../../support/produce-broker.ts'
import { offsetsPartition, openTransactionBroker } from '../../support/transaction-broker.ts'
import { ZERO_UUID } from '../../../src/domain/uuid.ts'
import { seeded } from './hostile-broker.ts'
import { CommittedReader } from './committed-reader.ts'

const IDS = ['a', 'b']
const PARTITIONS = 3
const TIMEOUT_MS = 60_000

type Broker = Awaited<ReturnType<typeof openTransactionBroker>>

/** What a producer begins and ends, and what it was told of it. */
interface Attempt {
  readonly id: string
  readonly number: number
  /** By value. */
  readonly written: Map<string, { readonly partition: number; acked: boolean }>
  offsetAcked: boolean
  /** Not everything that was sent has its answer, or it was a bad one. */
  doubtful: boolean
  commitAsked: boolean
  outcome: 'open' | 'committed' | 'aborted'
}

interface Client {
  readonly id: string
  readonly knowsV2: boolean
  producerId: bigint
  producerEpoch: number
  sequences: number[]
  attempt: Attempt | null
  /** Sent and not answered yet: nobody ends a transaction before. */
  underWay: number
  /** An end whose answer was lost. */
  unanswered: { readonly committed: boolean } | null
  /** A V1 producer has to begin a new epoch when something of its aborted transaction may still come. */
  needsEpoch: boolean
}

type Write = Parameters<Broker['produceRecords']['execute']>[0]

export class TransactionSimulation {
  readonly #random: (below: number) => number
  readonly #store = new DyingLogStore()
  readonly #reader = new CommittedReader(PARTITIONS)
  readonly #attempts: Attempt[] = []
  readonly #clients: Client[] = []
  /** Requests that were sent and are held up somewhere. */
  readonly #late: (() => void)[] = []
  #broker!: Broker
  #offsets!: CommitTransactionalOffsets
  #sweep!: AbortTimedOut
  #life = 0

  constructor(seed: number) {
    this.#random = seeded(seed)
  }

  async run(steps: number): Promise<void> {
    await this.#start()
    for (let i = 0; i < steps; i++) {
      await this.#step()
      await turns(this.#random(3) === 0 ? 60 : this.#random(12))
      if (this.#random(6) === 0) await this.#reader.read(this.#broker)
    }
    await this.#finish()
  }

  /** With what the broker before knew, if there was one. */
  async #start(): Promise<void> {
    const before = this.#life++ === 0 ? null : this.#broker
    this.#broker = await openTransactionBroker(
      this.#store,
      before === null ? {} : { metadata: before.metadata, startMs: before.clock.nowMs() },
    )
    const { groups, partitions, enrolment, metadata, transactions, clock, logger } = this.#broker
    this.#offsets = new CommitTransactionalOffsets({ groups, partitions, enrolment, metadata }, () => ({
      transactionPartitionVerificationEnable: true,
      offsetMetadataMaxBytes: 4_096,
      offsetsRetentionMs: 604_800_000n,
    }))
    this.#sweep = new AbortTimedOut(transactions, clock, clock, logger, () => ({
      transactionAbortTimedOutTransactionCleanupIntervalMs: 10_000,
    }))
    this.#sweep.start()
    await turns(60)
  }

  /** The next broker over what is stored, and one more: both know the same. */
  async #restart(): Promise<void> {
    await this.#sweep.close()
    this.#store.revive()
    await this.#start()
    await this.#broker.run()
    const known = await this.#known()
    this.#store.revive()
    await this.#start()
    expect(await this.#known()).toEqual(known)
    for (const client of this.#clients) {
      client.underWay = 0
      if (client.attempt !== null) client.attempt.doubtful = true
    }
  }

  async #known(): Promise<unknown> {
    const { partitions, transactions } = this.#broker
    const logs = [...Array(PARTITIONS).keys()].map((partition) => ({ topic: 't', partition }))
    const known: unknown[] = []
    for (const { topic, partition } of [...logs, offsetsPartition]) {
      const hosted = partitions.find(topic, partition)!
      await hosted.whenOpen()
      const { lastStableOffset, highWatermark } = hosted
      const producers = [...hosted.producers()].sort((a, b) => (a.producerId < b.producerId ? -1 : 1))
      known.push({
        lastStableOffset,
        highWatermark,
        producers,
        aborted: await hosted.abortedTransactions(0n, highWatermark),
      })
    }
    const shards = transactions.coordinator
      .activePartitions()
      .map((partition) => transactions.coordinator.peekAt(partition)!)
    const ids = shards
      .flatMap((shard) => [...shard.all()])
      .sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
    return [known, ids.map(asRecorded)]
  }

  async #step(): Promise<void> {
    const at = this.#random(100)
    if (this.#clients.length === 0 || at < 8) this.#init(IDS[this.#random(IDS.length)]!)
    else if (at < 11) this.#broker.clock.advance([100, 5_000, 11_000, 75_000][this.#random(4)]!)
    else if (at < 16) this.#late.splice(this.#random(this.#late.length), 1)[0]?.()
    else if (at < 18) this.#store.appendsLeft = this.#random(6)
    else if (at < 20 || this.#store.isDead) {
      this.#store.makesTheLast = this.#random(2) === 0
      await this.#restart()
    } else this.#act(this.#client(), at)
  }

  /** Mostly one of the newest. */
  #client(): Client {
    const back =
      this.#random(4) === 0 ? this.#random(this.#clients.length) : this.#random(Math.min(2, this.#clients.length))
    return this.#clients[this.#clients.length - 1 - back]!
  }

  #act(client: Client, at: number): void {
    // Only writes go beside each other.
    const isAlone = client.underWay === 0
    if (client.producerId < 0n || (!isAlone && (client.unanswered !== null || client.needsEpoch))) return
    if (client.unanswered !== null) this.#end(client, client.unanswered.committed)
    else if (client.needsEpoch) this.#takeEpoch(client)
    else if (at < 65) this.#write(client)
    else if (at < 75) this.#commitOffset(client)
    else if (client.attempt !== null && isAlone) {
      const { attempt } = client
      const isSound = !attempt.doubtful && attempt.written.size > 0
      this.#end(client, isSound && at < 93)
    }
  }

  #init(id: string): void {
    const client: Client = {
      id,
      knowsV2: this.#random(3) > 0,
      producerId: -1n,
      producerEpoch: -1,
      sequences: Array<number>(PARTITIONS).fill(0),
      attempt: null,
      underWay: 0,
      unanswered: null,
      needsEpoch: false,
    }
    this.#clients.push(client)
    this.#takeEpoch(client)
  }

  /** InitProducerId, with what the producer has already. */
  #takeEpoch(client: Client): void {
    const { producerId, producerEpoch } = client
    client.underWay++
    this.#answered(this.#broker.init(client.id, { producerId, producerEpoch }), (answer) => {
      client.underWay--
      if (answer.error !== 'NONE') return
      client.producerId = answer.producerId
      client.producerEpoch = answer.producerEpoch
      client.sequences.fill(0)
      client.needsEpoch = false
    })
  }

  #attempt(client: Client): Attempt {
    if (client.attempt !== null) return client.attempt
    const attempt: Attempt = {
      id: client.id,
      number: this.#attempts.length + 1,
      written: new Map(),
      offsetAcked: false,
      doubtful: false,
      commitAsked: false,
      outcome: 'open',
    }
    this.#attempts.push(attempt)
    return (client.attempt = attempt)
  }

  #write(client: Client): void {
    const attempt = this.#attempt(client)
    // After a bad answer nothing but an abort makes sense.
    if (attempt.doubtful) return
    const partition = this.#random(PARTITIONS)
    const value = `${attempt.id} ${attempt.number} ${attempt.written.size}`
    attempt.written.set(value, { partition, acked: false })
    const baseSequence = client.sequences[partition]!++
    const { id: transactionalId, producerId, producerEpoch, knowsV2 } = client
    const framing = { producerId, producerEpoch, baseSequence, transactional: true }
    const enrol = async (): Promise<ErrorName> => {
      const asked = { transactionalId, producerId, producerEpoch, partitions: [{ topic: 't', partition }] }
      const [refused] = knowsV2 ? [null] : await this.#broker.enrolment.enrol(asked, false)
      return refused ?? 'NONE'
    }
    const produce = async (): Promise<ErrorName> => {
      const write = writeOf(transactionalId, knowsV2, partition, batchOf([value], framing))
      const [topic] = await this.#broker.produceRecords.execute(write)
      return topic!.partitions[0]!.result.error
    }
    const send = async (): Promise<ErrorName> => {
      const error = await enrol()
      return error === 'NONE' ? produce() : error
    }
    const how = this.#random(12)
    if (how === 0) {
      // Held up: its producer gives up waiting for it.
      attempt.doubtful = true
      void enrol().catch(() => undefined)
      this.#late.push(() => void produce().catch(() => undefined))
      return
    }
    client.underWay++
    this.#answered(send(), (error) => {
      client.underWay--
      if (error === 'NONE') attempt.written.get(value)!.acked = true
      else attempt.doubtful = true
    })
    // Sent again, at once or much later.
    if (how === 1) void send().catch(() => undefined)
    if (how === 2) this.#late.push(() => void produce().catch(() => undefined))
  }

  #commitOffset(client: Client): void {
    const { id, producerId, producerEpoch, knowsV2 } = client
    const attempt = this.#attempt(client)
    if (attempt.doubtful || attempt.written.size === 0) return
    const send = async (): Promise<ErrorName> => {
      const producer = { transactionalId: id, producerId, producerEpoch }
      const [refused] = knowsV2
        ? [null]
        : await this.#broker.enrolment.enrol({ ...producer, partitions: [offsetsPartition] }, false)
      if (refused !== null && refused !== undefined) return refused
      const offset = { partition: 0, offset: BigInt(attempt.number), leaderEpoch: -1, metadata: '' }
      const [topic] = await this.#offsets.execute({
        ...producer,
        groupId: `group ${id}`,
        memberId: '',
        groupInstanceId: null,
        generationOrEpoch: -1,
        addsGroup: knowsV2,
        knowsAbortable: knowsV2,
        topics: [{ name: 't', topicId: ZERO_UUID, partitions: [offset] }],
      })
      return topic!.partitions[0]!.error
    }
    client.underWay++
    this.#answered(send(), (error) => {
      client.underWay--
      if (error === 'NONE') attempt.offsetAcked = true
      else attempt.doubtful = true
    })
  }

  #end(client: Client, committed: boolean): void {
    const { attempt, id: transactionalId, producerId, producerEpoch, knowsV2 } = client
    if (attempt === null) return
    const wasLost = client.unanswered !== null
    client.unanswered = { committed }
    if (committed) attempt.commitAsked = true
    const command = { transactionalId, producerId, producerEpoch, committed, knowsV2 }
    client.underWay++
    this.#answered(this.#broker.endTransaction.execute(command), (answer) => {
      client.underWay--
      const { error } = answer
      if (error === 'CONCURRENT_TRANSACTIONS' || /COORDINATOR|STORAGE/.test(error)) return
      client.unanswered = null
      client.attempt = null
      if (error === 'NONE') {
        // Under V1 an abort of nothing is answered like the abort before it, and tells nothing of this attempt.
        if (committed || attempt.written.size > 0) attempt.outcome = committed ? 'committed' : 'aborted'
        if (knowsV2) Object.assign(client, { producerId: answer.producerId, producerEpoch: answer.producerEpoch })
        if (knowsV2) client.sequences.fill(0)
        else client.needsEpoch = attempt.doubtful
      } else client.needsEpoch = true
    })
    // Twice on two connections.
    if (!wasLost && this.#random(8) === 0) void this.#broker.endTransaction.execute(command).catch(() => undefined)
  }

  /** Takes an answer, unless the broker that it comes from is gone. */
  #answered<T>(answer: Promise<T>, take: (answer: T) => void): void {
    const life = this.#life
    answer.then(
      (value) => {
        if (life === this.#life) take(value)
      },
      () => undefined,
    )
  }

  async #finish(): Promise<void> {
    await this.#restart()
    for (const send of this.#late.splice(0)) {
      send()
      await turns(30)
    }
    for (let i = 0; i < 20; i++) {
      this.#broker.clock.advance(TIMEOUT_MS / 4)
      await turns(120)
    }
    await this.#reader.read(this.#broker)
    const visible = this.#reader.values
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const { lastStableOffset, highWatermark } = this.#broker.partitions.find('t', partition)!
      expect([partition, lastStableOffset]).toEqual([partition, highWatermark])
    }
    for (const id of IDS) expect(await this.#broker.stateOf(id)).not.toMatch(/^(Ongoing|Prepare)/)
    const fresh = new CommittedReader(PARTITIONS)
    await fresh.read(this.#broker)
    expect(fresh.values).toEqual(visible)
    this.#expectWhole(visible)
    for (const id of IDS) await this.#expectOffset(id, visible)
  }

  #expectWhole(visible: readonly (readonly string[])[]): void {
    const all = visible.flat()
    expect(new Set(all).size).toBe(all.length)
    for (const attempt of this.#attempts) {
      const seen = [...attempt.written].filter(([value, { partition }]) => visible[partition]!.includes(value))
      const acked = [...attempt.written].filter(([, { acked: isAcked }]) => isAcked)
      const what = `${attempt.id} ${attempt.number}`
      if (attempt.outcome === 'committed') expect([what, seen]).toEqual([what, acked])
      else if (attempt.outcome === 'aborted' || !attempt.commitAsked) expect([what, seen]).toEqual([what, []])
      else if (seen.length > 0) expect([what, seen]).toEqual([what, acked])
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const sent = seen.filter(([, each]) => each.partition === partition).map(([value]) => value)
        expect(visible[partition]!.filter((value) => sent.includes(value))).toEqual(sent)
      }
    }
    expect(all.filter((value) => !this.#attempts.some(({ written }) => written.has(value)))).toEqual([])
  }

  /** The offset of a group is that of the newest transaction of its producer that is committed and had one. */
  async #expectOffset(id: string, visible: readonly (readonly string[])[]): Promise<void> {
    const all = new Set(visible.flat())
    const committed = this.#attempts.filter(
      (attempt) =>
        attempt.id === id && attempt.offsetAcked && [...attempt.written.keys()].some((value) => all.has(value)),
    )
    const { answer } = await this.#broker.groups.coordinator.run(`group ${id}`, (shard) => ({
      records: [],
      answer: shard.offsets.get(`group ${id}`, 't', 0)?.offset ?? null,
    }))
    const newest = committed.at(-1)
    expect([id, answer]).toEqual([id, newest === undefined ? null : BigInt(newest.number)])
  }
}

function writeOf(transactionalId: string, addsPartitions: boolean, index: number, records: Uint8Array): Write {
  return {
    acks: -1,
    byId: false,
    zstd: true,
    clientId: null,
    transactionalId,
    addsPartitions,
    knowsAbortable: true,
    lease: testLease(),
    topics: [{ name: 't', topicId: ZERO_UUID, partitions: [{ index, records }] }],
  }
}

/** Records do not carry the epoch before the present one. */
function asRecorded(transaction: Transaction): Transaction {
  return { ...transaction, lastProducerEpoch: 0 }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}
