import { describe, expect, it } from '@jest/globals'
import { MemoryLogStore } from '../../../src/adapters/storage-memory/memory-log-store.ts'
import type { EnrolCommand, Enrolled } from '../../../src/application/transaction-enrolment.ts'
import { CommitTransactionalOffsets } from '../../../src/application/use-cases/groups/commit-transactional-offsets.ts'
import { ZERO_UUID } from '../../../src/domain/uuid.ts'
import { openTransactionBroker } from '../../support/transaction-broker.ts'

const rules = { offsetMetadataMaxBytes: 10, offsetsRetentionMs: 1_000n, transactionPartitionVerificationEnable: true }

/** A broker whose enrolments are answered when the test says so. */
async function open() {
  const broker = await openTransactionBroker(new MemoryLogStore())
  const waiting: (() => void)[] = []
  const enrolment = {
    verify: (command: EnrolCommand) => broker.enrolment.verify(command),
    add: async (command: EnrolCommand): Promise<Enrolled> => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      return await broker.enrolment.add(command)
    },
  }
  const { groups, partitions, metadata } = broker
  const commitOffsets = new CommitTransactionalOffsets({ groups, partitions, metadata, enrolment }, () => rules)
  const commit = (producer: { readonly producerId: bigint; readonly producerEpoch: number }, offset: bigint) =>
    commitOffsets.execute({
      ...producer,
      ...{ transactionalId: 'id', groupId: 'g', memberId: '', groupInstanceId: null, generationOrEpoch: -1 },
      ...{ addsGroup: true, knowsAbortable: true },
      topics: [
        { name: 't', topicId: ZERO_UUID, partitions: [{ partition: 0, offset, leaderEpoch: -1, metadata: null }] },
      ],
    })
  return { ...broker, waiting, commit }
}

describe('offsets that a transaction commits', () => {
  it('count in the order in which they were sent, whichever the coordinator answers first', async () => {
    const { init, run, waiting, commit, endTransaction, committedOffset } = await open()
    await run()
    const starting = init()
    await run()
    const producer = await starting
    expect(producer.error).toBe('NONE')
    const first = commit(producer, 1n)
    const second = commit(producer, 2n)
    waiting[1]!()
    await run()
    const third = commit(producer, 3n)
    await run()
    for (const go of waiting) go()
    await run()
    for (const answer of [await first, await second, await third]) {
      expect(answer.map(({ partitions }) => partitions)).toMatchObject([[{ error: 'NONE' }]])
    }
    const ended = endTransaction.execute({ transactionalId: 'id', ...producer, committed: true, knowsV2: true })
    await run()
    expect(await ended).toMatchObject({ error: 'NONE' })
    expect(await committedOffset()).toBe(3n)
  })
})
