import { describe, expect, it } from '@jest/globals'
import { ClassicGroup } from '../../../src/domain/groups/classic-group.ts'
import type { GroupRecord } from '../../../src/domain/groups/group-record.ts'
import { GroupShard } from '../../../src/domain/groups/group-shard.ts'
import {
  decideCommit,
  decideExpiry,
  decideGroupDeletion,
  decideOffsetDelete,
  decideTopicsGone,
  fetchOffset,
  refuseCommit,
  refuseOffsetDelete,
  type CommitCommand,
} from '../../../src/domain/groups/offset-rules.ts'
import { ZERO_UUID } from '../../../src/domain/uuid.ts'

const rules = { offsetMetadataMaxBytes: 10, offsetsRetentionMs: 1_000n }

const command = (changes: Partial<CommitCommand> = {}): CommitCommand => ({
  groupId: 'g',
  memberId: '',
  groupInstanceId: null,
  generationOrEpoch: -1,
  retentionTimeMs: -1n,
  knowsEpochs: true,
  topics: [
    {
      name: 't',
      topicId: ZERO_UUID,
      partitions: [
        { partition: 0, offset: 5n, leaderEpoch: 2, metadata: null },
        { partition: 1, offset: 6n, leaderEpoch: -1, metadata: 'm'.repeat(11) },
      ],
    },
  ],
  ...changes,
})

/** A shard with these records in its log, and one that appends more. */
function shardOf(records: readonly GroupRecord[], producerId = -1n): GroupShard {
  const shard = new GroupShard()
  records.forEach((record, i) => {
    shard.evolve(record, BigInt(i), producerId)
  })
  return shard
}

function offset(topic: string, partition: number, commitTimestamp: bigint, expireTimestamp = -1n): GroupRecord {
  const value = { offset: 1n, leaderEpoch: -1, metadata: '', commitTimestamp, expireTimestamp, topicId: ZERO_UUID }
  return { type: 'OffsetCommit', key: { group: 'g', topic, partition }, value }
}

/** `topics` = what the only member subscribes to; null = no member. */
function group(
  topics: readonly string[] | null,
  currentStateTimestamp: bigint,
  protocolType = 'consumer',
): GroupRecord {
  const names = (topics ?? []).map((name) => Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name)]))
  const subscription = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, names.length]), ...names])
  const member = {
    memberId: 'm',
    groupInstanceId: null,
    clientId: 'c',
    clientHost: '/h',
    rebalanceTimeout: 1,
    sessionTimeout: 1,
    subscription,
    assignment: new Uint8Array(),
  }
  return {
    type: 'GroupMetadata',
    key: { group: 'g' },
    value: {
      protocolType,
      generation: 3,
      protocol: topics === null ? null : 'range',
      leader: topics === null ? null : 'm',
      currentStateTimestamp,
      members: topics === null ? [] : [member],
    },
  }
}

const told = (records: readonly GroupRecord[]) =>
  records.map(({ type, key, value }) => {
    expect(value).toBeNull()
    return type === 'OffsetCommit' ? `${key.topic}-${key.partition}` : type
  })

describe('committing', () => {
  it('keeps what was said, and refuses metadata that is too long, each partition for itself', () => {
    const { records, errors } = decideCommit(command(), rules, 77n)
    expect(errors).toEqual([['NONE', 'OFFSET_METADATA_TOO_LARGE']])
    expect(records).toEqual([
      {
        type: 'OffsetCommit',
        key: { group: 'g', topic: 't', partition: 0 },
        value: {
          offset: 5n,
          leaderEpoch: 2,
          metadata: '',
          commitTimestamp: 77n,
          expireTimestamp: -1n,
          topicId: ZERO_UUID,
        },
      },
    ])
    expect(decideCommit(command({ retentionTimeMs: 3n }), rules, 77n).records[0]).toMatchObject({
      value: { expireTimestamp: 80n },
    })
  })

  const live = shardOf([group(['t'], 0n)]).group('g')
  const simple = ClassicGroup.empty('g', null)
  it.each([
    ['nobody into no group', null, {}, null],
    ['a member into no group', null, { memberId: 'm', generationOrEpoch: 3 }, 'GROUP_ID_NOT_FOUND'],
    [
      'a member into no group, before v9',
      null,
      { memberId: 'm', generationOrEpoch: 3, knowsEpochs: false },
      'ILLEGAL_GENERATION',
    ],
    ['nobody into an empty group', simple, {}, null],
    ['a member into an empty group', simple, { memberId: 'm', generationOrEpoch: 3 }, 'UNKNOWN_MEMBER_ID'],
    ['nobody into a live group', live, {}, 'UNKNOWN_MEMBER_ID'],
    ['its member', live, { memberId: 'm', generationOrEpoch: 3 }, null],
    ['its member, another generation', live, { memberId: 'm', generationOrEpoch: 2 }, 'ILLEGAL_GENERATION'],
    ['its member without generation', live, { memberId: 'm' }, 'ILLEGAL_GENERATION'],
    ['a stranger', live, { memberId: 'x', generationOrEpoch: 3 }, 'UNKNOWN_MEMBER_ID'],
    ['an unknown instance', live, { memberId: 'm', groupInstanceId: 'i', generationOrEpoch: 3 }, 'UNKNOWN_MEMBER_ID'],
  ])('by %s', (_, into, changes, error) => {
    expect(refuseCommit(into, command(changes))).toBe(error)
  })
})

describe('transactions', () => {
  const pending = () => {
    const shard = shardOf([offset('t', 0, 1n)])
    shard.evolve(offset('t', 0, 2n), 5n, 9n)
    shard.evolve(offset('t', 1, 2n), 6n, 9n)
    return shard
  }

  it('make offsets unstable until they end', () => {
    const shard = pending()
    expect(fetchOffset(shard, 'g', 't', 0, true)).toEqual({ error: 'UNSTABLE_OFFSET_COMMIT', offset: null })
    expect(fetchOffset(shard, 'g', 't', 0, false).offset).toMatchObject({ commitTimestamp: 1n })
    shard.endTransaction(9n, true)
    expect(fetchOffset(shard, 'g', 't', 0, true).offset).toMatchObject({ commitTimestamp: 2n })
    expect(fetchOffset(shard, 'g', 't', 1, true).offset).toMatchObject({ commitTimestamp: 2n })
  })

  it('that abort leave nothing', () => {
    const shard = pending()
    shard.endTransaction(9n, false)
    expect(fetchOffset(shard, 'g', 't', 0, true).offset).toMatchObject({ commitTimestamp: 1n })
    expect(fetchOffset(shard, 'g', 't', 1, true).offset).toBeNull()
  })

  it('do not overwrite what was committed after them, nor bring back what was deleted', () => {
    const shard = pending()
    shard.evolve(offset('t', 0, 3n), 7n, -1n)
    shard.evolve({ ...offset('t', 1, 0n), value: null }, 8n, -1n)
    shard.endTransaction(9n, true)
    expect(fetchOffset(shard, 'g', 't', 0, true).offset).toMatchObject({ commitTimestamp: 3n })
    expect(fetchOffset(shard, 'g', 't', 1, true).offset).toBeNull()
  })
})

describe('expiry', () => {
  it.each([
    ['a group that has only offsets: each since its commit', [offset('t', 0, 0n), offset('t', 1, 1n)], ['t-0']],
    [
      'the last offset takes such a group with it',
      [offset('t', 0, 0n), offset('t', 1, 0n)],
      ['t-0', 't-1', 'GroupMetadata'],
    ],
    ['an empty group: all since it is empty', [group(null, 0n), offset('t', 0, 900n)], ['t-0', 'GroupMetadata']],
    ['an empty group, of late', [group(null, 1n), offset('t', 0, 0n)], []],
    [
      'an empty group of an old record: each since its commit',
      [group(null, -1n), offset('t', 0, 0n), offset('t', 1, 1n)],
      ['t-0'],
    ],
    ['a live group: what nobody subscribes to', [group(['t'], 0n), offset('t', 0, 0n), offset('u', 0, 0n)], ['u-0']],
    ['a live group of another protocol: nothing', [group(['t'], 0n, 'connect'), offset('u', 0, 0n)], []],
    ['a time of its own counts for an offset', [offset('t', 0, 0n, 2_000n), offset('t', 1, 999n, 1_000n)], ['t-1']],
    ['an empty group without offsets', [group(null, 1_000n)], ['GroupMetadata']],
  ])('of %s', (_, records, expired) => {
    expect(told(decideExpiry(shardOf(records), rules, 1_000n))).toEqual(expired)
  })

  it('waits for open transactions', () => {
    const shard = shardOf([offset('t', 0, 0n)])
    shard.evolve(offset('t', 0, 0n), 5n, 9n)
    expect(decideExpiry(shard, rules, 1_000n)).toEqual([])
  })
})

describe('deleting', () => {
  it('a group takes its offsets, those of open transactions too', () => {
    const shard = shardOf([offset('t', 0, 0n)])
    shard.evolve(offset('t', 0, 0n), 5n, 9n)
    shard.evolve(offset('t', 1, 0n), 6n, 9n)
    const records = decideGroupDeletion(shard, shard.group('g')!)
    expect(told(records)).toEqual(['t-0', 't-1', 'GroupMetadata'])
    records.forEach((record, i) => {
      shard.evolve(record, BigInt(10 + i), -1n)
    })
    expect(shard.group('g')).toBeNull()
    shard.endTransaction(9n, true)
    expect([...shard.offsets.ofGroup('g')]).toEqual([])
  })

  it('offsets of a topic that members subscribe to stay', () => {
    const shard = shardOf([group(['t'], 0n), offset('t', 0, 0n), offset('u', 0, 0n)])
    const members = shard.group('g')!
    expect(refuseOffsetDelete(members)).toBeNull()
    expect(decideOffsetDelete(shard, members, 't', 0)).toEqual({ records: [], error: 'GROUP_SUBSCRIBED_TO_TOPIC' })
    expect(told(decideOffsetDelete(shard, members, 'u', 0).records)).toEqual(['u-0'])
    expect(decideOffsetDelete(shard, members, 'u', 1)).toEqual({ records: [], error: 'NONE' })
    expect(refuseOffsetDelete(shardOf([group(['t'], 0n, 'connect')]).group('g'))).toBe('NON_EMPTY_GROUP')
    expect(refuseOffsetDelete(null)).toBe('GROUP_ID_NOT_FOUND')
  })

  it('a topic takes its offsets of all groups', () => {
    const shard = shardOf([offset('t', 0, 0n), offset('t', 1, 0n), offset('u', 0, 0n)])
    shard.evolve(offset('t', 1, 0n), 5n, 9n)
    expect(told(decideTopicsGone(shard, ['t']))).toEqual(['t-0', 't-1'])
  })
})
