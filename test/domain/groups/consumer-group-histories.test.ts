/** Random histories of consumer groups: whatever members do, and in whatever order, the group's promises hold. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ConsumerGroup } from '../../../src/domain/groups/consumer-group.ts'
import { DrivenConsumerGroup, GROUP, type Said, type Told } from '../../support/driven-consumer-group.ts'
import { groupImage } from '../../support/group-images.ts'

const memberIds = ['m0', 'm1', 'm2', 'm3', 'm4'] as const
const names = ['alpha', 'beta', 'gamma'] as const
type Held = Readonly<Record<string, readonly number[]>>

interface Step {
  readonly does:
    'join' | 'heartbeat' | 'lost answer' | 'revoke' | 'leave' | 'away' | 'expire' | 'late' | 'topics' | 'replay'
  readonly member: (typeof memberIds)[number]
  readonly topics: readonly string[]
  readonly regex: boolean
  readonly fixed: boolean
  readonly sizes: readonly number[]
  readonly pauseMs: number
}

const step: fc.Arbitrary<Step> = fc.record({
  does: fc.constantFrom(
    ...(['join', 'join', 'heartbeat', 'heartbeat', 'heartbeat', 'lost answer', 'revoke', 'revoke'] as const),
    ...(['leave', 'away', 'expire', 'late', 'topics', 'replay'] as const),
  ),
  member: fc.constantFrom(...memberIds),
  topics: fc.subarray([...names]),
  regex: fc.boolean(),
  fixed: fc.boolean(),
  sizes: fc.array(fc.nat(6), { minLength: 3, maxLength: 3 }),
  pauseMs: fc.nat(1500),
})

/** Clients as they should be: each holds what it was told to, and gives up only what it says it has given up. */
class Clients {
  driven: DrivenConsumerGroup
  readonly #epochs = new Map<string, number>()
  readonly #held = new Map<string, Held>()
  readonly #told = new Map<string, Held>()
  #highest = { epoch: 0, assignmentEpoch: 0 }

  constructor(assignmentIntervalMs: number) {
    this.driven = new DrivenConsumerGroup(groupImage({ alpha: 4, beta: 2 }))
    this.driven.settings = { ...this.driven.settings, assignmentIntervalMs, maxSize: 4 }
  }

  run(step: Step): void {
    this.driven.nowMs += BigInt(step.pauseMs)
    this.#do(step)
    this.#check()
  }

  #do({ does, member, topics, regex, fixed, sizes }: Step): void {
    const { driven } = this
    const epoch = this.#epochs.get(member) ?? 0
    const instance = fixed ? { instanceId: `i-${member}` } : {}
    switch (does) {
      case 'join': {
        const subscription = regex ? { subscribedTopicRegex: '[ab].*' } : {}
        this.#forget(member)
        this.#hear(member, driven.join(member, { subscribedTopicNames: topics, ...subscription, ...instance }))
        return
      }
      case 'heartbeat':
        if (epoch > 0) this.#hear(member, driven.heartbeat(member, { memberEpoch: epoch }))
        return
      case 'lost answer':
        if (epoch > 0) driven.heartbeat(member, { memberEpoch: epoch, owned: this.#held.get(member)! })
        return
      case 'revoke': {
        if (epoch === 0) return
        // What it holds and no longer should is given up, then said.
        const held = within(this.#held.get(member)!, this.#told.get(member)!)
        this.#held.set(member, held)
        this.#hear(member, driven.heartbeat(member, { memberEpoch: epoch, ...this.#all(member), owned: held }))
        return
      }
      case 'leave':
        driven.leave(member)
        {
          this.#forget(member)
          return
        }
      case 'away':
        driven.leave(member, { memberEpoch: -2, instanceId: `i-${member}` })
        if (driven.group.members.get(member)?.memberEpoch === -2) this.#forget(member)
        return
      case 'expire':
        driven.expireSession(member)
        {
          this.#forget(member)
          return
        }
      case 'late':
        driven.expireRebalance(member)
        if (!driven.group.members.has(member)) this.#forget(member)
        return
      case 'topics':
        driven.image = groupImage(
          Object.fromEntries(names.map((name, i) => [name, sizes[i]!] as const).filter(([, n]) => n > 0)),
        )
        return
      case 'replay': {
        this.#replay()
        return
      }
    }
  }

  #hear(member: string, told: Told): void {
    if ('error' in told) {
      if (told.error === 'FENCED_MEMBER_EPOCH' || told.error === 'UNKNOWN_MEMBER_ID') this.#forget(member)
      return
    }
    expect(told.epoch).toBeGreaterThanOrEqual(this.#epochs.get(member) ?? 0)
    this.#epochs.set(member, told.epoch)
    if (told.assignment === null) return
    this.#told.set(member, told.assignment)
    // It takes up what is new and goes on holding the rest until it revokes it.
    this.#held.set(member, union(this.#held.get(member) ?? {}, told.assignment))
  }

  /** Who is not sure that all was heard says all, and is told all. */
  #all(member: string): Said {
    const subscribedTopicNames = this.driven.group.members.get(member)?.subscribedTopicNames ?? []
    return { rebalanceTimeoutMs: 300_000, subscribedTopicNames }
  }

  #forget(member: string): void {
    this.#epochs.delete(member)
    this.#held.delete(member)
    this.#told.delete(member)
  }

  #replay(): void {
    const replayed = new ConsumerGroup(GROUP)
    for (const record of this.driven.log) replayed.evolve(record)
    const { group } = this.driven
    expect(replayed.members).toEqual(group.members)
    expect(replayed.regexes).toEqual(group.regexes)
    for (const id of group.members.keys()) expect(replayed.target(id)).toEqual(group.target(id))
    for (const key of ['epoch', 'assignmentEpoch', 'assignmentTimestamp', 'metadataHash'] as const) {
      expect(replayed[key]).toBe(group[key])
    }
  }

  #check(): void {
    const { group, sessions } = this.driven
    // Epochs never go back.
    expect(group.epoch).toBeGreaterThanOrEqual(this.#highest.epoch)
    expect(group.assignmentEpoch).toBeGreaterThanOrEqual(this.#highest.assignmentEpoch)
    expect(group.assignmentEpoch).toBeLessThanOrEqual(group.epoch)
    this.#highest = { epoch: group.epoch, assignmentEpoch: group.assignmentEpoch }
    // Nobody holds what somebody else holds, neither as the group sees it nor as the clients do.
    const owners = [...group.members.values()].flatMap(({ assigned, pendingRevocation }) =>
      [assigned, pendingRevocation].flatMap((some) =>
        [...some].flatMap(([t, ps]) => [...ps.keys()].map((p) => `${t}-${p}`)),
      ),
    )
    expect(new Set(owners).size).toBe(owners.length)
    const held = [...this.#held.values()].flatMap((some) =>
      Object.entries(some).flatMap(([t, ps]) => ps.map((p) => `${t}-${p}`)),
    )
    expect(new Set(held).size).toBe(held.length)
    // Every member has a session, and only members have one; who must revoke has a deadline.
    expect([...sessions.keys()].sort()).toEqual([...group.members.keys()].sort())
    for (const { memberId, memberEpoch, state } of group.members.values()) {
      expect(memberEpoch).toBeLessThanOrEqual(group.assignmentEpoch)
      if (state === 'UNREVOKED_PARTITIONS' && memberEpoch > 0)
        expect(this.driven.revoking.get(memberId)).toBe(memberEpoch)
    }
    // Nobody is lost that heartbeats.
    for (const member of this.#epochs.keys()) expect(group.members.has(member)).toBe(true)
  }

  /** Everybody goes on for a while: then all partitions of all subscribed topics are with somebody, and nobody waits. */
  settle(): void {
    const { driven } = this
    for (const { memberId, memberEpoch } of [...driven.group.members.values()]) {
      if (memberEpoch === -2 || !this.#epochs.has(memberId))
        this.#do({ ...idle, does: 'expire', member: memberId as Step['member'] })
    }
    for (let round = 0; round < 8; round++) {
      driven.nowMs += 12_000n
      for (const member of [...this.#epochs.keys()])
        this.run({ ...idle, does: 'revoke', member: member as Step['member'] })
    }
    expect(driven.group.state).toBe(driven.group.isEmpty ? 'Empty' : 'Stable')
    for (const member of driven.group.members.values()) {
      const held = [...member.assigned].map(([t, ps]) => [t, [...ps.keys()].sort((a, b) => a - b)])
      expect(new Map(held as [string, number[]][])).toEqual(new Map(driven.group.target(member.memberId)))
    }
  }
}

const idle: Omit<Step, 'does' | 'member'> = { topics: [], regex: false, fixed: false, sizes: [], pauseMs: 0 }

function within(held: Held, allowed: Held): Held {
  return Object.fromEntries(
    Object.entries(held).map(([t, ps]) => [t, ps.filter((p) => allowed[t]?.includes(p) ?? false)]),
  )
}

function union(a: Held, b: Held): Held {
  const topics = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries([...topics].map((t) => [t, [...new Set([...(a[t] ?? []), ...(b[t] ?? [])])]]))
}

describe('any history of a consumer group', () => {
  it.each([0, 1000])('keeps its promises and comes to rest (assignment interval %d ms)', (intervalMs) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const clients = new Clients(intervalMs)
        for (const one of steps) clients.run(one)
        clients.settle()
      }),
      { numRuns: Number(process.env['ODRADEK_SEEDS'] ?? 300) },
    )
  })
})
