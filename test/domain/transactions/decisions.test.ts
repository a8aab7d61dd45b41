/** What is decided about one transactional id, as tables: the answers of Kafka 4.3 (observed, or told by its states). */
import { describe, expect, it } from '@jest/globals'
import type { TakeProducerId } from '../../../src/domain/transactions/decision.ts'
import { decideEnrol, verifyEnrolled } from '../../../src/domain/transactions/enrol-partitions.ts'
import { completed, decideComplete, decideEnd, decideFence } from '../../../src/domain/transactions/end-transaction.ts'
import { decideExpiry } from '../../../src/domain/transactions/expire-transactions.ts'
import { decideInitProducer, refuseTimeout } from '../../../src/domain/transactions/init-producer.ts'
import {
  fromValue,
  isTimedOut,
  partitionsOf,
  recordOf,
  withPartitions,
  type Transaction,
  type TransactionState,
} from '../../../src/domain/transactions/transaction.ts'
import { admitted, unknownStates } from '../../../src/domain/transactions/transaction-filter.ts'

const NOW = 1_000_000n
const take: TakeProducerId = () => 77n
const none: TakeProducerId = () => null

const t0 = { topic: 't', partition: 0 }
const t1 = { topic: 't', partition: 1 }
const u0 = { topic: 'u', partition: 0 }

function transaction(state: TransactionState, more: Partial<Transaction> = {}): Transaction {
  const isOpen = state === 'Ongoing' || state === 'PrepareCommit' || state === 'PrepareAbort'
  return {
    transactionalId: 'id',
    producerId: 5n,
    previousProducerId: 5n,
    nextProducerId: -1n,
    producerEpoch: 3,
    lastProducerEpoch: -1,
    timeoutMs: 1_000,
    state,
    partitions: isOpen ? withPartitions(new Map(), [t0]) : new Map(),
    startMs: state === 'Empty' ? -1n : NOW - 500n,
    updatedMs: NOW - 400n,
    clientVersion: 2,
    ...more,
  }
}

const settledStates = ['Empty', 'CompleteCommit', 'CompleteAbort'] as const
const endingStates = ['PrepareCommit', 'PrepareAbort'] as const

/** The fields that a change is about, or the refusal. */
function outcome(decision: ReturnType<typeof decideEnd>) {
  if (decision.refused !== null) return decision.refused
  if (decision.next === null) return 'as it is'
  const { state, producerId, producerEpoch, lastProducerEpoch, nextProducerId } = decision.next
  return { state, producerId, producerEpoch, lastProducerEpoch, nextProducerId }
}

describe('InitProducerId', () => {
  const init = (
    present: Transaction | null,
    expected: readonly [bigint, number] | null = null,
    { version = 2, ids = take } = {},
  ) => {
    const command = {
      transactionalId: 'id',
      timeoutMs: 2_000,
      expected: expected === null ? null : { producerId: expected[0], producerEpoch: expected[1] },
    }
    return decideInitProducer(present, command, version, ids, NOW)
  }
  const begun = (producerId: bigint, producerEpoch: number, lastProducerEpoch: number) => ({
    state: 'Empty',
    producerId,
    producerEpoch,
    lastProducerEpoch,
    nextProducerId: -1n,
  })

  it('gives a new id a new producer id with epoch 0', () => {
    const decision = init(null)
    expect(outcome(decision)).toEqual(begun(77n, 0, -1))
    expect(decision).toMatchObject({
      next: { previousProducerId: 77n, timeoutMs: 2_000, startMs: -1n, clientVersion: 0 },
    })
    expect(outcome(init(null, [9n, 4]))).toEqual(begun(77n, 0, -1))
    expect(outcome(init(null, null, { ids: none }))).toBe('needs a producer id')
  })

  it.each(settledStates)('raises the epoch in %s', (state) => {
    const present = transaction(state)
    expect(outcome(init(present))).toEqual(begun(5n, 4, -1))
    expect(outcome(init(present, [5n, 3]))).toEqual(begun(5n, 4, 3))
    expect(outcome(init(present, [5n, 2]))).toBe('PRODUCER_FENCED')
    expect(outcome(init(present, [6n, 3]))).toBe('PRODUCER_FENCED')
  })

  it('gives the same epoch again to a producer that lost the answer', () => {
    const present = transaction('Empty', { lastProducerEpoch: 2 })
    expect(outcome(init(present, [5n, 2]))).toEqual(begun(5n, 3, 2))
  })

  it.each(endingStates)('waits for the end in %s', (state) => {
    expect(outcome(init(transaction(state)))).toBe('CONCURRENT_TRANSACTIONS')
    expect(outcome(init(transaction(state), [6n, 3]))).toBe('CONCURRENT_TRANSACTIONS')
  })

  it('aborts what is open, and fences its producer', () => {
    const present = transaction('Ongoing')
    const fenced = { state: 'PrepareAbort', producerId: 5n, producerEpoch: 4, nextProducerId: -1n }
    expect(outcome(init(present))).toEqual({ ...fenced, lastProducerEpoch: 3 })
    expect(outcome(init(present, null, { version: 1 }))).toEqual({ ...fenced, lastProducerEpoch: -1 })
    expect(outcome(init(present, [5n, 3]))).toEqual({ ...fenced, lastProducerEpoch: 3 })
    expect(outcome(init(present, [9n, 3]))).toBe('PRODUCER_FENCED')
  })

  it('takes another producer id when the epochs are used up', () => {
    const present = transaction('CompleteCommit', { producerEpoch: 32_766 })
    expect(outcome(init(present))).toEqual(begun(77n, 0, -1))
    expect(outcome(init(present, [5n, 32_766]))).toEqual(begun(77n, 0, 32_766))
    expect(outcome(init(present, [5n, 32_766], { ids: none }))).toBe('needs a producer id')
    // The answer with the new producer id was lost.
    const moved = transaction('Empty', {
      producerId: 77n,
      previousProducerId: 5n,
      producerEpoch: 0,
      lastProducerEpoch: 32_766,
    })
    expect(outcome(init(moved, [5n, 32_766]))).toEqual(begun(77n, 0, 32_766))
    expect(outcome(init(moved, [5n, 7]))).toBe('PRODUCER_FENCED')
  })

  it.each([
    [0, 'INVALID_TRANSACTION_TIMEOUT'],
    [-1, 'INVALID_TRANSACTION_TIMEOUT'],
    [901, 'INVALID_TRANSACTION_TIMEOUT'],
    [900, null],
    [1, null],
  ])('a time-out of %i ms where 900 are the most: %s', (timeoutMs, refused) => {
    expect(refuseTimeout(timeoutMs, 900)).toBe(refused)
  })
})

describe('adding partitions', () => {
  const enrol = (present: Transaction | null, partitions = [t0], producerId = 5n, producerEpoch = 3) =>
    decideEnrol(present, { producerId, producerEpoch, partitions }, 2, NOW)

  it.each(settledStates)('begins a transaction in %s', (state) => {
    const decision = enrol(transaction(state, { clientVersion: 0 }), [t0, u0, t1, t0])
    expect(decision).toMatchObject({ next: { state: 'Ongoing', startMs: NOW, updatedMs: NOW, clientVersion: 2 } })
    expect(decision.refused === null && partitionsOf(decision.next!)).toEqual([t0, t1, u0])
  })

  it('goes on with one that is open, or changes nothing', () => {
    const present = transaction('Ongoing')
    const decision = enrol(present, [t0, t1])
    expect(decision).toMatchObject({ next: { state: 'Ongoing', startMs: NOW - 500n } })
    expect(decision.refused === null && partitionsOf(decision.next!)).toEqual([t0, t1])
    expect(partitionsOf(present)).toEqual([t0])
    expect(outcome(enrol(present))).toBe('as it is')
  })

  it('refuses whoever may not', () => {
    expect(outcome(enrol(null))).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(outcome(enrol(transaction('Empty'), [t0], 6n))).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(outcome(enrol(transaction('Ongoing'), [t0], 5n, 2))).toBe('PRODUCER_FENCED')
    expect(outcome(enrol(transaction('Ongoing'), [t0], 5n, 4))).toBe('PRODUCER_FENCED')
    for (const state of endingStates) {
      expect(outcome(enrol(transaction(state), [t0], 6n))).toBe('CONCURRENT_TRANSACTIONS')
    }
  })

  it('is verified', () => {
    const verify = (present: Transaction | null, producerId = 5n, producerEpoch = 3) =>
      verifyEnrolled(present, { producerId, producerEpoch, partitions: [t0, t1] })
    expect(verify(transaction('Ongoing'))).toEqual([null, 'TRANSACTION_ABORTABLE'])
    expect(verify(transaction('Empty'))).toEqual(['TRANSACTION_ABORTABLE', 'TRANSACTION_ABORTABLE'])
    expect(verify(null)[0]).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(verify(transaction('Ongoing'), 6n)[0]).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(verify(transaction('Ongoing'), 5n, 2)[0]).toBe('PRODUCER_FENCED')
    expect(verify(transaction('PrepareCommit'))[1]).toBe('CONCURRENT_TRANSACTIONS')
  })
})

type Row = readonly [state: TransactionState, epoch: number, committed: boolean, expected: unknown]

describe('EndTxn', () => {
  const end = (present: Transaction | null, committed: boolean, epoch = 3, version = 2, producerId = 5n) =>
    outcome(decideEnd(present, { producerId, producerEpoch: epoch, committed }, version, take, NOW))
  const raised = { producerId: 5n, producerEpoch: 4, lastProducerEpoch: 3, nextProducerId: -1n }
  const aborts = { ...raised, state: 'PrepareAbort' }

  const v2: readonly Row[] = [
    ['Ongoing', 3, true, { ...raised, state: 'PrepareCommit' }],
    ['Ongoing', 3, false, aborts],
    ['Ongoing', 2, true, 'PRODUCER_FENCED'],
    ['Ongoing', 4, true, 'PRODUCER_FENCED'],
    ['Empty', 3, false, aborts],
    ['Empty', 3, true, 'INVALID_TXN_STATE'],
    ['Empty', 2, false, 'PRODUCER_FENCED'],
    ['Empty', 2, true, 'PRODUCER_FENCED'],
    ['CompleteAbort', 2, false, 'as it is'],
    ['CompleteAbort', 3, false, aborts],
    ['CompleteAbort', 2, true, 'INVALID_TXN_STATE'],
    ['CompleteAbort', 3, true, 'INVALID_TXN_STATE'],
    ['CompleteCommit', 2, false, 'INVALID_TXN_STATE'],
    ['CompleteCommit', 3, false, aborts],
    ['CompleteCommit', 2, true, 'as it is'],
    ['CompleteCommit', 3, true, 'INVALID_TXN_STATE'],
    ['CompleteCommit', 1, true, 'PRODUCER_FENCED'],
    ['PrepareCommit', 2, true, 'CONCURRENT_TRANSACTIONS'],
    ['PrepareCommit', 2, false, 'CONCURRENT_TRANSACTIONS'],
    ['PrepareAbort', 0, false, 'CONCURRENT_TRANSACTIONS'],
  ]
  it.each(v2)('V2: %s, epoch %i of 3, commit %s', (state, epoch, committed, expected) => {
    expect(end(transaction(state), committed, epoch)).toEqual(expected)
  })

  it('V2: a zombie is not taken for its V1 successor, whose epoch no end has raised', () => {
    for (const state of ['CompleteAbort', 'CompleteCommit'] as const) {
      for (const committed of [true, false]) {
        expect(end(transaction(state, { clientVersion: 0 }), committed, 2)).toBe('PRODUCER_FENCED')
      }
    }
  })

  const same = { producerId: 5n, producerEpoch: 3, lastProducerEpoch: -1, nextProducerId: -1n }
  const v1: readonly Row[] = [
    ['Ongoing', 3, true, { ...same, state: 'PrepareCommit' }],
    ['Ongoing', 3, false, { ...same, state: 'PrepareAbort' }],
    ['Ongoing', 2, true, 'PRODUCER_FENCED'],
    ['Ongoing', 6, true, 'PRODUCER_FENCED'],
    ['Empty', 3, false, 'INVALID_TXN_STATE'],
    ['Empty', 3, true, 'INVALID_TXN_STATE'],
    ['CompleteAbort', 3, false, 'as it is'],
    ['CompleteAbort', 3, true, 'INVALID_TXN_STATE'],
    ['CompleteCommit', 3, true, 'as it is'],
    ['CompleteCommit', 3, false, 'INVALID_TXN_STATE'],
    ['CompleteCommit', 2, true, 'PRODUCER_FENCED'],
    ['PrepareCommit', 3, true, 'CONCURRENT_TRANSACTIONS'],
    ['PrepareCommit', 2, true, 'PRODUCER_FENCED'],
  ]
  it.each(v1)('V1: %s, epoch %i of 3, commit %s', (state, epoch, committed, expected) => {
    expect(end(transaction(state), committed, epoch, 0)).toEqual(expected)
  })

  it('knows its producers', () => {
    expect(end(null, true)).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(end(transaction('Ongoing'), true, 3, 2, 6n)).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(end(transaction('Ongoing'), true, 3, 0, 6n)).toBe('INVALID_PRODUCER_ID_MAPPING')
  })

  it('moves to another producer id with the last epoch, and knows the request again', () => {
    const present = transaction('Ongoing', { producerEpoch: 32_766 })
    const command = { producerId: 5n, producerEpoch: 32_766, committed: true }
    expect(decideEnd(present, command, 2, none, NOW)).toEqual({ refused: 'needs a producer id' })
    const decision = decideEnd(present, command, 2, take, NOW)
    if (decision.refused !== null) throw new Error('refused')
    const ending = decision.next!
    // The markers carry the epoch that no client gets.
    expect(ending).toMatchObject({ state: 'PrepareCommit', producerId: 5n, producerEpoch: 32_767, nextProducerId: 77n })
    const done = decideComplete(ending, NOW + 1n)!
    expect(done).toMatchObject({ state: 'CompleteCommit', producerId: 77n, producerEpoch: 0, previousProducerId: 5n, lastProducerEpoch: 32_766 }) // prettier-ignore
    expect(outcome(decideEnd(done, command, 2, take, NOW))).toBe('as it is')
    expect(outcome(decideEnd(done, { ...command, committed: false }, 2, take, NOW))).toBe('INVALID_TXN_STATE')
  })

  it('is complete when its markers are written, once', () => {
    const ending = transaction('PrepareAbort')
    const done = decideComplete(ending, NOW)!
    expect(done).toEqual(completed(ending, NOW))
    expect(done).toMatchObject({ state: 'CompleteAbort', producerEpoch: 3, startMs: NOW - 500n, updatedMs: NOW })
    expect(partitionsOf(done)).toEqual([])
    expect(decideComplete(done, NOW)).toBeNull()
    expect(decideComplete(null, NOW)).toBeNull()
  })
})

describe('the broker itself', () => {
  it('fences with an epoch that no client gets, and never runs out of them', () => {
    const fence = (producerEpoch: number, version: number) =>
      outcome(decideFence(transaction('Ongoing', { producerEpoch }), version, take, NOW))
    expect(fence(3, 2)).toMatchObject({ state: 'PrepareAbort', producerEpoch: 4, nextProducerId: -1n })
    expect(fence(32_766, 2)).toMatchObject({ producerEpoch: 32_767, nextProducerId: 77n })
    expect(fence(32_767, 2)).toMatchObject({ producerEpoch: 32_767, nextProducerId: 77n })
    expect(fence(32_766, 0)).toMatchObject({ producerEpoch: 32_767, nextProducerId: -1n })
    expect(fence(32_767, 0)).toMatchObject({ producerEpoch: 32_767, nextProducerId: -1n })
  })

  it.each([
    ['Ongoing', 500, false],
    ['Ongoing', 499, true],
    ['Ongoing', 2_147_483_647, false],
    ['PrepareCommit', 1, false],
    ['Empty', 1, false],
  ] as const)('%s for 500 ms with a time-out of %i ms: timed out %s', (state, timeoutMs, expected) => {
    expect(isTimedOut(transaction(state, { timeoutMs }), NOW)).toBe(expected)
  })

  it('forgets ids that are not used', () => {
    const all = (['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort'] as const).map(
      (state) => transaction(state, { transactionalId: state }),
    )
    const expired = decideExpiry(all, 400n, NOW)
    expect(expired.map(({ transactionalId, value }) => [transactionalId, value])).toEqual([
      ['Empty', null],
      ['CompleteCommit', null],
      ['CompleteAbort', null],
    ])
    expect(decideExpiry(all, 401n, NOW)).toEqual([])
  })

  it.each([
    [{}, ['a', 'b', 'c']],
    [{ states: ['Ongoing'] }, ['a']],
    [{ states: ['Ongoing', 'nonsense'] }, ['a']],
    [{ states: ['nonsense'] }, []],
    [{ producerIds: [6n] }, ['b']],
    [{ longerThanMs: 0n }, ['a', 'b', 'c']],
    [{ longerThanMs: 500n }, ['c']],
    [{ matches: (id: string) => id !== 'a' }, ['b', 'c']],
  ])('lists by %j: %j', (filter, expected) => {
    const all = [
      transaction('Ongoing', { transactionalId: 'a' }),
      transaction('CompleteAbort', { transactionalId: 'b', producerId: 6n }),
      transaction('Empty', { transactionalId: 'c' }),
    ]
    const wanted = { states: [], producerIds: [], longerThanMs: -1n, matches: () => true, ...filter }
    expect(all.filter(admitted(wanted, NOW)).map(({ transactionalId }) => transactionalId)).toEqual(expected)
  })

  it('names the states that do not exist', () => {
    expect(unknownStates(['Ongoing', 'ongoing', 'Foo', 'Dead'])).toEqual(['ongoing', 'Foo'])
  })
})

describe('a record', () => {
  it('says all but what only memory knows', () => {
    for (const state of ['Empty', 'Ongoing', 'CompleteCommit'] as const) {
      const present = transaction(state)
      const again = fromValue('id', recordOf(present).value!, null)!
      expect({ ...again, lastProducerEpoch: 0 }).toEqual({ ...present, lastProducerEpoch: 0 })
    }
  })

  it('keeps the epoch before where it can be told', () => {
    const last = (state: TransactionState, more: Partial<Transaction>, before: Transaction | null = null) =>
      fromValue('id', recordOf(transaction(state, more)).value!, before)!.lastProducerEpoch
    expect(last('CompleteCommit', {})).toBe(2)
    expect(last('CompleteCommit', { clientVersion: 0 })).toBe(-1)
    expect(last('CompleteCommit', { producerId: 6n, producerEpoch: 0 })).toBe(32_766)
    const before = transaction('Empty', { lastProducerEpoch: 1 })
    expect(last('Ongoing', { clientVersion: 0 }, before)).toBe(1)
    expect(last('PrepareAbort', { clientVersion: 0, producerEpoch: 4 }, before)).toBe(-1)
    expect(last('Empty', {}, before)).toBe(-1)
  })

  it('of a state that no broker writes is left alone', () => {
    expect(fromValue('id', { ...recordOf(transaction('Empty')).value!, transactionStatus: 9 }, null)).toBeNull()
  })
})
