import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { CommittedOffsets } from '../../../src/domain/groups/committed-offsets.ts'
import { ZERO_UUID } from '../../../src/domain/uuid.ts'

const groups = ['g', 'h']
const topics = ['t', 'u']
const partitions = [0, 1]
const keys = groups.flatMap((group) =>
  topics.flatMap((topic) => partitions.map((partition) => ({ group, topic, partition }))),
)
type Key = (typeof keys)[number]
const textOf = ({ group, topic, partition }: Key) => `${group}/${topic}/${partition}`

const step = fc.oneof(
  fc.record({ kind: fc.constant('commit' as const), key: fc.constantFrom(...keys), producer: fc.integer({ min: -1, max: 2 }) }), // prettier-ignore
  fc.record({ kind: fc.constant('delete' as const), key: fc.constantFrom(...keys) }),
  fc.record({ kind: fc.constant('end' as const), producer: fc.integer({ min: 0, max: 2 }), committed: fc.boolean() }),
)

describe('committed offsets', () => {
  it('are what a list of everything that happened says', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const offsets = new CommittedOffsets()
        const committed = new Map<string, number>()
        let pending: { readonly key: string; readonly producer: number; readonly at: number }[] = []
        steps.forEach((one, at) => {
          const common = {
            leaderEpoch: -1,
            metadata: '',
            commitTimestamp: 0n,
            expireTimestamp: -1n,
            topicId: ZERO_UUID,
          }
          if (one.kind === 'end') {
            offsets.endTransaction(BigInt(one.producer), one.committed)
            for (const { key, at: since } of pending.filter(({ producer }) => producer === one.producer)) {
              if (one.committed && since > (committed.get(key) ?? -1)) committed.set(key, since)
            }
            pending = pending.filter(({ producer }) => producer !== one.producer)
            return
          }
          const key = textOf(one.key)
          if (one.kind === 'delete') {
            offsets.evolve(one.key, null, BigInt(at), -1n)
            committed.delete(key)
            pending = pending.filter((other) => other.key !== key)
            return
          }
          offsets.evolve(one.key, { ...common, offset: BigInt(at) }, BigInt(at), BigInt(one.producer))
          if (one.producer < 0) committed.set(key, at)
          else pending.push({ key, producer: one.producer, at })
        })
        for (const key of keys) {
          const { group, topic, partition } = key
          const known = offsets.get(group, topic, partition)?.offset ?? null
          expect(known === null ? undefined : Number(known)).toBe(committed.get(textOf(key)))
          expect(offsets.isPending(group, topic, partition)).toBe(pending.some((one) => one.key === textOf(key)))
        }
        for (const group of groups) {
          const open = new Set(pending.map(({ key }) => key).filter((key) => key.startsWith(group)))
          expect([...offsets.pendingOf(group)].map(textOf).sort()).toEqual([...open].sort())
          expect(offsets.hasPending(group)).toBe(open.size > 0)
        }
        for (const topic of topics) {
          const named = new Set([...committed.keys(), ...pending.map(({ key }) => key)])
          const expected = [...named].filter((key) => key.includes(`/${topic}/`)).sort()
          expect([...new Set([...offsets.ofTopic(topic)].map(textOf))].sort()).toEqual(expected)
        }
      }),
    )
  })
})
