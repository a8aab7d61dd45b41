/**
 * Random histories of one transactional id: several producers, lost answers, repeated requests, time-outs, restarts.
 * Epochs never go back, states follow each other as Kafka's do, what was answered stays true, nobody who is fenced
 * changes anything, and the log says all that memory knows.
 */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { TransactionRecordCodec } from '../../../src/adapters/internal-records/transaction-record-codec.ts'
import type { Decided, NeedsProducerId, Refused } from '../../../src/domain/transactions/decision.ts'
import { decideEnrol } from '../../../src/domain/transactions/enrol-partitions.ts'
import { decideComplete, decideEnd, decideFence, completed } from '../../../src/domain/transactions/end-transaction.ts'
import { decideExpiry } from '../../../src/domain/transactions/expire-transactions.ts'
import { decideInitProducer } from '../../../src/domain/transactions/init-producer.ts'
import {
  isEnding,
  isTimedOut,
  recordOf,
  type Transaction,
  type TransactionState,
} from '../../../src/domain/transactions/transaction.ts'
import { TransactionShard } from '../../../src/domain/transactions/transaction-shard.ts'

const ID = 'id'
const EXPIRATION_MS = 100_000n

interface Client {
  producerId: bigint
  producerEpoch: number
  readonly knowsV2: boolean
}

type Step =
  | { readonly kind: 'init' | 'resume' | 'add' | 'commit' | 'abort'; readonly who: number; readonly lost: boolean }
  | { readonly kind: 'complete' | 'restart' | 'sweep' | 'expire' | 'exhaust' }
  | { readonly kind: 'time'; readonly ms: bigint }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constantFrom('init', 'resume', 'add', 'add', 'commit', 'commit', 'abort'),
      who: fc.nat(3),
      lost: fc.nat(5).map((n) => n === 0),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('complete', 'complete', 'restart', 'sweep', 'expire') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('exhaust') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time'), ms: fc.constantFrom(1n, 500n, 3_000n, 200_000n) }) },
)

/** Which states may follow which. */
const followers: Readonly<Record<TransactionState | 'none', readonly TransactionState[]>> = {
  none: ['Empty'],
  Empty: ['Empty', 'Ongoing', 'PrepareAbort'],
  Ongoing: ['Ongoing', 'PrepareCommit', 'PrepareAbort'],
  PrepareCommit: ['CompleteCommit'],
  PrepareAbort: ['CompleteAbort'],
  CompleteCommit: ['Empty', 'Ongoing', 'PrepareAbort'],
  CompleteAbort: ['Empty', 'Ongoing', 'PrepareAbort'],
  Dead: [],
  PrepareEpochFence: [],
}

class Model {
  readonly #codec: TransactionRecordCodec
  readonly #log: { readonly key: Uint8Array; readonly value: Uint8Array | null }[] = []
  readonly #clients: readonly Client[]
  readonly #version: number
  #shard = new TransactionShard()
  #nowMs = 1_000n
  #producerIds = 0n
  /** Commits that a client was told of, and not yet seen as complete. */
  #promised: boolean | null = null

  constructor(version: number) {
    this.#version = version
    this.#codec = new TransactionRecordCodec(() => version)
    this.#clients = [true, true, false, false].map((knowsV2) => ({
      producerId: -1n,
      producerEpoch: -1,
      knowsV2: knowsV2 && version >= 2,
    }))
  }

  get present(): Transaction | null {
    return this.#shard.get(ID)
  }

  readonly #take = () => this.#producerIds++

  #apply(decision: Decided | Refused | NeedsProducerId): Transaction | null {
    if (decision.refused !== null) return null
    const { next } = decision
    if (next === null) return this.present
    this.#check(this.present, next)
    const record = this.#codec.encode(recordOf(next))
    this.#log.push(record)
    this.#shard.evolve(this.#codec.decode(record.key, record.value)!)
    this.#shard.rememberEpoch(ID, next.lastProducerEpoch)
    return next
  }

  #check(before: Transaction | null, next: Transaction): void {
    expect(followers[before?.state ?? 'none']).toContain(next.state)
    if (next.state === 'CompleteCommit' || next.state === 'CompleteAbort') {
      if (this.#promised !== null) expect(next.state === 'CompleteCommit').toBe(this.#promised)
      this.#promised = null
    }
    expect(next.producerEpoch).toBeGreaterThanOrEqual(0)
    expect(next.producerEpoch).toBeLessThanOrEqual(32_767)
    if (before === null) return
    // Producer ids only ever rise here, so this is the order of (id, epoch).
    if (next.producerId === before.producerId) expect(next.producerEpoch).toBeGreaterThanOrEqual(before.producerEpoch)
    else expect(next.producerId).toBeGreaterThan(before.producerId)
    if (next.state === 'Ongoing') expect([...before.partitions.keys()].every((t) => next.partitions.has(t))).toBe(true)
  }

  take(each: Step): void {
    switch (each.kind) {
      case 'time':
        this.#nowMs += each.ms
        return
      case 'restart':
        this.#restart()
        return
      case 'complete': {
        const next = decideComplete(this.present, this.#nowMs)
        if (next !== null) this.#apply({ refused: null, next })
        return
      }
      case 'sweep':
        if (this.present !== null && isTimedOut(this.present, this.#nowMs)) {
          this.#apply(decideFence(this.present, this.#version, this.#take, this.#nowMs))
        }
        return
      case 'expire':
        this.#expire()
        return
      case 'exhaust':
        this.#exhaust()
        return
      default:
        this.#ask(each.kind, this.#clients[each.who]!, each.lost)
    }
  }

  #ask(kind: 'init' | 'resume' | 'add' | 'commit' | 'abort', client: Client, lost: boolean): void {
    const { producerId, producerEpoch, knowsV2 } = client
    const version = knowsV2 ? 2 : 0
    const before = this.present
    if (kind === 'init' || kind === 'resume') {
      const expected = kind === 'init' || producerId === -1n ? null : { producerId, producerEpoch }
      const command = { transactionalId: ID, timeoutMs: 2_000, expected }
      const next = this.#apply(decideInitProducer(before, command, this.#version, this.#take, this.#nowMs))
      if (next !== null && !isEnding(next) && !lost) Object.assign(client, idOf(next))
      return
    }
    if (kind === 'add') {
      const partitions = [{ topic: `t${this.#log.length % 3}`, partition: 0 }]
      const command = { producerId, producerEpoch, partitions }
      if (this.#apply(decideEnrol(before, command, version, this.#nowMs)) !== null) this.#expectHolder(before, client)
      return
    }
    const command = { producerId, producerEpoch, committed: kind === 'commit' }
    const decision = decideEnd(before, command, version, this.#take, this.#nowMs)
    const next = this.#apply(decision)
    if (next === null) return
    if (decision.refused === null && decision.next !== null) {
      this.#expectHolder(before, client)
      this.#promised = kind === 'commit'
    } else {
      // Answered as done before: then it was done so.
      expect(next.state).toBe(kind === 'commit' ? 'CompleteCommit' : 'CompleteAbort')
    }
    if (knowsV2 && !lost) Object.assign(client, idOf(isEnding(next) ? completed(next, this.#nowMs) : next))
  }

  /** Only the producer that has the present epoch changes anything. */
  #expectHolder(before: Transaction | null, { producerId, producerEpoch }: Client): void {
    expect(before).toMatchObject({ producerId, producerEpoch })
  }

  #restart(): void {
    const live = this.present
    this.#shard = new TransactionShard()
    for (const { key, value } of this.#log) this.#shard.evolve(this.#codec.decode(key, value)!)
    expect(asRecorded(this.present)).toEqual(asRecorded(live))
  }

  #expire(): void {
    for (const tombstone of decideExpiry(this.#shard.all(), EXPIRATION_MS, this.#nowMs)) {
      const record = this.#codec.encode(tombstone)
      this.#log.push(record)
      this.#shard.evolve(this.#codec.decode(record.key, record.value)!)
    }
  }

  /** As if its producer had gone through tens of thousands of transactions. */
  #exhaust(): void {
    const { present } = this
    if (present?.state !== 'Ongoing' || present.producerEpoch >= 32_766) return
    for (const client of this.#clients) {
      if (client.producerId === present.producerId && client.producerEpoch === present.producerEpoch) {
        client.producerEpoch = 32_766
      }
    }
    this.#apply({ refused: null, next: { ...present, producerEpoch: 32_766 } })
  }
}

/** The epoch before the present one is not in records. */
function asRecorded(transaction: Transaction | null): Transaction | null {
  return transaction === null ? null : { ...transaction, lastProducerEpoch: 0 }
}

function idOf({ producerId, producerEpoch }: Transaction): Pick<Client, 'producerId' | 'producerEpoch'> {
  return { producerId, producerEpoch }
}

describe('any history of a transactional id', () => {
  it.each([0, 1, 2])('at transaction.version %i', (version) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const model = new Model(version)
        for (const each of steps) model.take(each)
        model.take({ kind: 'complete' })
        model.take({ kind: 'restart' })
      }),
      { numRuns: Number(process.env['ODRADEK_SEEDS'] ?? 400) },
    )
  })
})
