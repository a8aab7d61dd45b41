import { describe, expect, it } from '@jest/globals'
import { DrivenGroup, REBALANCE_MS, SESSION_MS } from '../../support/driven-classic-group.ts'
import { subscriptionBytes } from '../../support/group-conversation.ts'

const range = { name: 'range', metadata: Uint8Array.of(1) }
const sticky = { name: 'sticky', metadata: Uint8Array.of(2) }

/** A stable group of m1 (the leader), m2 … */
function stable(members: number, changes: ConstructorParameters<typeof DrivenGroup>[0] = {}): DrivenGroup {
  const driven = new DrivenGroup(changes)
  for (let i = 0; i < members; i++) driven.join('')
  driven.advance(3_000 * (members + 1))
  for (let i = members; i > 0; i--) driven.sync(`m${i}`)
  expect(driven.group!.state).toBe('Stable')
  return driven
}

describe('joining', () => {
  it('waits for more members at first, and longer when they come, at most for the rebalance timeout', () => {
    const driven = new DrivenGroup()
    const first = driven.join('')
    driven.advance(2_999)
    const second = driven.join('')
    driven.advance(1)
    expect(driven.waiting.has(first)).toBe(true)
    driven.advance(3_000)
    expect(driven.joined(first)).toMatchObject({ error: 'NONE', generation: 1, leader: 'm1', protocol: 'range' })
    expect(driven.joined(first).members.map(({ memberId }) => memberId)).toEqual(['m1', 'm2'])
    expect(driven.joined(second)).toMatchObject({ error: 'NONE', generation: 1, leader: 'm1', members: [] })
  })

  it('gives a new member its id first, and forgets it after a session (KIP-394)', () => {
    const driven = new DrivenGroup()
    const asked = driven.join('', { requiresMemberId: true })
    expect(driven.joined(asked)).toMatchObject({ error: 'MEMBER_ID_REQUIRED', memberId: 'm1', generation: -1 })
    const ticket = driven.join('m1', { requiresMemberId: true })
    driven.advance(3_000)
    expect(driven.joined(ticket)).toMatchObject({ error: 'NONE', memberId: 'm1' })
    driven.join('', { requiresMemberId: true })
    driven.advance(SESSION_MS)
    expect(driven.joined(driven.join('m3'))).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
  })

  it('waits in a rebalance for members that were given an id', () => {
    const driven = stable(1)
    driven.join('', { requiresMemberId: true })
    const again = driven.join('m1')
    expect(driven.waiting.has(again)).toBe(true)
    driven.join('m2')
    expect(driven.joined(again)).toMatchObject({ error: 'NONE', generation: 2 })
  })

  it('is refused with an id that nobody gave, with another protocol type, and with no common protocol', () => {
    expect(new DrivenGroup().join('nobody')).toBe(1)
    const driven = stable(1)
    expect(driven.joined(driven.join('nobody'))).toMatchObject({ error: 'UNKNOWN_MEMBER_ID', memberId: 'nobody' })
    const other = driven.join('', { protocolType: 'connect' })
    expect(driven.joined(other)).toMatchObject({ error: 'INCONSISTENT_GROUP_PROTOCOL', protocol: null })
    expect(driven.joined(driven.join('', { protocols: [sticky] }))).toMatchObject({
      error: 'INCONSISTENT_GROUP_PROTOCOL',
    })
    expect(driven.joined(driven.join('', { protocols: [] }))).toMatchObject({ error: 'INCONSISTENT_GROUP_PROTOCOL' })
    expect(driven.group!.state).toBe('Stable')
  })

  it('is refused when the group is full', () => {
    const driven = stable(2, { groupMaxSize: 2 })
    expect(driven.joined(driven.join(''))).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
  })

  it('chooses the protocol with most votes among those that all know', () => {
    const driven = new DrivenGroup({ groupInitialRebalanceDelayMs: 0 })
    driven.join('', { protocols: [range, sticky] })
    driven.join('', { protocols: [sticky, range] })
    driven.join('', { protocols: [sticky, range, { name: 'own', metadata: range.metadata }] })
    driven.advance(0)
    expect(driven.group!.protocol).toBe('sticky')
  })

  it('writes a group that has come to be into the log, whatever becomes of the member', () => {
    const driven = new DrivenGroup()
    driven.join('', { requiresMemberId: true })
    expect(driven.log).toMatchObject([
      { type: 'GroupMetadata', value: { protocolType: '', generation: 0, members: [], protocol: null, leader: null } },
    ])
  })

  it('answers a follower that repeats its request at once, and rebalances for the leader', () => {
    const driven = stable(2)
    expect(driven.joined(driven.join('m2'))).toMatchObject({ error: 'NONE', generation: 1, members: [] })
    expect(driven.group!.state).toBe('Stable')
    const leader = driven.join('m1')
    expect(driven.group!.state).toBe('PreparingRebalance')
    expect(driven.heartbeat('m2')).toBe('REBALANCE_IN_PROGRESS')
    driven.join('m2')
    expect(driven.joined(leader)).toMatchObject({ error: 'NONE', generation: 2 })
  })

  it('leaves out who does not rejoin within the rebalance timeout, and makes another the leader', () => {
    const driven = stable(2)
    const follower = driven.join('m2', { protocols: [sticky, range] })
    for (let passed = 0; passed < REBALANCE_MS; passed += 5_000) {
      driven.heartbeat('m1')
      driven.advance(5_000)
    }
    expect(driven.joined(follower)).toMatchObject({ error: 'NONE', generation: 2, leader: 'm2', protocol: 'sticky' })
    expect([...driven.group!.members.keys()]).toEqual(['m2'])
  })
})

describe('assignments', () => {
  it('come from the leader, nothing for those it forgot; the record has the time of the state before', () => {
    const driven = new DrivenGroup({ groupInitialRebalanceDelayMs: 0 })
    driven.join('')
    driven.join('')
    driven.advance(0)
    const before = BigInt(driven.nowMs)
    const follower = driven.sync('m2')
    expect(driven.waiting.has(follower)).toBe(true)
    driven.advance(50)
    const leader = driven.sync('m1', { assignments: new Map([['m1', Uint8Array.of(7)]]) })
    expect(driven.synced(leader)).toMatchObject({ error: 'NONE', protocolType: 'consumer', protocol: 'range' })
    expect([...driven.synced(leader).assignment]).toEqual([7])
    expect([...driven.synced(follower).assignment]).toEqual([])
    expect(driven.log.at(-1)).toMatchObject({ value: { generation: 1, leader: 'm1', currentStateTimestamp: before } })
  })

  it('are refused to strangers, of other generations and protocols, and during a rebalance', () => {
    const driven = stable(1)
    const errorOf = (...args: Parameters<DrivenGroup['sync']>) => driven.synced(driven.sync(...args)).error
    expect(errorOf('nobody')).toBe('UNKNOWN_MEMBER_ID')
    expect(errorOf('m1', { generation: 9 })).toBe('ILLEGAL_GENERATION')
    expect(errorOf('m1', { protocol: 'sticky' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(errorOf('m1', { protocolType: 'connect' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(errorOf('m1')).toBe('NONE')
    driven.join('')
    expect(errorOf('m1')).toBe('REBALANCE_IN_PROGRESS')
  })

  it('must be asked for within the rebalance timeout', () => {
    const driven = new DrivenGroup({ groupInitialRebalanceDelayMs: 0 })
    driven.join('')
    driven.join('')
    driven.advance(0)
    driven.sync('m1')
    for (let passed = 0; passed < REBALANCE_MS; passed += 5_000) {
      driven.heartbeat('m1')
      driven.heartbeat('m2')
      driven.advance(5_000)
    }
    expect([...driven.group!.members.keys()]).toEqual(['m1'])
    expect(driven.heartbeat('m1')).toBe('REBALANCE_IN_PROGRESS')
  })
})

describe('staying and leaving', () => {
  it('lasts as long as heartbeats come', () => {
    const driven = stable(2)
    driven.advance(SESSION_MS - 1)
    expect(driven.heartbeat('m1')).toBe('NONE')
    driven.advance(1)
    expect([...driven.group!.members.keys()]).toEqual(['m1'])
    expect(driven.heartbeat('m1')).toBe('REBALANCE_IN_PROGRESS')
    expect(driven.heartbeat('m2')).toBe('UNKNOWN_MEMBER_ID')
    expect(driven.heartbeat('m1', 9)).toBe('ILLEGAL_GENERATION')
  })

  it('ends with a record when the last member leaves', () => {
    const driven = stable(2)
    expect(driven.leave({ memberId: 'm2' }, { memberId: 'nobody' })).toEqual(['NONE', 'UNKNOWN_MEMBER_ID'])
    expect(driven.leave({ memberId: 'm1' })).toEqual(['NONE'])
    expect(driven.group).toMatchObject({ state: 'Empty', generation: 2, leader: null, protocol: null })
    expect(driven.log.at(-1)).toMatchObject({ value: { generation: 2, members: [], protocolType: 'consumer' } })
  })

  it('answers the JoinGroup of a member that leaves or expires meanwhile', () => {
    const driven = stable(2)
    const parked = driven.join('m1')
    driven.leave({ memberId: 'm1' })
    expect(driven.joined(parked)).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
  })

  it('a new member that waits for its first answer for too long is gone', () => {
    const driven = stable(1)
    const parked = driven.join('', { rebalanceTimeoutMs: 400_000 })
    for (let passed = 0; passed < 300_000; passed += 5_000) {
      driven.heartbeat('m1')
      driven.advance(5_000)
    }
    expect(driven.joined(parked)).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
  })
})

describe('the topics of a group', () => {
  const to = (topic: string) => ({ protocols: [{ name: 'range', metadata: subscriptionBytes({ topics: [topic] }) }] })

  it('are those of the members of its generation, whoever joins meanwhile; all of them before the first', () => {
    const driven = new DrivenGroup()
    const subscribed = () => ['a', 'b', 'c'].filter((topic) => driven.group!.isSubscribedTo(topic))
    driven.join('', to('a'))
    expect(subscribed()).toEqual(['a', 'b', 'c'])
    driven.advance(3_000)
    expect(subscribed()).toEqual(['a'])
    driven.sync('m1')
    driven.join('', to('b'))
    expect(subscribed()).toEqual(['a'])
    driven.join('m1', to('c'))
    expect(subscribed()).toEqual(['b', 'c'])
    driven.sync('m1')
    driven.restart()
    expect(subscribed()).toEqual(['b', 'c'])
    driven.leave({ memberId: 'm1' }, { memberId: 'm2' })
    expect(subscribed()).toEqual([])
  })
})

describe('static members (KIP-345)', () => {
  const instance = { groupInstanceId: 'i' }

  function withStatic(): DrivenGroup {
    const driven = new DrivenGroup({ groupInitialRebalanceDelayMs: 0 })
    driven.join('', instance)
    driven.advance(0)
    driven.sync('m1', instance)
    return driven
  }

  it('take their place over without a rebalance, with a new id that is in the log', () => {
    const driven = withStatic()
    const ticket = driven.join('', instance)
    expect(driven.joined(ticket)).toMatchObject({
      error: 'NONE',
      generation: 1,
      memberId: 'm2',
      leader: 'm2',
      skipAssignment: true,
    })
    expect(driven.joined(ticket).members).toHaveLength(1)
    expect(driven.group!.state).toBe('Stable')
    expect(driven.log.at(-1)).toMatchObject({ value: { leader: 'm2', members: [{ memberId: 'm2' }] } })
    expect([...driven.synced(driven.sync('m2', instance)).assignment]).toEqual([1])
  })

  it('are not told that they lead when they could not skip the assignment', () => {
    const driven = withStatic()
    const ticket = driven.join('', { ...instance, canSkipAssignment: false })
    expect(driven.joined(ticket)).toMatchObject({ error: 'NONE', leader: 'm1', skipAssignment: false, members: [] })
  })

  it('fence the one before', () => {
    const driven = withStatic()
    driven.join('', instance)
    expect(driven.heartbeat('m1', 1, 'i')).toBe('FENCED_INSTANCE_ID')
    expect(driven.joined(driven.join('m1', instance))).toMatchObject({ error: 'FENCED_INSTANCE_ID' })
    expect(driven.synced(driven.sync('m1', instance)).error).toBe('FENCED_INSTANCE_ID')
    expect(driven.leave({ memberId: 'm1', groupInstanceId: 'i' })).toEqual(['FENCED_INSTANCE_ID'])
    expect(driven.heartbeat('m2', 1, 'i')).toBe('NONE')
    expect(driven.heartbeat('m2', 1, 'other')).toBe('UNKNOWN_MEMBER_ID')
  })

  it('rebalance when they now prefer what changes the choice', () => {
    const driven = new DrivenGroup({ groupInitialRebalanceDelayMs: 0 })
    driven.join('', { ...instance, protocols: [range, sticky] })
    driven.advance(0)
    driven.sync('m1', instance)
    const ticket = driven.join('', { ...instance, protocols: [sticky, range] })
    expect(driven.joined(ticket)).toMatchObject({ generation: 2, protocol: 'sticky', memberId: 'm2' })
  })

  it('keep their place in a rebalance until their session ends, and can be removed by their instance', () => {
    const driven = withStatic()
    driven.join('')
    driven.advance(SESSION_MS - 1)
    expect(driven.group!.members.has('m1')).toBe(true)
    expect(driven.leave({ groupInstanceId: 'i' })).toEqual(['NONE'])
    expect([...driven.group!.members.keys()]).toEqual(['m2'])
  })
})
