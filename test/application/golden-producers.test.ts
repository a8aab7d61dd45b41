/**
 * Who wrote to the partitions of a real Kafka 4.3.1: rebuilt from its snapshots and logs to what that Kafka answered
 * for DescribeProducers, open transactions included.
 */
import { describe, expect, it } from '@jest/globals'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { recoverProducers } from '../../src/application/recover-producers.ts'
import { fileStorage } from '../support/file-storage.ts'
import { testChecksum, testLogOptions } from '../support/stored-batches.ts'

const golden = join(import.meta.dirname, '../fixtures/golden')

/** When the directories were written. */
const wroteMs = Date.UTC(2026, 10, 22)
const DAY_MS = 86_400_000

interface ExpectedProducer {
  readonly producerId: number
  readonly epoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch?: number
  readonly currentTxnStartOffset?: number
}

interface ExpectedTopic {
  readonly id: string
  readonly partitions: readonly {
    readonly p: number
    readonly endOffset: number
    readonly lastStableOffset: number
    readonly producers?: readonly ExpectedProducer[]
  }[]
}

describe.each(['basic-clean', 'compacted', 'crashed', 'groups-txns', 'scram-acls-quotas'])('%s', (name) => {
  it('knows its producers and its open transactions', async () => {
    const { topics } = JSON.parse(await readFile(join(golden, name, 'expected.json'), 'utf8')) as {
      readonly topics: Readonly<Record<string, ExpectedTopic>>
    }
    const storage = await fileStorage()
    try {
      await cp(join(golden, name, 'data'), join(storage.path, 'data'), { recursive: true })
      const store = storage.store()
      await store.start()
      for (const [topic, { id, partitions }] of Object.entries(topics)) {
        for (const { p, endOffset, lastStableOffset, producers = [] } of partitions) {
          const log = await store.open({ topic, partition: p }, { ...testLogOptions, topicId: id })
          const { states } = await recoverProducers(log, testChecksum)
          const found = [...states.entries()].map((entry): ExpectedProducer => {
            const { epoch, lastSequence, coordinatorEpoch } = entry
            const open = entry.currentTxnFirstOffset
            return {
              ...{ producerId: Number(entry.producerId), epoch, lastSequence, lastTimestamp: Number(entry.timestamp) },
              ...(coordinatorEpoch >= 0 && { coordinatorEpoch }),
              ...(open >= 0n && { currentTxnStartOffset: Number(open) }),
            }
          })
          const listed = new Set(producers.map(({ producerId }) => producerId))
          // restarted, it had forgotten those whose records are a day old; here that is left to the check of every
          // ten minutes
          const known = found.filter(({ producerId, lastTimestamp }) => {
            return listed.has(producerId) || lastTimestamp > wroteMs - DAY_MS
          })
          const byId = (a: ExpectedProducer, b: ExpectedProducer) => a.producerId - b.producerId
          expect([topic, p, known.sort(byId)]).toEqual([topic, p, producers.toSorted(byId)])
          const end = BigInt(endOffset)
          expect([topic, p, states.firstUnstableOffset(end) ?? end]).toEqual([topic, p, BigInt(lastStableOffset)])
        }
      }
      await store.close()
    } finally {
      await storage.dispose()
    }
  })
})
