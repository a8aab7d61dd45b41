/** Producer states after a start, where the log began to be deleted behind their snapshot. */
import { describe, expect, it } from '@jest/globals'
import { MemoryLogStore } from '../../src/adapters/storage-memory/memory-log-store.ts'
import { recoverProducers } from '../../src/application/recover-producers.ts'
import { buildEndMarker } from '../../src/domain/log/end-marker.ts'
import { encodeProducerSnapshot } from '../../src/domain/log/producer-snapshot.ts'
import { ProducerStates } from '../../src/domain/log/producer-state.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { recordBatch, utf8 } from '../support/records.ts'
import { appendAll, testChecksum, testLogOptions } from '../support/stored-batches.ts'

const crc32c = (bytes: Uint8Array) => testChecksum.crc32c(bytes)
const producer = { producerId: 1n, producerEpoch: 0 }

function stamped(bytes: Uint8Array, baseOffset: bigint) {
  const view = new RecordBatchView(bytes)
  view.stamp(baseOffset, 0)
  return { bytes, baseOffset, lastOffset: baseOffset, maxTimestamp: view.maxTimestamp, leaderEpoch: 0 }
}

const data = (offset: bigint, transactional: boolean) =>
  stamped(
    recordBatch([{ timestamp: 1n, key: null, value: utf8('a') }], { ...producer, transactional, baseSequence: 0 }),
    offset,
  )

describe('producer states after a start', () => {
  it('do not hold a transaction open whose marker was deleted with all before it', async () => {
    const log = await new MemoryLogStore().open({ topic: 'a', partition: 0 }, testLogOptions)
    const begun = data(0n, true)
    const states = new ProducerStates()
    states.evolve(new RecordBatchView(begun.bytes), null)
    const marker = buildEndMarker({ ...producer, coordinatorEpoch: 0, timestamp: 1n, committed: true }, crc32c)
    await appendAll(log, [begun, stamped(marker, 1n), data(2n, false)])
    await log.saveSnapshot({ offset: 1n, bytes: encodeProducerSnapshot(states, crc32c) })
    expect((await recoverProducers(log, testChecksum)).states.firstUnstableOffset(3n)).toBeNull()
    await log.trim(2n)
    const recovered = await recoverProducers(log, testChecksum)
    expect(recovered.states.firstUnstableOffset(3n)).toBeNull()
    expect([...recovered.states.entries()].map(({ lastOffset }) => lastOffset)).toEqual([2n])
  })
})
