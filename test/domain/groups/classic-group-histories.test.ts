/** Random histories of a classic group: whatever is interleaved, the group stays one that its members can live in. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { DrivenGroup, SESSION_MS } from '../../support/driven-classic-group.ts'

type Step =
  | { readonly kind: 'new'; readonly instance: string | null; readonly idFirst: boolean }
  | { readonly kind: 'join' | 'sync' | 'heartbeat' | 'leave'; readonly who: number }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'restart' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('new' as const),
      instance: fc.constantFrom(null, null, 'i1', 'i2'),
      idFirst: fc.boolean(),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constantFrom('join' as const, 'sync' as const, 'sync' as const, 'heartbeat' as const, 'leave' as const),
      who: fc.nat(30),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(1, 3_000, 6_000, 70_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
)

/** Everybody whom the group has ever known. */
function idsOf(driven: DrivenGroup): string[] {
  const { group } = driven
  return group === null ? [] : [...group.members.keys(), ...group.pendingJoins]
}

function take(driven: DrivenGroup, each: Step): void {
  const ids = idsOf(driven)
  switch (each.kind) {
    case 'new':
      driven.join('', { groupInstanceId: each.instance, requiresMemberId: each.idFirst })
      return
    case 'time':
      driven.advance(each.ms)
      return
    case 'restart':
      driven.restart()
      return
    default: {
      const memberId = ids[each.who % Math.max(ids.length, 1)]
      if (memberId === undefined) return
      const groupInstanceId = driven.group!.members.get(memberId)?.groupInstanceId ?? null
      if (each.kind === 'join') driven.join(memberId, { groupInstanceId, requiresMemberId: true })
      else if (each.kind === 'sync') driven.sync(memberId, { groupInstanceId })
      else if (each.kind === 'heartbeat') driven.heartbeat(memberId)
      else driven.leave({ memberId, groupInstanceId })
    }
  }
}

function check(driven: DrivenGroup): void {
  const { group } = driven
  if (group === null) return
  const members = [...group.members.values()]
  const instances = members.flatMap(({ groupInstanceId }) => groupInstanceId ?? [])
  expect(new Set(instances).size).toBe(instances.length)
  expect([...group.staticMembers.keys()].sort()).toEqual(instances.sort())
  expect(group.leader === null).toBe(members.length === 0)
  if (group.leader !== null) expect(group.members.has(group.leader)).toBe(true)
  for (const id of group.pendingJoins) expect(group.members.has(id)).toBe(false)
  for (const id of group.pendingSyncs) expect(group.members.has(id)).toBe(true)
  expect(members.length === 0 && group.state !== 'PreparingRebalance').toBe(group.state === 'Empty')
  const waiting = members.flatMap(({ joining, syncing }) => [joining, syncing]).filter((ticket) => ticket !== null)
  expect(new Set(waiting)).toEqual(driven.waiting)
  // Who waits is not waited for in vain: something will happen without anybody's doing.
  if (waiting.length > 0) expect(driven.deadlines.size).toBeGreaterThan(0)
  if (group.state === 'Stable' || group.state === 'Empty') expect(waiting).toEqual([])
  if (group.state === 'CompletingRebalance') expect(members.every(({ joining }) => joining === null)).toBe(true)
  if (group.state === 'Stable') checkReplay(driven)
  for (const id of [...group.members.keys(), ...group.pendingJoins]) {
    const waits = group.members.get(id)?.joining !== null || group.members.get(id)?.syncing !== null
    expect(waits || driven.deadlines.has(`member ${id}`)).toBe(true)
  }
}

/** What is replayed is the stable group, but for the members' other protocols. */
function checkReplay(driven: DrivenGroup): void {
  const replayed = driven.replayed().classicGroup('g')!
  const group = driven.group!
  for (const field of ['state', 'generation', 'protocol', 'protocolType', 'leader'] as const) {
    expect(replayed[field]).toBe(group[field])
  }
  const assignments = ({ members }: typeof group) =>
    [...members.values()].map(({ memberId, groupInstanceId, assignment }) => [
      memberId,
      groupInstanceId,
      [...assignment],
    ])
  expect(assignments(replayed)).toEqual(assignments(group))
}

describe('any history', () => {
  it('keeps the group consistent, answers each request once, and replays to the same group', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const driven = new DrivenGroup()
        let generation = 0
        for (const each of steps) {
          take(driven, each)
          check(driven)
          const now = driven.group?.generation ?? 0
          // What no record told of is lost in a restart, the generation with it.
          if (each.kind !== 'restart') expect(now).toBeGreaterThanOrEqual(generation)
          generation = now
        }
        driven.advance(1_000_000)
        expect(driven.waiting.size).toBe(0)
        expect(driven.group?.members.size ?? 0).toBe(0)
      }),
      { numRuns: Number(process.env['ODRADEK_SEEDS'] ?? 300) },
    )
  })

  it('never loses a member that does what a client does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const driven = new DrivenGroup({ groupInitialRebalanceDelayMs: 0 })
        let parked = driven.join('')
        let joining = true
        let memberId = ''
        const act = () => {
          if (driven.waiting.has(parked)) return
          const { error } = driven.answers.get(parked)!
          if (joining && error === 'NONE') {
            memberId = driven.joined(parked).memberId
            joining = false
            parked = driven.sync(memberId, { generation: driven.joined(parked).generation })
            return
          }
          expect(['NONE', 'REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION']).toContain(error)
          if (error === 'NONE' && driven.heartbeat(memberId) === 'NONE') return
          joining = true
          parked = driven.join(memberId)
        }
        for (const each of steps) {
          // Others leave, expire and come; this one acts often enough, and nobody speaks in its name.
          if (each.kind === 'restart') continue
          if (each.kind === 'time') {
            for (let passed = 0; passed < each.ms; passed += SESSION_MS / 4) {
              driven.advance(Math.min(SESSION_MS / 4, each.ms - passed))
              act()
            }
            continue
          }
          if ('who' in each && idsOf(driven)[each.who % idsOf(driven).length] === (memberId || 'm1')) continue
          take(driven, each)
          act()
        }
        for (let i = 0; i < 40; i++) {
          driven.advance(SESSION_MS / 4)
          act()
        }
        expect(driven.group!.members.has(memberId)).toBe(true)
      }),
      { numRuns: Number(process.env['ODRADEK_SEEDS'] ?? 200) },
    )
  })
})
