/** The coordinator over memory: loading, the order of decisions and writes, failed writes, transactions. */
import { describe, expect, it } from '@jest/globals'
import { NO_LEAVE } from '../../src/domain/log/transaction-leaves.ts'
import { endMarker, offsetRecord, offsetsTopic, openCoordinator, producer } from '../support/coordinator-broker.ts'
import { settle } from '../support/stalling-log-store.ts'

describe('a coordinator', () => {
  it('says that it is loading until its log is replayed, and then knows everything', async () => {
    const first = await openCoordinator()
    await settle()
    expect(await first.commit(1n)).toBe('NONE')
    expect(await first.commit(2n)).toBe('NONE')
    await first.groups.close()
    await first.partitions.close()

    first.logStore.stallOpen = true
    const second = await openCoordinator({ logStore: first.logStore })
    expect(await second.commit(3n)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    expect(second.groups.coordinator.isLoading).toBe(true)
    await second.logStore.release()
    await settle()
    expect(await second.committed()).toBe(2n)
  })

  it('answers when it is written, and decides on what is not written yet', async () => {
    const { commit, committed, logStore } = await openCoordinator()
    await settle()
    logStore.stallAppend = true
    const done: string[] = []
    const writes = [1n, 2n].map((offset) => commit(offset).then((error) => done.push(`${offset} ${error}`)))
    const read = committed().then((offset) => done.push(`read ${offset}`))
    await settle()
    expect(done).toEqual([])
    await logStore.release()
    await Promise.all([...writes, read])
    expect(done.sort()).toEqual(['1 NONE', '2 NONE', 'read 2'])
  })

  it('writes its batches as a real one does', async () => {
    const { commit, offsetsLog } = await openCoordinator()
    await settle()
    await commit(1n)
    expect((await offsetsLog())[0]).toMatchObject({
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: 0,
      count: 1,
      isTransactional: false,
    })
  })

  it('loses nothing silently when a write fails: who waits is told, deadlines are void', async () => {
    const { commit, committed, join, groups, logStore, logged } = await openCoordinator()
    await settle()
    logStore.stallAppend = true
    logStore.failAppend = true
    const joining = join()
    const writing = commit(1n)
    await settle()
    expect(groups.deadlines.size).toBeGreaterThan(0)
    await logStore.release()
    expect(await writing).toBe('NOT_COORDINATOR')
    expect((await joining).error).toBe('NOT_COORDINATOR')
    expect(groups.deadlines.size).toBe(0)
    expect(await committed()).toBe('NOT_COORDINATOR')
    expect(logged).toContain('coordinator write failed')
  })

  it('answers whoever waits when it closes', async () => {
    const { join, groups, clock } = await openCoordinator()
    await settle()
    const joining = join()
    await settle()
    await groups.close()
    expect(await joining).toMatchObject({ error: 'NOT_COORDINATOR', memberId: '' })
    expect(groups.deadlines.size).toBe(0)
    clock.advance(100_000)
  })

  it('forgets everything when its topic is deleted', async () => {
    const { commit, committed, metadata } = await openCoordinator()
    await settle()
    await commit(1n)
    const records = [{ type: 'RemoveTopicRecord', topicId: offsetsTopic.id } as const]
    await metadata.commit(() => ({ records, answer: null }))
    expect(await committed()).toBe('COORDINATOR_NOT_AVAILABLE')
  })

  it('runs the deadlines of groups', async () => {
    const { join, clock, groups } = await openCoordinator()
    await settle()
    const joining = join()
    await settle()
    clock.advance(10)
    expect(await joining).toMatchObject({ error: 'NONE', generation: 1, leader: 'm' })
    clock.advance(10_000)
    await settle()
    const { answer } = await groups.coordinator.run('g', (shard) => ({
      records: [],
      answer: shard.classicGroup('g')?.state,
    }))
    expect(answer).toBe('Empty')
  })

  it.each([
    ['commits', true, 7n],
    ['aborts', false, 1n],
  ])('applies what a transaction decided when it %s, in replay too', async (_, isCommit, expected) => {
    const first = await openCoordinator()
    await settle()
    await first.commit(1n)
    const { coordinator } = first.groups
    const write = (leave: number) =>
      coordinator.run('g', () => ({ records: [offsetRecord(7n)], answer: null }), { ...producer, leave })
    expect(await write(NO_LEAVE)).toEqual({ error: 'INVALID_TXN_STATE' })
    await write(producer.leave)
    expect(await first.committed()).toBe(1n)
    expect(await coordinator.endTransaction(0, endMarker(isCommit, 0))).toEqual({ error: 'INVALID_PRODUCER_EPOCH' })
    expect(await first.committed()).toBe(1n)
    await coordinator.endTransaction(0, endMarker(isCommit))
    expect(await first.committed()).toBe(expected)
    await first.groups.close()
    await first.partitions.close()
    const second = await openCoordinator({ logStore: first.logStore })
    while (second.groups.coordinator.isLoading) await settle()
    expect(await second.committed()).toBe(expected)
  })
})
