import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { buildBatch } from '../../../src/domain/log/batch-writer.ts'
import { readEndMarker } from '../../../src/domain/log/end-marker.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../../src/domain/log/producer-snapshot.ts'
import { ProducerStates, addToSequence } from '../../../src/domain/log/producer-state.ts'
import { RecordBatchView, batchBytesAt } from '../../../src/domain/log/record-batch.ts'
import { NO_LEAVE } from '../../../src/domain/log/transaction-leaves.ts'
import { testChecksum } from '../../support/stored-batches.ts'

const crc = (bytes: Uint8Array) => testChecksum.crc32c(bytes)
const MAX = 0x7fffffff

interface Sent {
  readonly pid?: bigint
  readonly epoch?: number
  readonly seq: number
  readonly count?: number
  readonly at?: bigint
  readonly transactional?: boolean
}

function batch({ pid = 1n, epoch = 0, seq, count = 1, at = 0n, transactional = false }: Sent): RecordBatchView {
  const records = Array.from({ length: count }, (_, i) => ({
    key: null,
    value: null,
    timestamp: 1000n + at + BigInt(i),
  }))
  const framing = { producerId: pid, producerEpoch: epoch, baseSequence: seq, baseOffset: at, transactional }
  return new RecordBatchView(buildBatch(records, framing, crc))
}

function marker(pid: bigint, epoch: number, at: bigint, coordinatorEpoch = 7, commit = true): RecordBatchView {
  const records = [
    {
      key: Uint8Array.of(0, 0, 0, commit ? 1 : 0),
      value: Uint8Array.of(0, 0, 0, 0, 0, coordinatorEpoch),
      timestamp: 5n,
    },
  ]
  const framing = { producerId: pid, producerEpoch: epoch, baseOffset: at, transactional: true, control: true }
  return new RecordBatchView(buildBatch(records, framing, crc))
}

function wrote(...sent: readonly Sent[]): ProducerStates {
  const states = new ProducerStates()
  for (const each of sent) states.evolve(batch(each), null)
  return states
}

describe('a producer', () => {
  const state = () => wrote({ seq: 0, count: 2, at: 10n }, { seq: 2, at: 12n })

  it.each([
    ['the next sequence', { seq: 3 }, 'accept'],
    ['a gap', { seq: 4 }, 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
    ['an overlap', { seq: 1 }, 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
    ['half a duplicate', { seq: 0, count: 1 }, 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
    ['a stale epoch', { seq: 3, epoch: -1 }, 'INVALID_PRODUCER_EPOCH'],
    ['a new epoch from 0', { seq: 0, epoch: 1 }, 'accept'],
    ['a new epoch from elsewhere', { seq: 3, epoch: 1 }, 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
    ['an unknown producer at any sequence', { pid: 2n, seq: 99 }, 'accept'],
    ['no producer', { pid: -1n, seq: -1 }, 'accept'],
  ])('with %s', (_, sent, decision) => {
    expect(state().decide(batch(sent), 'client')).toBe(decision)
  })

  it('is told where its duplicate is', () => {
    expect(state().decide(batch({ seq: 0, count: 2 }), 'client')).toEqual({
      baseOffset: 10n,
      lastOffset: 11n,
      timestamp: 1011n,
    })
  })

  it('is remembered for five batches, and forgotten with its epoch', () => {
    const states = wrote(...[0, 1, 2, 3, 4, 5].map((seq) => ({ seq, at: BigInt(seq) })))
    expect(states.decide(batch({ seq: 1 }), 'client')).toMatchObject({ baseOffset: 1n })
    expect(states.decide(batch({ seq: 0 }), 'client')).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    states.evolve(batch({ seq: 0, epoch: 1, at: 9n }), null)
    expect(states.decide(batch({ seq: 5 }), 'client')).toBe('INVALID_PRODUCER_EPOCH')
    expect(states.decide(batch({ seq: 0, epoch: 1 }), 'client')).toMatchObject({ baseOffset: 9n })
  })

  it('goes on at 0 after 2^31-1', () => {
    expect([addToSequence(MAX, 1), addToSequence(MAX - 1, 1), addToSequence(MAX, 3)]).toEqual([0, MAX, 2])
    const states = wrote({ seq: MAX - 1, count: 3, at: 5n })
    expect(states.decide(batch({ seq: 1 }), 'client')).toBe('accept')
    expect(states.decide(batch({ seq: MAX - 1, count: 3 }), 'client')).toMatchObject({ baseOffset: 5n })
    expect(wrote({ seq: MAX }).decide(batch({ seq: 0 }), 'client')).toBe('accept')
  })

  it('that is the broker itself is not asked for sequences', () => {
    expect(state().decide(batch({ seq: 0 }), 'coordinator')).toBe('accept')
    expect(state().decide(batch({ seq: 0, epoch: -1 }), 'coordinator')).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('expires when it was silent for long, unless its transaction is open', () => {
    const states = wrote({ pid: 1n, seq: 0 }, { pid: 2n, seq: 0, transactional: true }, { pid: 3n, seq: 0, at: 5000n })
    states.expire(2000n, 1000n)
    expect([...states.entries()].map(({ producerId }) => producerId)).toEqual([2n, 3n])
    states.evolve(batch({ pid: 4n, seq: 7 }), null)
    expect(states.decide(batch({ pid: 4n, seq: 8 }), 'client')).toBe('accept')
    expect(states.decide(batch({ pid: 3n, seq: 0 }), 'client')).toMatchObject({ baseOffset: 5000n })
  })
})

describe('a transaction', () => {
  it('holds read-committed readers back until its marker is written', () => {
    const states = wrote(
      { pid: 1n, seq: 0, at: 10n, transactional: true },
      { pid: 2n, seq: 0, at: 11n, transactional: true },
    )
    expect(states.firstUnstableOffset(12n)).toBe(10n)
    const end = marker(1n, 0, 12n)
    states.evolve(end, readEndMarker(end))
    expect([states.firstUnstableOffset(12n), states.firstUnstableOffset(13n)]).toEqual([10n, 11n])
    const other = marker(2n, 0, 13n, 7, false)
    expect(readEndMarker(other)).toEqual({ committed: false, coordinatorEpoch: 7 })
    states.evolve(other, readEndMarker(other))
    expect(states.firstUnstableOffset(14n)).toBeNull()
  })

  it('admits only transactional batches while it is open', () => {
    const states = wrote({ seq: 0, transactional: true })
    expect(states.decide(batch({ seq: 1 }), 'client')).toBe('INVALID_TXN_STATE')
    expect(states.decide(batch({ seq: 1, transactional: true }), 'client')).toBe('accept')
  })

  it.each([
    ['of version 1 with the same epoch', 4, 7, 1, 'accept'],
    ['of version 1 with a stale epoch', 3, 7, 1, 'INVALID_PRODUCER_EPOCH'],
    ['of version 2 with a raised epoch', 5, 7, 2, 'accept'],
    ['of version 2 with the same epoch', 4, 7, 2, 'INVALID_PRODUCER_EPOCH'],
    ['of version 2 with a stale epoch', 3, 7, 2, 'INVALID_PRODUCER_EPOCH'],
    ['of an older coordinator', 5, 6, 2, 'TRANSACTION_COORDINATOR_FENCED'],
    ['of a newer coordinator', 5, 8, 2, 'accept'],
  ])('is ended by a marker %s: %#', (_, epoch, coordinatorEpoch, version, decision) => {
    const states = wrote({ seq: 0, epoch: 3, transactional: true })
    const before = marker(1n, 4, 1n)
    states.evolve(before, readEndMarker(before))
    states.evolve(batch({ seq: 0, epoch: 4, at: 2n, transactional: true }), null)
    const end = marker(1n, epoch, 3n, coordinatorEpoch)
    expect(states.decideMarker(end, readEndMarker(end)!, version)).toBe(decision)
  })

  it('that has ended may get its marker again, and is not aborted twice', () => {
    const states = wrote({ seq: 0, at: 4n, transactional: true })
    const first = marker(1n, 1, 5n, 7, false)
    expect(states.evolve(first, readEndMarker(first))).toEqual({
      producerId: 1n,
      firstOffset: 4n,
      lastOffset: 5n,
      lastStableOffset: 6n,
    })
    const again = marker(1n, 1, 6n, 7, false)
    expect(states.decideMarker(again, readEndMarker(again)!, 2)).toBe('accept')
    expect(states.evolve(again, readEndMarker(again))).toBeNull()
  })

  it('leaves in its line of the index where the first one begins that is still open', () => {
    const states = wrote(
      { pid: 1n, seq: 0, at: 1n, transactional: true },
      { pid: 2n, seq: 0, at: 2n, transactional: true },
      { pid: 3n, seq: 0, at: 3n, transactional: true },
    )
    const aborts = [2n, 1n, 3n].map((pid, i) => {
      const end = marker(pid, 0, BigInt(4 + i), 7, false)
      return states.evolve(end, readEndMarker(end))!.lastStableOffset
    })
    expect(aborts).toEqual([1n, 3n, 7n])
  })

  it('begins only with a good leave', () => {
    const states = new ProducerStates()
    const first = batch({ seq: 0, transactional: true })
    expect(states.decide(first, 'client', NO_LEAVE)).toBe('INVALID_TXN_STATE')
    const leave = states.leaves.ask(first, true, 0n)
    expect(states.leaves.ask(batch({ seq: 1, transactional: true }), true, 0n)).toBe(leave)
    expect(states.decide(first, 'client', leave)).toBe('accept')
    expect(states.decide(first, 'client', leave + 1)).toBe('INVALID_TXN_STATE')
    states.evolve(first, null)
    expect(states.decide(batch({ seq: 1, transactional: true }), 'client', NO_LEAVE)).toBe('accept')
    const end = marker(1n, 1, 1n)
    states.evolve(end, readEndMarker(end))
    expect(states.decide(batch({ seq: 0, epoch: 1, transactional: true }), 'client', leave)).toBe('INVALID_TXN_STATE')
  })

  it('that was ended while its first batch waited takes that batch no more', () => {
    const states = new ProducerStates()
    const late = batch({ seq: 0, transactional: true })
    const leave = states.leaves.ask(late, true, 0n)
    const end = marker(1n, 1, 0n, 7, false)
    states.evolve(end, readEndMarker(end))
    expect(states.decide(late, 'client', leave)).toBe('INVALID_TXN_STATE')
    const asked = states.leaves.ask(late, true, 0n)
    expect(states.decide(late, 'client', asked)).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('is not begun by a batch that overtook its first one', () => {
    const states = new ProducerStates()
    const leave = states.leaves.ask(batch({ seq: 0, transactional: true }), false, 0n)
    const second = batch({ seq: 1, transactional: true })
    states.leaves.ask(second, false, 0n)
    expect(states.decide(second, 'client', leave)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    // A client of Transactions V2 begins every epoch at 0.
    const newer = new ProducerStates()
    const other = newer.leaves.ask(second, true, 0n)
    expect(newer.decide(second, 'client', other)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(states.decide(second, 'coordinator', leave)).toBe('accept')
  })

  it('holds plain batches of its producer to its sequence as well, as long as it waits', () => {
    const states = new ProducerStates()
    const leave = states.leaves.ask(batch({ seq: 0, transactional: true }), false, 0n)
    expect(states.decide(batch({ seq: 1 }), 'client')).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    const plain = batch({ seq: 0 })
    expect(states.decide(plain, 'client')).toBe('accept')
    states.evolve(plain, null)
    expect(states.leaves.admits(plain.producerId, leave)).toBe(true)
  })

  it('is forgotten with its leave when nothing came of it', () => {
    const states = new ProducerStates()
    const first = batch({ seq: 0, transactional: true })
    const leave = states.leaves.ask(first, true, 0n)
    states.expire(999n, 1000n)
    expect(states.decide(first, 'client', leave)).toBe('accept')
    states.expire(1000n, 1000n)
    expect(states.decide(first, 'client', leave)).toBe('INVALID_TXN_STATE')
  })

  it('that ended with a higher epoch starts at sequence 0 again, as transaction version 2 has it', () => {
    const states = wrote({ seq: 4, transactional: true })
    const end = marker(1n, 1, 1n)
    states.evolve(end, readEndMarker(end))
    expect([...states.entries()]).toEqual([
      {
        producerId: 1n,
        epoch: 1,
        lastSequence: -1,
        lastOffset: -1n,
        offsetDelta: 0,
        timestamp: 5n,
        coordinatorEpoch: 7,
        currentTxnFirstOffset: -1n,
      },
    ])
    expect(states.decide(batch({ seq: 5, epoch: 1 }), 'client')).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(states.decide(batch({ seq: 0, epoch: 1 }), 'client')).toBe('accept')
  })
})

describe('many producers', () => {
  interface Known {
    epoch: number
    batches: { first: number; last: number; at: bigint }[]
  }

  it('are decided as a plain model decides', () => {
    const sent = fc.record({
      pid: fc.bigInt({ min: 0n, max: 12n }),
      epoch: fc.nat(2),
      seq: fc.nat(8),
      count: fc.integer({ min: 1, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 80 }), (commands) => {
        const states = new ProducerStates()
        const model = new Map<bigint, Known>()
        let end = 0n
        for (const command of commands) {
          const view = batch({ ...command, at: end })
          const known = model.get(command.pid)
          const last = command.seq + command.count - 1
          const twin = known?.batches.find((b) => b.first === command.seq && b.last === last)
          const decision = states.decide(view, 'client')
          if (known !== undefined && known.epoch === command.epoch && twin !== undefined) {
            expect(decision).toMatchObject({ baseOffset: twin.at })
            continue
          }
          const newest = known?.batches.at(-1)
          const next = known?.epoch === command.epoch ? newest!.last + 1 : 0
          const expected =
            known === undefined
              ? 'accept'
              : command.epoch < known.epoch
                ? 'INVALID_PRODUCER_EPOCH'
                : command.seq === next
                  ? 'accept'
                  : 'OUT_OF_ORDER_SEQUENCE_NUMBER'
          expect(decision).toBe(expected)
          if (decision !== 'accept') continue
          states.evolve(view, null)
          const batches = known?.epoch === command.epoch ? known.batches.slice(-4) : []
          model.set(command.pid, {
            epoch: command.epoch,
            batches: [...batches, { first: command.seq, last, at: end }],
          })
          end += BigInt(command.count)
        }
        const copy = decodeProducerSnapshot(encodeProducerSnapshot(states, crc), crc)!
        expect([...copy.entries()]).toEqual([...states.entries()])
      }),
    )
  })
})

describe('a snapshot', () => {
  const files = readdirSync('test/fixtures/golden', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.snapshot'))
    .map((name) => path.join('test/fixtures/golden', name))

  it('of a real broker is read and written back byte for byte', () => {
    let producers = 0
    for (const file of files) {
      const bytes = readFileSync(file)
      const states = decodeProducerSnapshot(bytes, crc)
      if (states === null) continue
      producers += states.size
      expect(Buffer.compare(encodeProducerSnapshot(states, crc), bytes)).toBe(0)
    }
    expect(producers).toBeGreaterThan(10)
  })

  it('is what replaying the log of a real broker yields', () => {
    let compared = 0
    for (const file of files) {
      const folder = path.dirname(file)
      const logs = readdirSync(folder)
        .filter((name) => name.endsWith('.log'))
        .sort()
      const offset = BigInt(path.basename(file, '.snapshot'))
      const expected = decodeProducerSnapshot(readFileSync(file), crc)
      if (expected === null || expected.size === 0 || logs[0] !== '00000000000000000000.log') continue
      if (folder.includes('compacted') || folder.includes('crashed')) continue
      const states = new ProducerStates()
      for (const log of logs) {
        if (statSync(path.join(folder, log)).size === 0) continue
        const view = new RecordBatchView(readFileSync(path.join(folder, log)))
        for (let bytes = batchBytesAt(view); bytes > 0; bytes = batchBytesAt(view)) {
          if (view.lastOffset < offset) states.evolve(view, view.isControl ? readEndMarker(view) : null)
          view.at += bytes
        }
      }
      // What Kafka loaded it took without the producers that had expired.
      const replayed = new Map([...states.entries()].map((entry) => [entry.producerId, entry]))
      for (const entry of expected.entries()) expect([file, replayed.get(entry.producerId)]).toEqual([file, entry])
      compared++
    }
    expect(compared).toBeGreaterThan(5)
  })

  it('that is damaged is none', () => {
    const bytes = encodeProducerSnapshot(wrote({ seq: 1 }), crc)
    expect(encodeProducerSnapshot(new ProducerStates(), crc)).toHaveLength(10)
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Uint8Array.from(bytes)
      damaged[i]! ^= 1
      expect(decodeProducerSnapshot(damaged, crc)).toBeNull()
    }
    expect(decodeProducerSnapshot(bytes.subarray(0, 9), crc)).toBeNull()
  })
})
