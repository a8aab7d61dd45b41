/** What a partition does while another copy of its log takes the log's place. */
import { expect, it } from '@jest/globals'
import { MemoryLogStore } from '../../src/adapters/storage-memory/memory-log-store.ts'
import type { LogSnapshot, PartitionLog } from '../../src/application/ports/log-store.ts'
import { openProduceBroker } from '../support/produce-broker.ts'
import { settled } from '../support/settled.ts'
import { appendAll, storedBatch } from '../support/stored-batches.ts'

const ID = 'dG9waWMtaWQtZm9yLXRlc3'

function nothing(): void {
  // until a step is reached
}

async function fill(log: PartitionLog): Promise<PartitionLog> {
  for (let baseOffset = 0n; baseOffset < 5n; baseOffset++) await appendAll(log, [storedBatch({ baseOffset })])
  return log
}

/** A partition with five records, its exchange as far as a test lets it, and the log that takes the place. */
async function exchange() {
  const logStore = new MemoryLogStore()
  const { partitions } = await openProduceBroker([{ name: 't', id: ID, partitions: 1 }], { logStore })
  const first = partitions.find('t', 0)!
  await first.whenOpen()
  const { topicPartition } = first
  await fill(first.log!)
  await partitions.close()
  const { partitions: again } = await openProduceBroker([{ name: 't', id: ID, partitions: 1 }], { logStore })
  const hosted = again.find('t', 0)!
  await hosted.whenOpen()
  const before = hosted.log!
  const next = await fill(await new MemoryLogStore().open(topicPartition, hosted.logOptions()))
  const begin = () => {
    const steps = {
      snapshot: null as LogSnapshot | null,
      finish: nothing,
      fail: nothing,
    }
    const exchanging = hosted.exchangeLog((snapshot, now) => {
      steps.snapshot = snapshot
      return new Promise((resolve, reject) => {
        steps.finish = () => {
          now(next)
          resolve()
        }
        steps.fail = () => reject(new Error('the copy failed'))
      })
    })
    return { steps, exchanging }
  }
  return { hosted, before, next, begin }
}

it('deletes records from the log that is served after the exchange', async () => {
  const { hosted, before, next, begin } = await exchange()
  const { steps, exchanging } = begin()
  await settled()
  let trimmed: unknown = 'not yet'
  const trimming = hosted.trim(3n).then((error) => (trimmed = error))
  await settled()
  expect([trimmed, before.range().start]).toEqual(['not yet', 0n])
  steps.finish()
  await exchanging
  await trimming
  expect([trimmed, hosted.logStartOffset, next.range().start]).toEqual([null, 3n, 3n])
})

it('deletes them from the log that stays when the exchange fails', async () => {
  const { hosted, before, begin } = await exchange()
  const { steps, exchanging } = begin()
  await settled()
  const trimming = hosted.trim(3n)
  steps.fail()
  await expect(exchanging).rejects.toThrow('the copy failed')
  expect(await trimming).toBeNull()
  expect([hosted.log, before.range().start]).toEqual([before, 3n])
})

it('begins when the deletions under way are done', async () => {
  const { hosted, before, begin } = await exchange()
  const trim = before.trim.bind(before)
  let release = nothing
  before.trim = async (to) => {
    await new Promise<void>((resolve) => (release = resolve))
    await trim(to)
  }
  const trimming = hosted.trim(2n)
  const { steps, exchanging } = begin()
  await settled()
  expect(steps.snapshot).toBeNull()
  release()
  await settled()
  expect(steps.snapshot?.offset).toBe(5n)
  expect(before.range().start).toBe(2n)
  steps.finish()
  await Promise.all([exchanging, trimming])
})
