/** Markers that somebody asks for by hand. */
import { describe, expect, it } from '@jest/globals'
import { MemoryLogStore } from '../../../../src/adapters/storage-memory/memory-log-store.ts'
import { WriteMarkers } from '../../../../src/application/use-cases/transactions/write-markers.ts'
import { openTransactionBroker } from '../../../support/transaction-broker.ts'

async function open() {
  const { partitions, markers } = await openTransactionBroker(new MemoryLogStore())
  const hosted = partitions.find('t', 0)!
  await hosted.whenOpen()
  const useCase = new WriteMarkers(markers)
  const write = async (producerId: bigint, producerEpoch: number, partition = 0) => {
    const marker = { producerId, producerEpoch, committed: true, coordinatorEpoch: 0, transactionVersion: 0 }
    const [topic] = await useCase.execute({ ...marker, topics: [{ name: 't', partitions: [partition] }] })
    return topic!.partitions[0]!.error
  }
  return { hosted, write }
}

describe('a marker asked for by hand', () => {
  // Observed on 4.3.1.
  it.each([
    [-1n, 0, 'UNKNOWN_SERVER_ERROR'],
    [7n, -1, 'UNKNOWN_SERVER_ERROR'],
    [7n, -2, 'INVALID_PRODUCER_EPOCH'],
  ] as const)('of producer %s and epoch %i is refused with %s and leaves nothing', async (producerId, epoch, error) => {
    const { hosted, write } = await open()
    expect(await write(producerId, epoch)).toBe(error)
    expect(hosted.logEndOffset).toBe(0n)
  })

  it('is written for whoever can be, and nowhere else', async () => {
    const { hosted, write } = await open()
    expect(await write(7n, 0)).toBe('NONE')
    expect(await write(7n, 0, 9)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(hosted.logEndOffset).toBe(1n)
  })
})
