import { beforeEach, describe, expect, it } from '@jest/globals'
import { ConsumerGroup } from '../../../src/domain/groups/consumer-group.ts'
import { DrivenConsumerGroup, GROUP } from '../../support/driven-consumer-group.ts'
import { groupImage, idOf } from '../../support/group-images.ts'

const topics = { alpha: 4, beta: 2, gamma: 3 }
let driven: DrivenConsumerGroup

beforeEach(() => {
  driven = new DrivenConsumerGroup(groupImage(topics))
})

/** Kinds of records, a tombstone with a minus. */
function kinds() {
  return driven.written.map(({ type, value }) => (value === null ? '-' : '') + type.replace('ConsumerGroup', ''))
}

const fenced = (which: string, epoch: number, known: number) => ({
  error: 'FENCED_MEMBER_EPOCH',
  message:
    `The consumer group member has a ${which} member epoch (${epoch}) than the one known by the group coordinator ` +
    `(${known}). The member must abandon all its partitions and rejoin.`,
})

// Every expectation here was observed on 4.3.1 with the same requests.
describe('the members of a consumer group', () => {
  it('get everything when alone; the first subscription makes the group epoch 2', () => {
    expect(driven.join('a', ['alpha'])).toEqual({ epoch: 2, assignment: { alpha: [0, 1, 2, 3] } })
    expect(kinds()).toEqual([
      'MemberMetadata',
      'Metadata',
      'TargetAssignmentMember',
      'TargetAssignmentMetadata',
      'CurrentMemberAssignment',
    ])
    expect(driven.group.state).toBe('Stable')
    expect(driven.sessions).toEqual(new Map([['a', 45_000]]))
  })

  it('hear of their assignment when it changes, when they say everything, and when they rejoin', () => {
    driven.join('a', ['alpha'])
    const all = { alpha: [0, 1, 2, 3] }
    expect(driven.heartbeat('a', { memberEpoch: 2 })).toEqual({ epoch: 2, assignment: null })
    expect(driven.written).toEqual([])
    const full = { memberEpoch: 2, rebalanceTimeoutMs: 300_000, subscribedTopicNames: ['alpha'], owned: all }
    expect(driven.heartbeat('a', full)).toEqual({ epoch: 2, assignment: all })
    expect(driven.join('a', ['alpha'])).toEqual({ epoch: 2, assignment: all })
  })

  it('are fenced at any epoch but their own', () => {
    driven.join('a', ['alpha'])
    expect(driven.heartbeat('a', { memberEpoch: 1 })).toEqual(fenced('smaller', 1, 2))
    expect(driven.heartbeat('a', { memberEpoch: 1, owned: { alpha: [0] } })).toEqual(fenced('smaller', 1, 2))
    expect(driven.heartbeat('a', { memberEpoch: 3 })).toEqual(fenced('greater', 3, 2))
    expect(driven.heartbeat('z', { memberEpoch: 2 })).toEqual({
      error: 'UNKNOWN_MEMBER_ID',
      message: 'Member z is not a member of group g.',
    })
  })

  it('revoke first, then move on, and only then others get what is free', () => {
    driven.join('a', ['alpha'])
    expect(driven.join('b', ['alpha'])).toEqual({ epoch: 3, assignment: {} })
    expect(driven.group.state).toBe('Reconciling')
    const all = { alpha: [0, 1, 2, 3] }
    expect(driven.heartbeat('a', { memberEpoch: 2, owned: all })).toEqual({ epoch: 2, assignment: { alpha: [0, 1] } })
    expect(driven.revoking).toEqual(new Map([['a', 2]]))
    expect(driven.heartbeat('a', { memberEpoch: 2 })).toEqual({ epoch: 2, assignment: null })
    expect(driven.heartbeat('b', { memberEpoch: 3, owned: {} })).toEqual({ epoch: 3, assignment: null })
    const revoked = driven.heartbeat('a', { memberEpoch: 2, owned: { alpha: [0, 1] } })
    expect(revoked).toEqual({ epoch: 3, assignment: null })
    expect(driven.revoking.size).toBe(0)
    expect(driven.heartbeat('b', { memberEpoch: 3, owned: {} })).toEqual({ epoch: 3, assignment: { alpha: [2, 3] } })
    expect(driven.group.state).toBe('Stable')
    // The answer that moved a may have been lost: its former epoch is good while it holds no more than it may.
    expect(driven.heartbeat('a', { memberEpoch: 2, owned: { alpha: [1] } })).toEqual({ epoch: 3, assignment: null })
    expect(driven.heartbeat('a', { memberEpoch: 2, owned: { alpha: [2] } })).toEqual(fenced('smaller', 2, 3))
    expect(driven.heartbeat('b', { memberEpoch: 2, owned: {} })).toEqual(fenced('smaller', 2, 3))
  })

  it('stay at their epoch when there is more to revoke by the time they have revoked', () => {
    const range = { subscribedTopicNames: ['alpha'], serverAssignor: 'range' }
    driven.join('b', range)
    driven.join('a', range)
    const first = driven.heartbeat('b', { memberEpoch: 2, owned: { alpha: [0, 1, 2, 3] } })
    expect(first).toEqual({ epoch: 2, assignment: { alpha: [2, 3] } })
    expect(driven.join('c', range)).toEqual({ epoch: 4, assignment: {} })
    const second = driven.heartbeat('b', { memberEpoch: 2, owned: { alpha: [2, 3] } })
    expect(second).toEqual({ epoch: 2, assignment: { alpha: [2] } })
    expect(driven.revoking).toEqual(new Map([['b', 2]]))
    expect(driven.heartbeat('b', { memberEpoch: 2, owned: { alpha: [2] } })).toEqual({ epoch: 4, assignment: null })
  })

  it('wait for the assignment interval: one that joins early has nothing and the epoch of the last target', () => {
    driven.settings = { ...driven.settings, assignmentIntervalMs: 1000 }
    driven.join('a', ['alpha'])
    driven.nowMs += 999n
    expect(driven.join('b', ['alpha'])).toEqual({ epoch: 2, assignment: {} })
    expect(kinds()).toEqual(['MemberMetadata', 'Metadata', 'CurrentMemberAssignment'])
    expect(driven.group.state).toBe('Assigning')
    driven.nowMs += 1n
    expect(driven.heartbeat('b', { memberEpoch: 2, owned: {} })).toEqual({ epoch: 3, assignment: null })
  })

  it('lose at once what they no longer subscribe to, and get it back when they do again', () => {
    driven.settings = { ...driven.settings, assignmentIntervalMs: 1000 }
    driven.join('s', ['alpha', 'beta'])
    const drop = driven.heartbeat('s', { memberEpoch: 2, subscribedTopicNames: ['beta'] })
    expect(drop).toEqual({ epoch: 2, assignment: { beta: [0, 1] } })
    const owned = { alpha: [0, 1, 2, 3], beta: [0, 1] }
    expect(driven.heartbeat('s', { memberEpoch: 2, owned })).toEqual({ epoch: 2, assignment: null })
    const back = driven.heartbeat('s', { memberEpoch: 2, subscribedTopicNames: ['alpha'], owned })
    expect(back).toEqual({ epoch: 2, assignment: {} })
    const regained = driven.heartbeat('s', { memberEpoch: 2, owned: {} })
    expect(regained).toEqual({ epoch: 2, assignment: { alpha: [0, 1, 2, 3] } })
    expect(driven.group.epoch).toBe(4)
    expect(driven.group.assignmentEpoch).toBe(2)
  })

  it('keep nothing of a topic that they dropped and do not hold any more', () => {
    driven.settings = { ...driven.settings, assignmentIntervalMs: 1000 }
    driven.join('u', ['alpha', 'beta'])
    const said = { memberEpoch: 2, subscribedTopicNames: ['beta'], owned: { beta: [0, 1] } }
    expect(driven.heartbeat('u', said)).toEqual({ epoch: 2, assignment: { beta: [0, 1] } })
    expect(driven.revoking.size).toBe(0)
    driven.heartbeat('u', { ...said, subscribedTopicNames: [] })
    driven.nowMs += 1000n
    expect(driven.heartbeat('u', { memberEpoch: 2, owned: {} })).toEqual({ epoch: 4, assignment: null })
    expect(kinds()).toEqual(['TargetAssignmentMember', 'TargetAssignmentMetadata', 'CurrentMemberAssignment'])
  })

  it('do not disturb the group by another rack or assignor, and the majority chooses the assignor', () => {
    driven.join('a', ['alpha'])
    driven.heartbeat('a', { memberEpoch: 2, rackId: 'r1', serverAssignor: 'range' })
    expect(kinds()).toEqual(['MemberMetadata'])
    expect(driven.group.epoch).toBe(2)
    driven.join('0', ['alpha'])
    // range goes by the order of the ids, uniform would leave a what it has.
    expect(driven.group.target('0').get(idOf('alpha'))).toEqual([0, 1])
  })

  it('may be no more than the group takes', () => {
    driven.settings = { ...driven.settings, maxSize: 2 }
    driven.join('a', ['alpha'])
    driven.join('b', ['alpha'])
    expect(driven.join('c', ['alpha'])).toEqual({
      error: 'GROUP_MAX_SIZE_REACHED',
      message: 'The consumer group has reached its maximum capacity of 2 members.',
    })
    expect(driven.join('b', ['alpha'])).toMatchObject({ epoch: 3 })
  })
})

describe('members that go', () => {
  it('leave their partitions and a new epoch; the target stays until somebody is heard of', () => {
    driven.join('a', ['alpha'])
    driven.join('b', ['alpha'])
    expect(driven.leave('a')).toEqual({ epoch: -1, assignment: null })
    expect(kinds()).toEqual(['-CurrentMemberAssignment', '-TargetAssignmentMember', '-MemberMetadata', 'Metadata'])
    expect(driven.sessions.has('a')).toBe(false)
    expect(driven.group.state).toBe('Assigning')
    expect(driven.heartbeat('b', { memberEpoch: 3, owned: {} })).toEqual({
      epoch: 4,
      assignment: { alpha: [0, 1, 2, 3] },
    })
    expect(driven.leave('a')).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
    driven.leave('b')
    expect(driven.group.state).toBe('Empty')
    expect(driven.group.metadataHash).toBe(0n)
  })

  it('are removed when nothing is heard of them, once', () => {
    driven.join('a', ['alpha'])
    driven.expireSession('a')
    expect(driven.group.state).toBe('Empty')
    expect(driven.group.epoch).toBe(3)
    driven.expireSession('a')
    expect(driven.written).toEqual([])
  })

  it('are removed when they do not revoke in time, and only then', () => {
    driven.join('a', { subscribedTopicNames: ['alpha'], rebalanceTimeoutMs: 1500 })
    driven.join('b', ['alpha'])
    driven.heartbeat('a', { memberEpoch: 2, owned: { alpha: [0, 1, 2, 3] } })
    const late = driven.revoking.get('a')
    driven.heartbeat('a', { memberEpoch: 2, owned: { alpha: [0, 1] } })
    driven.revoking.set('a', late!)
    driven.expireRebalance('a')
    expect(driven.group.members.has('a')).toBe(true)
    driven.join('c', ['alpha'])
    driven.join('d', ['alpha'])
    driven.heartbeat('a', { memberEpoch: 3, owned: { alpha: [0, 1] } })
    expect(driven.revoking.get('a')).toBe(3)
    driven.expireRebalance('a')
    expect([...driven.group.members.keys()]).toEqual(['b', 'c', 'd'])
  })
})

describe('static members', () => {
  const i1 = { subscribedTopicNames: ['alpha'], instanceId: 'i1' }
  const all = { alpha: [0, 1, 2, 3] }

  it('hold their instance id until they leave for a while', () => {
    driven.join('s1', i1)
    for (const id of ['s1', 's2']) {
      expect(driven.join(id, i1)).toEqual({
        error: 'UNRELEASED_INSTANCE_ID',
        message: `Static member ${id} with instance id i1 cannot join the group because the instance id is owned by s1 member.`,
      })
    }
    const other = {
      error: 'FENCED_INSTANCE_ID',
      message: 'Static member s2 with instance id i1 was fenced by member s1.',
    }
    expect(driven.heartbeat('s2', { memberEpoch: 2, instanceId: 'i1' })).toEqual(other)
    expect(driven.leave('s2', { memberEpoch: -2, instanceId: 'i1' })).toEqual(other)
    const unknown = { error: 'UNKNOWN_MEMBER_ID', message: 'Instance id i2 is unknown.' }
    expect(driven.heartbeat('s1', { memberEpoch: 2, instanceId: 'i2' })).toEqual(unknown)
    expect(driven.heartbeat('s1', { memberEpoch: 2 })).toMatchObject({ epoch: 2 })
  })

  it('keep their partitions while away, and another takes over with all of it', () => {
    driven.join('s1', i1)
    expect(driven.leave('s1', { memberEpoch: -2, instanceId: 'i1' })).toEqual({ epoch: -2, assignment: null })
    expect(kinds()).toEqual(['CurrentMemberAssignment'])
    expect(driven.group.state).toBe('Reconciling')
    expect(driven.sessions.has('s1')).toBe(true)
    expect(driven.heartbeat('s1', { memberEpoch: 2, instanceId: 'i1' })).toEqual(fenced('greater', 2, -2))
    expect(driven.join('s3', i1)).toEqual({ epoch: 2, assignment: all })
    expect(kinds()).toEqual([
      '-CurrentMemberAssignment',
      '-TargetAssignmentMember',
      '-MemberMetadata',
      'MemberMetadata',
      'TargetAssignmentMember',
      'CurrentMemberAssignment',
      'CurrentMemberAssignment',
    ])
    expect(driven.group.epoch).toBe(2)
    expect([...driven.sessions.keys()]).toEqual(['s3'])
    expect(driven.heartbeat('s1', { memberEpoch: 2, instanceId: 'i1' })).toMatchObject({ error: 'FENCED_INSTANCE_ID' })
    expect(driven.heartbeat('s1', { memberEpoch: 2 })).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
  })

  it('may come back under their own id and with another subscription', () => {
    driven.join('s1', i1)
    driven.leave('s1', { memberEpoch: -2, instanceId: 'i1' })
    const back = driven.join('s1', { ...i1, subscribedTopicNames: ['beta'] })
    expect(back).toEqual({ epoch: 3, assignment: { beta: [0, 1] } })
    expect([...driven.group.members.keys()]).toEqual(['s1'])
    expect([...driven.sessions.keys()]).toEqual(['s1'])
  })

  it('are gone with their session', () => {
    driven.join('s1', i1)
    driven.join('s2', ['alpha'])
    driven.leave('s1', { memberEpoch: -2, instanceId: 'i1' })
    driven.expireSession('s1')
    expect(driven.heartbeat('s2', { memberEpoch: 3, owned: {} })).toEqual({ epoch: 4, assignment: all })
    expect(driven.group.staticMember('i1')).toBeNull()
  })

  it('may be what a dynamic member becomes', () => {
    driven.join('d', ['alpha'])
    expect(driven.join('d', i1)).toEqual({ epoch: 2, assignment: all })
    expect(driven.group.staticMember('i1')?.memberId).toBe('d')
  })
})

describe('topics', () => {
  it('that appear, grow and go make a new epoch at the next heartbeat', () => {
    const grown = { beta: { id: idOf('beta'), partitions: 3 } }
    driven.join('c', ['beta', 'late'])
    driven.image = groupImage({ ...topics, late: 2 })
    expect(driven.heartbeat('c', { memberEpoch: 2 })).toEqual({ epoch: 3, assignment: { beta: [0, 1], late: [0, 1] } })
    driven.image = groupImage({ ...topics, ...grown, late: 2 })
    expect(driven.heartbeat('c', { memberEpoch: 3 })).toMatchObject({ epoch: 4 })
    driven.image = groupImage({ ...topics, ...grown })
    const owned = { beta: [0, 1, 2] }
    expect(driven.heartbeat('c', { memberEpoch: 4, owned })).toEqual({ epoch: 5, assignment: { beta: [0, 1, 2] } })
    driven.image = groupImage({ ...topics, ...grown, other: 1 })
    expect(driven.heartbeat('c', { memberEpoch: 5 })).toEqual({ epoch: 5, assignment: null })
  })

  it('that do not exist are waited for', () => {
    expect(driven.join('m', ['nosuch'])).toEqual({ epoch: 2, assignment: {} })
    expect(driven.group.state).toBe('Stable')
    expect(driven.join('n', [])).toEqual({ epoch: 2, assignment: {} })
    expect(driven.group.epoch).toBe(2)
  })
})

describe('regular expressions', () => {
  it('are resolved after the heartbeat, which makes a new epoch', () => {
    expect(driven.join('r', { subscribedTopicRegex: 'al.*|be.*' })).toEqual({ epoch: 1, assignment: {} })
    expect(driven.group.epoch).toBe(2)
    expect(driven.group.state).toBe('Assigning')
    expect(driven.heartbeat('r', { memberEpoch: 1 })).toEqual({
      epoch: 2,
      assignment: { alpha: [0, 1, 2, 3], beta: [0, 1] },
    })
    // Known already: the next member counts at once.
    expect(driven.join('r2', { subscribedTopicRegex: 'al.*|be.*', subscribedTopicNames: ['gamma'] })).toMatchObject({
      epoch: 3,
    })
    expect(driven.group.isSubscribedTo('alpha')).toBe(true)
    expect(driven.group.isSubscribedTo('delta')).toBe(false)
  })

  it('that match nothing or only a part of a name change nothing', () => {
    driven.join('r', { subscribedTopicRegex: 'alp' })
    expect(driven.group.epoch).toBe(1)
    expect(driven.group.regexes.get('alp')?.topics).toEqual([])
  })

  it('that are not resolved yet leave a member and its record as they are', () => {
    driven.join('a', ['alpha'])
    driven.heartbeat('a', { memberEpoch: 2, subscribedTopicRegex: 'b.*' })
    expect(kinds()).toEqual(['MemberMetadata'])
  })

  it('are forgotten with their last member', () => {
    driven.join('r', { subscribedTopicRegex: 'zzz' })
    driven.heartbeat('r', { memberEpoch: 1, subscribedTopicRegex: 'gam.*' })
    expect([...driven.group.regexes.keys()]).toEqual(['gam.*'])
    driven.leave('r')
    expect(kinds()).toEqual([
      '-CurrentMemberAssignment',
      '-TargetAssignmentMember',
      '-MemberMetadata',
      '-RegularExpression',
      'Metadata',
    ])
  })

  it('that are none are refused', () => {
    const refused = {
      error: 'INVALID_REGULAR_EXPRESSION',
      message: 'SubscribedTopicRegex `[` is not a valid regular expression: missing closing ].',
    }
    expect(driven.join('r', { subscribedTopicRegex: '[' })).toEqual(refused)
    expect(driven.log).toEqual([])
  })

  it('are held against new topics at most every ten seconds', () => {
    driven.join('r', { subscribedTopicRegex: 'a.*' })
    driven.heartbeat('r', { memberEpoch: 1 })
    driven.image = groupImage({ ...topics, alpha2: 1 })
    driven.nowMs += 9_999n
    driven.heartbeat('r', { memberEpoch: 2 })
    expect(driven.group.epoch).toBe(2)
    driven.nowMs += 1n
    driven.heartbeat('r', { memberEpoch: 2 })
    expect(driven.group.epoch).toBe(3)
    expect(driven.heartbeat('r', { memberEpoch: 2 })).toMatchObject({ epoch: 3 })
  })
})

describe('offsets of a consumer group', () => {
  const commit = (memberId: string, epoch: number, partitions: readonly number[] = [0], more = {}) =>
    driven.group.refuseCommit({
      memberId,
      groupInstanceId: null,
      generationOrEpoch: epoch,
      transactional: false,
      topics: [{ topicId: idOf('alpha'), partitions: partitions.map((partition) => ({ partition })) }],
      ...more,
    })

  it('may be committed at the member epoch, and at an older one for what it holds since (KIP-1251)', () => {
    driven.join('a', ['alpha'])
    driven.join('b', ['alpha'])
    driven.heartbeat('a', { memberEpoch: 2, owned: { alpha: [0, 1, 2, 3] } })
    expect(commit('a', 2, [0, 1, 2, 3])).toBeNull()
    driven.heartbeat('a', { memberEpoch: 2, owned: { alpha: [0, 1] } })
    expect(commit('a', 2, [0, 1])).toBeNull()
    expect(commit('a', 2, [0, 2])).toBe('STALE_MEMBER_EPOCH')
    expect(commit('a', 1, [0])).toBe('STALE_MEMBER_EPOCH')
    expect(commit('a', 3, [0, 1, 2, 3])).toBeNull()
    expect(commit('a', 4)).toBe('STALE_MEMBER_EPOCH')
    expect(commit('a', -1)).toBe('STALE_MEMBER_EPOCH')
    expect(commit('z', 3)).toBe('UNKNOWN_MEMBER_ID')
    expect(commit('', -1)).toBe('UNKNOWN_MEMBER_ID')
    expect(commit('a', 2, [0], { knowsEpochs: false })).toBe('UNSUPPORTED_VERSION')
    expect(commit('', -1, [0], { transactional: true })).toBeNull()
  })

  it('may be committed by anybody when nobody is there', () => {
    driven.join('a', ['alpha'])
    driven.leave('a')
    expect(commit('', -1)).toBeNull()
    expect(commit('z', 3)).toBe('UNKNOWN_MEMBER_ID')
  })

  it('may not be committed for a static member that is away', () => {
    driven.join('s', { subscribedTopicNames: ['alpha'], instanceId: 'i' })
    driven.leave('s', { memberEpoch: -2, instanceId: 'i' })
    expect(commit('s', 2)).toBe('STALE_MEMBER_EPOCH')
  })

  it.each([
    ['a', 2, null],
    ['a', 1, 'STALE_MEMBER_EPOCH'],
    ['a', 3, 'STALE_MEMBER_EPOCH'],
    ['a', -1, 'STALE_MEMBER_EPOCH'],
    ['z', 2, 'UNKNOWN_MEMBER_ID'],
    ['', -1, 'UNKNOWN_MEMBER_ID'],
    [null, -1, null],
    [null, 0, 'UNKNOWN_MEMBER_ID'],
  ] as const)('fetched by %p at %p: %p', (memberId, epoch, error) => {
    driven.join('a', ['alpha'])
    expect(driven.group.refuseFetch(memberId, epoch)).toBe(error)
  })

  it('go with the group, which goes when nobody is in it', () => {
    driven.join('r', { subscribedTopicRegex: 'a.*' })
    expect(driven.group.refuseDelete()).toBe('NON_EMPTY_GROUP')
    const gone = driven.group.tombstones()
    expect(gone.every(({ value }) => value === null)).toBe(true)
    expect(gone).toHaveLength(7)
    driven.leave('r')
    expect(driven.group.refuseDelete()).toBeNull()
    expect(driven.group.refuseOffsetDelete()).toBeNull()
    expect(driven.group.retentionStart(5n)).toBe(5n)
  })
})

describe('a replayed group', () => {
  it('is the same, whatever the order in which compaction left its members', () => {
    driven.join('a', ['alpha'])
    driven.join('b', ['alpha'])
    driven.heartbeat('a', { memberEpoch: 2, owned: { alpha: [0, 1, 2, 3] } })
    driven.heartbeat('a', { memberEpoch: 2, owned: { alpha: [0, 1] } })
    driven.heartbeat('b', { memberEpoch: 3, owned: {} })
    const replayed = new ConsumerGroup(GROUP)
    for (const record of driven.log) replayed.evolve(record)
    expect(replayed.members).toEqual(driven.group.members)
    const last = new Map(driven.log.map((record) => [JSON.stringify([record.type, record.key]), record]))
    const compacted = new ConsumerGroup(GROUP)
    for (const record of [...last.values()].reverse()) compacted.evolve(record)
    expect(new Map([...compacted.members].sort())).toEqual(new Map([...driven.group.members].sort()))
    expect(compacted.ownerOf(idOf('alpha'), 3)).toBe('b')
  })
})
