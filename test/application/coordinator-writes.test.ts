/** How the coordinator's records get into the log: what is one batch, in which order, and what is refused. */
import { describe, expect, it } from '@jest/globals'
import { endMarker, offsetRecord, openCoordinator, producer } from '../support/coordinator-broker.ts'
import { settle } from '../support/stalling-log-store.ts'

describe('the writes of a coordinator', () => {
  it('makes one batch of what comes together, and the next of what comes while it is written', async () => {
    const { commit, committed, logStore, offsetsLog } = await openCoordinator()
    await settle()
    logStore.stallAppend = true
    const first = [commit(1n, 'g'), commit(2n, 'h')]
    await settle()
    const second = [commit(3n, 'g'), commit(4n, 'i'), commit(5n, 'i')]
    expect(await Promise.race([second[0]!, Promise.resolve('not yet')])).toBe('not yet')
    await logStore.release()
    expect(await Promise.all([...first, ...second])).toEqual(Array(5).fill('NONE'))
    expect((await offsetsLog()).map(({ baseOffset, count }) => [baseOffset, count])).toEqual([
      [0n, 2],
      [2n, 3],
    ])
    expect([await committed('g'), await committed('h'), await committed('i')]).toEqual([3n, 2n, 5n])
  })

  it('makes no batch that is larger than the log takes, and refuses a decision that is', async () => {
    const { groups, offsetsLog, committed } = await openCoordinator({ configs: { 'max.message.bytes': '400' } })
    await settle()
    const run = (offset: bigint, metadata: string) =>
      groups.coordinator.run('g', () => ({ records: [offsetRecord(offset, metadata)], answer: offset }))
    const answers = [1n, 2n, 3n].map((offset) => run(offset, 'm'.repeat(80)))
    const tooLarge = run(4n, 'm'.repeat(400))
    expect((await Promise.all(answers)).map(({ answer }) => answer)).toEqual([1n, 2n, 3n])
    expect((await tooLarge).error).toBe('UNKNOWN_SERVER_ERROR')
    expect(await committed()).toBe(3n)
    // It fits by itself, though not by the bound that is counted with.
    expect((await run(5n, 'm'.repeat(270))).answer).toBe(5n)
    const batches = await offsetsLog()
    expect(batches.map(({ count }) => count)).toEqual([2, 1, 1])
    expect(Math.max(...batches.map(({ sizeBytes }) => sizeBytes))).toBeLessThanOrEqual(400)
  })

  it('keeps a transaction’s records and end in their place between what is gathered', async () => {
    const { groups, offsetsLog, committed, commit } = await openCoordinator()
    await settle()
    const { coordinator } = groups
    const writes = [
      commit(1n),
      coordinator.run('g', () => ({ records: [offsetRecord(7n)], answer: null }), producer),
      commit(2n),
      coordinator.endTransaction(0, endMarker(true)),
      commit(3n, 'h'),
    ]
    await Promise.all(writes)
    const batches = await offsetsLog()
    expect(batches.map(({ isTransactional, isControl, count }) => [isTransactional, isControl, count])).toEqual([
      [false, false, 1],
      [true, false, 1],
      [false, false, 1],
      [true, true, 1],
      [false, false, 1],
    ])
    expect(await committed()).toBe(2n)
  })

  it('takes nothing while too few replicas are in sync, and goes on when they are', async () => {
    const { commit, committed, logged } = await openCoordinator({
      replicas: [1, 2],
      configs: { 'min.insync.replicas': '2' },
    })
    await settle()
    expect(await commit(1n)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await committed()).toBe(null)
    expect(logged).not.toContain('coordinator write failed')
  })

  it('writes what was decided when it closes', async () => {
    const first = await openCoordinator()
    await settle()
    const writing = first.commit(1n)
    await first.groups.close()
    await first.partitions.close()
    expect(await writing).toBe('NONE')
    const second = await openCoordinator({ logStore: first.logStore })
    while (second.groups.coordinator.isLoading) await settle()
    expect(await second.committed()).toBe(1n)
  })

  it('waits as long as it is told after the first record of a batch', async () => {
    const { commit, clock, offsetsLog } = await openCoordinator({ lingerMs: 20 })
    await settle()
    const first = [commit(1n, 'g'), commit(2n, 'h')]
    clock.advance(19)
    await settle()
    const last = commit(3n, 'i')
    expect(await offsetsLog()).toEqual([])
    clock.advance(1)
    expect(await Promise.all([...first, last])).toEqual(['NONE', 'NONE', 'NONE'])
    const later = commit(4n)
    clock.advance(20)
    expect(await later).toBe('NONE')
    expect((await offsetsLog()).map(({ count }) => count)).toEqual([3, 1])
  })

  it('makes a batch of each decision when it is not to wait at all', async () => {
    const { commit, committed, offsetsLog } = await openCoordinator({ lingerMs: 0 })
    await settle()
    await Promise.all([commit(1n, 'g'), commit(2n, 'g'), commit(3n, 'h')])
    expect((await offsetsLog()).map(({ count }) => count)).toEqual([1, 1, 1])
    expect([await committed('g'), await committed('h')]).toEqual([2n, 3n])
  })

  it('writes together what comes within some milliseconds, but only while decisions are many', async () => {
    const { commit, clock, offsetsLog } = await openCoordinator()
    await settle()
    // Alone, each goes at once, however often.
    for (let i = 0n; i < 15n; i++) await commit(i)
    expect(await offsetsLog()).toHaveLength(15)
    clock.advance(4)
    await Promise.all(Array.from({ length: 16 }, (_, i) => commit(BigInt(i))))
    expect(await offsetsLog()).toHaveLength(16)
    clock.advance(4)
    const crowd = [commit(1n, 'g'), commit(2n, 'h')]
    await settle()
    crowd.push(commit(3n, 'i'))
    await settle()
    expect(await offsetsLog()).toHaveLength(16)
    clock.advance(4)
    expect(await Promise.all(crowd)).toEqual(['NONE', 'NONE', 'NONE'])
    expect((await offsetsLog()).map(({ count }) => count).slice(15)).toEqual([16, 3])
    // Three were not many.
    expect(await commit(4n)).toBe('NONE')
  })

  it('writes what it holds back when it closes', async () => {
    const { commit, groups, partitions, offsetsLog } = await openCoordinator({ lingerMs: 60_000 })
    await settle()
    const writing = commit(1n)
    await groups.close()
    expect(await writing).toBe('NONE')
    expect(await offsetsLog()).toHaveLength(1)
    await partitions.close()
  })
})
