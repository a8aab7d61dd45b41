import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { AssignedMember, Assignment, Assignor } from '../../../../src/domain/groups/assignors/assignor.ts'
import { assignRange } from '../../../../src/domain/groups/assignors/range.ts'
import { assignUniform } from '../../../../src/domain/groups/assignors/uniform.ts'

type Counts = Readonly<Record<string, number>>
const nothing: Assignment = new Map()

function member(memberId: string, topics: readonly string[], current: Assignment = nothing, instanceId?: string) {
  return { memberId, instanceId: instanceId ?? null, topics: new Set(topics), current }
}

function run(assign: Assignor, counts: Counts, members: readonly AssignedMember[]) {
  return assign({ members, partitionCount: (topic) => counts[topic]! })
}

function shown(targets: ReadonlyMap<string, Assignment>) {
  return Object.fromEntries([...targets].map(([id, target]) => [id, Object.fromEntries(target)]))
}

function sizeOf(assignment: Assignment): number {
  return [...assignment.values()].reduce((sum, partitions) => sum + partitions.length, 0)
}

describe('range', () => {
  it('gives the same partitions of equal topics to the same member', () => {
    const members = [member('b', ['t', 'u']), member('a', ['t', 'u'])]
    expect(shown(run(assignRange, { t: 3, u: 3 }, members))).toEqual({
      a: { t: [0, 1], u: [0, 1] },
      b: { t: [2], u: [2] },
    })
  })

  it('puts static members first, by instance id', () => {
    const members = [member('a', ['t']), member('z', ['t'], nothing, 'i1'), member('b', ['t'], nothing, 'i0')]
    expect(shown(run(assignRange, { t: 3 }, members))).toEqual({ b: { t: [0] }, z: { t: [1] }, a: { t: [2] } })
  })

  it('ranges over the subscribers of each topic alone', () => {
    const members = [member('a', ['t']), member('b', ['t', 'u']), member('c', [])]
    expect(shown(run(assignRange, { t: 1, u: 2 }, members))).toEqual({ a: { t: [0] }, b: { u: [0, 1] }, c: {} })
  })
})

describe('uniform', () => {
  it('takes from a member only what exceeds its share (observed on 4.3.1)', () => {
    const members = [member('a', ['t'], new Map([['t', [0, 1, 2, 3]]])), member('b', ['t'])]
    expect(shown(run(assignUniform, { t: 4 }, members))).toEqual({ a: { t: [0, 1] }, b: { t: [2, 3] } })
  })

  it('lets those keep one more who have it', () => {
    const members = [member('a', ['t']), member('b', ['t'], new Map([['t', [0, 1]]]))]
    expect(shown(run(assignUniform, { t: 3 }, members))).toEqual({ a: { t: [2] }, b: { t: [0, 1] } })
  })

  it('balances different subscriptions (observed on 4.3.1)', () => {
    const members = [
      member('a', ['alpha', 'beta'], new Map([['alpha', [0, 1]]])),
      member('b', ['alpha'], new Map([['alpha', [2, 3]]])),
    ]
    expect(shown(run(assignUniform, { alpha: 4, beta: 2 }, members))).toEqual({
      a: { alpha: [0], beta: [0, 1] },
      b: { alpha: [1, 2, 3] },
    })
  })

  it('forgets what is gone: topics, partitions, subscriptions, second owners', () => {
    const members = [
      member(
        'a',
        ['t'],
        new Map([
          ['t', [0, 9]],
          ['gone', [0]],
          ['u', [0]],
        ]),
      ),
      member('b', ['t', 'u'], new Map([['t', [0]]])),
    ]
    expect(shown(run(assignUniform, { t: 1, u: 1 }, members))).toEqual({ a: { t: [0] }, b: { u: [0] } })
  })

  it('has nothing to do without members or topics', () => {
    expect(shown(run(assignUniform, {}, []))).toEqual({})
    expect(shown(run(assignUniform, {}, [member('a', [])]))).toEqual({ a: {} })
  })
})

describe.each([
  ['range', assignRange],
  ['uniform', assignUniform],
] as const)('every outcome of %s', (name, assign) => {
  const topicNames = ['t0', 't1', 't2', 't3']
  const counts = fc.record(Object.fromEntries(topicNames.map((topic) => [topic, fc.nat(12)])))
  const subscriptions = fc.array(fc.subarray(topicNames), { minLength: 1, maxLength: 8 })
  const history = fc.tuple(counts, counts, subscriptions, subscriptions, fc.boolean())

  /** Two assignments in a row: the second starts from the first, with other members, topics and sizes. */
  function two([before, after, first, second, equal]: readonly [Counts, Counts, string[][], string[][], boolean]) {
    const same = (topics: readonly string[]) => (equal ? topicNames : topics)
    const old = run(
      assign,
      before,
      first.map((topics, i) => member(`m${i}`, same(topics))),
    )
    const members = second.map((topics, i) => member(`m${i}`, same(topics), old.get(`m${i}`) ?? nothing))
    return { old, members, targets: run(assign, after, members), after }
  }

  it('gives every subscribed partition to exactly one subscriber', () => {
    fc.assert(
      fc.property(history, (input) => {
        const { members, targets, after } = two(input)
        const owners = new Map<string, number>()
        for (const { memberId, topics } of members) {
          for (const [topic, partitions] of targets.get(memberId)!) {
            expect(topics.has(topic)).toBe(true)
            expect(partitions.length).toBeGreaterThan(0)
            for (const p of partitions) owners.set(`${topic}-${p}`, (owners.get(`${topic}-${p}`) ?? 0) + 1)
          }
        }
        const expected = topicNames
          .filter((topic) => members.some(({ topics }) => topics.has(topic)))
          .flatMap((topic) => Array.from({ length: after[topic]! }, (_, p) => `${topic}-${p}`))
        expect([...owners.keys()].sort()).toEqual(expected.sort())
        expect([...owners.values()].every((times) => times === 1)).toBe(true)
      }),
    )
  })

  it('is the same for the same input', () => {
    fc.assert(
      fc.property(history, (input) => {
        expect(shown(two(input).targets)).toEqual(shown(two(input).targets))
      }),
    )
  })

  if (name === 'uniform') {
    it('is balanced: nobody could hand a partition to a subscriber with two fewer', () => {
      fc.assert(
        fc.property(history, (input) => {
          const { members, targets } = two(input)
          for (const { memberId } of members) {
            for (const topic of targets.get(memberId)!.keys()) {
              for (const other of members.filter(({ topics }) => topics.has(topic))) {
                expect(sizeOf(targets.get(memberId)!) - sizeOf(targets.get(other.memberId)!)).toBeLessThan(2)
              }
            }
          }
        }),
      )
    })

    it('changes nothing when nothing has changed', () => {
      fc.assert(
        fc.property(history, (input) => {
          const { members, targets, after } = two(input)
          const again = members.map((m) => ({ ...m, current: targets.get(m.memberId)! }))
          expect(shown(run(assign, after, again))).toEqual(shown(targets))
        }),
      )
    })

    it('moves no more than balance needs when all subscribe to the same', () => {
      fc.assert(
        fc.property(history, ([before, after, first, second]) => {
          const { members, targets } = two([before, after, first, second, true])
          const total = topicNames.reduce((sum, topic) => sum + after[topic]!, 0)
          const least = Math.floor(total / members.length)
          for (const { memberId, current } of members) {
            const target = targets.get(memberId)!
            const existing = [...current].flatMap(([t, ps]) => ps.filter((p) => p < after[t]!).map((p) => `${t}-${p}`))
            const kept = existing.filter((key) => {
              const dash = key.lastIndexOf('-')
              return target.get(key.slice(0, dash))?.includes(Number(key.slice(dash + 1))) ?? false
            })
            expect(kept.length).toBeGreaterThanOrEqual(Math.min(existing.length, least))
          }
        }),
      )
    })
  }
})
