/**
 * Random histories of a group that members of both protocols are in: whoever comes, goes, falls silent, and whenever
 * the coordinator restarts, the group changes its protocol without losing what it promises.
 */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { assignmentBytes, assignmentIn } from '../../../src/domain/groups/consumer-protocol.ts'
import { SESSION_MS } from '../../support/driven-classic-group.ts'
import { DrivenMixedGroup } from '../../support/driven-mixed-group.ts'

const PARTITIONS = [0, 1, 2, 3, 4, 5]
const version1 = Uint8Array.of(0, 1)

interface Client {
  readonly name: string
  readonly memberId: string
  readonly held: ReadonlySet<number>
  /** Does the next thing that a client does. */
  act(): void
  leave(): void
}

/** Revokes everything before it joins again, as the eager assignors of clients do. */
class ClassicClient implements Client {
  readonly name: string
  memberId = ''
  held: ReadonlySet<number> = new Set()
  readonly #group: DrivenMixedGroup
  #generation = -1
  #parked: { readonly kind: 'join' | 'sync'; readonly ticket: number } | null = null

  constructor(name: string, group: DrivenMixedGroup) {
    this.name = name
    this.#group = group
  }

  act(): void {
    const group = this.#group
    if (this.#parked === null) {
      if (this.memberId === '' || group.heartbeat(this.memberId, this.#generation) !== 'NONE') this.#join()
      return
    }
    const { kind, ticket } = this.#parked
    const answer = group.answers.get(ticket)
    if (answer === undefined) {
      // The connection to the broker of before is lost.
      if (!group.waiting.has(ticket)) this.#join()
      return
    }
    if (answer.error === 'UNKNOWN_MEMBER_ID') this.memberId = ''
    if (answer.error !== 'NONE') this.#join()
    else if (kind === 'join' && 'generation' in answer) {
      this.memberId = answer.memberId
      this.#generation = answer.generation
      const shares = new Map(
        answer.members.map(({ memberId }, i) => {
          const partitions = PARTITIONS.filter((partition) => partition % answer.members.length === i)
          return [memberId, assignmentBytes([{ topic: 'conversions', partitions }], version1)]
        }),
      )
      this.#parked = { kind: 'sync', ticket: group.sync(this.memberId, this.#generation, shares) }
    } else if ('assignment' in answer) {
      this.held = new Set(assignmentIn(answer.assignment)!.partitions.flatMap(({ partitions }) => partitions))
      this.#parked = null
    }
  }

  rejoin(): void {
    if (this.#parked === null) this.#join()
  }

  #join(): void {
    this.held = new Set()
    if (!this.#group.has(this.memberId)) this.memberId = ''
    this.#parked = { kind: 'join', ticket: this.#group.join(this.memberId) }
  }

  leave(): void {
    this.held = new Set()
    if (this.memberId !== '') this.#group.leave(this.memberId)
  }
}

class ConsumerClient implements Client {
  readonly name: string
  readonly memberId: string
  held: ReadonlySet<number> = new Set()
  readonly #group: DrivenMixedGroup
  #epoch = 0

  constructor(name: string, group: DrivenMixedGroup) {
    this.name = name
    this.memberId = name
    this.#group = group
  }

  act(): void {
    const answer = this.#group.consume(this.memberId, this.#epoch, this.#epoch === 0 ? [] : [...this.held])
    if (answer.error !== null) {
      this.held = new Set()
      this.#epoch = 0
      return
    }
    expect(answer.memberEpoch).toBeGreaterThanOrEqual(this.#epoch)
    this.#epoch = answer.memberEpoch
    if (answer.assignment !== null) this.held = new Set(answer.assignment.flatMap(({ partitions }) => partitions))
  }

  leave(): void {
    this.held = new Set()
    this.#group.consume(this.memberId, -1, null)
  }
}

interface Step {
  readonly does: 'classic' | 'consumer' | 'act' | 'leave' | 'silence' | 'time' | 'restart'
  readonly who: number
}

const step: fc.Arbitrary<Step> = fc.record({
  does: fc.constantFrom(
    ...(['classic', 'consumer', 'act', 'act', 'act', 'act', 'act', 'leave', 'silence', 'time', 'restart'] as const),
  ),
  who: fc.nat(20),
})

class History {
  readonly group = new DrivenMixedGroup()
  clients: Client[] = []
  #named = 0
  #epoch = 0

  run({ does, who }: Step): void {
    const client = this.clients[who % Math.max(1, this.clients.length)]
    switch (does) {
      case 'classic':
        if (this.clients.length < 5) this.clients.push(new ClassicClient(`k${++this.#named}`, this.group))
        break
      case 'consumer':
        if (this.clients.length < 5) this.clients.push(new ConsumerClient(`c${++this.#named}`, this.group))
        break
      case 'act':
        client?.act()
        break
      case 'leave':
        client?.leave()
        this.clients = this.clients.filter((each) => each !== client)
        break
      case 'silence':
        // It never comes back; its session ends some day.
        this.clients = this.clients.filter((each) => each !== client)
        break
      case 'time':
        for (let i = 0; i < 6; i++) this.round()
        break
      case 'restart':
        this.group.restart()
        // What no record told of a classic group is lost, its generation with it.
        if (this.group.shard.consumerGroup('g') === null) this.#epoch = this.group.epoch
    }
    this.check(true)
  }

  /** Time passes, and who is there acts often enough to stay. */
  round(): void {
    const there = this.clients.filter(({ memberId }) => this.group.has(memberId))
    this.group.advance(SESSION_MS / 4)
    this.check()
    for (const client of this.clients) {
      client.act()
      this.check()
    }
    for (const { memberId, name } of there) expect([name, this.group.has(memberId)]).toEqual([name, true])
  }

  check(replayToo = false): void {
    const { group } = this
    expect(group.epoch).toBeGreaterThanOrEqual(this.#epoch)
    // Who joins an empty group with the other protocol begins a new one.
    this.#epoch = group.shard.group('g')?.isEmpty === true ? 0 : group.epoch
    const consumer = group.shard.consumerGroup('g')
    if (consumer === null) return
    const owners = [...consumer.members.values()].flatMap(({ assigned, pendingRevocation }) =>
      [assigned, pendingRevocation].flatMap((some) => [...some.values()].flatMap((epochs) => [...epochs.keys()])),
    )
    expect(new Set(owners).size).toBe(owners.length)
    // Nor do two members think so of themselves.
    const held = this.clients.filter(({ memberId }) => group.has(memberId)).flatMap((client) => [...client.held])
    expect(new Set(held).size).toBe(held.length)
    if (!replayToo) return
    const replayed = group.replayed().consumerGroup('g')!
    expect(replayed.members).toEqual(consumer.members)
    for (const id of consumer.members.keys()) expect(replayed.target(id)).toEqual(consumer.target(id))
    for (const key of ['epoch', 'assignmentEpoch', 'metadataHash'] as const) expect(replayed[key]).toBe(consumer[key])
    for (const id of consumer.members.keys()) expect(group.deadlines.has(`session:${id}`)).toBe(true)
    // A group without members of the consumer protocol is a classic one.
    const protocols = [...consumer.members.values()].map(({ classicMemberMetadata }) => classicMemberMetadata)
    expect(protocols.length > 0 && protocols.every((metadata) => metadata !== null)).toBe(false)
  }

  /** In the end everybody who is there has a share, and every partition is with one of them. */
  settle(): void {
    // As with a real broker, a restart forgets the rebalance that a downgrade began: the record shows the group stable.
    // The next JoinGroup, for whatever reason, makes up for it.
    for (const client of this.clients) if (client instanceof ClassicClient) client.rejoin()
    for (let i = 0; i < 40; i++) this.round()
    this.check(true)
    const held = this.clients.flatMap((client) => [...client.held])
    expect(held.sort((a, b) => a - b)).toEqual(this.clients.length === 0 ? [] : PARTITIONS)
    const isMixed = this.clients.some((client) => client instanceof ConsumerClient)
    if (this.clients.length > 0) expect(this.group.shard.consumerGroup('g') !== null).toBe(isMixed)
  }
}

describe('any history of a group of both protocols', () => {
  it('keeps its epochs, gives each partition to one, loses nobody who is there, and comes to rest', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const history = new History()
        for (const each of steps) history.run(each)
        history.settle()
      }),
      { numRuns: Number(process.env['ODRADEK_SEEDS'] ?? 100) },
    )
  })
})
