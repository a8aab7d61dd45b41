/** Groups and offsets in a directory that a real Kafka 4.3.1 wrote, as that Kafka described them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { offsetFetch } from '../../src/adapters/wire/apis/09-offset-fetch.ts'
import { findCoordinator } from '../../src/adapters/wire/apis/10-find-coordinator.ts'
import { describeGroups } from '../../src/adapters/wire/apis/15-describe-groups.ts'
import { listGroups } from '../../src/adapters/wire/apis/16-list-groups.ts'
import { createBroker } from '../../src/bootstrap/create-broker.ts'
import type { Broker } from '../../src/bootstrap/broker.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { WireClient } from '../support/wire-client.ts'

const golden = join(import.meta.dirname, '..', 'fixtures', 'golden', 'groups-txns')

interface ExpectedGroup {
  readonly type: string
  readonly protocol: string
  readonly state: string
  readonly assignor: string
  readonly members: readonly Readonly<Record<string, unknown>>[]
  readonly offsets?: Readonly<Record<string, { offset: number; metadata: string; leaderEpoch: number | null }>>
}

const { groups } = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8')) as {
  readonly groups: Readonly<Record<string, ExpectedGroup>>
}
const classic = Object.entries(groups).filter(([, { type }]) => type === 'Classic')
const withOffsets = Object.entries(groups).filter(([, { offsets }]) => offsets !== undefined)

describe('groups of a real broker', () => {
  const folder = temporaryFolder()
  let broker: Broker
  let client: WireClient

  beforeAll(async () => {
    cpSync(join(golden, 'data'), join(folder.path, 'data'), { recursive: true })
    const retention = { 'offsets.retention.minutes': 20000000 }
    broker = await createBroker({ 'log.dirs': join(folder.path, 'data'), ...retention }).start()
    const { host, port } = broker.address()
    client = await WireClient.connect(host, port)
    for (;;) {
      const { errorCode } = await client.send(listGroups, 5, { statesFilter: [], typesFilter: [] })
      if (errorCode === 0) break
    }
  })

  afterAll(async () => {
    client.close()
    await broker.close()
    folder.remove()
  })

  it('has a coordinator for each', async () => {
    const coordinatorKeys = Object.keys(groups)
    const { coordinators } = await client.send(findCoordinator, 6, { keyType: 0, coordinatorKeys })
    expect(coordinators.map(({ errorCode }) => errorCode)).toEqual(coordinatorKeys.map(() => 0))
  })

  it('lists those of the classic protocol, and those that have only offsets', async () => {
    const listed = await client.send(listGroups, 5, { statesFilter: [], typesFilter: ['CLASSIC'] })
    const told = listed.groups.map(({ groupId, protocolType, groupState }) => [groupId, protocolType, groupState])
    expect(told.sort()).toEqual(classic.map(([groupId, { protocol, state }]) => [groupId, protocol, state]).sort())
    const stable = await client.send(listGroups, 5, { statesFilter: ['stable'], typesFilter: ['classic'] })
    expect(stable.groups).toEqual([
      { groupId: 'g-live-classic', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' },
    ])
  })

  it.each(classic)('describes %s', async (groupId, expected) => {
    const described = await client.send(describeGroups, 6, { groups: [groupId] })
    expect(described.groups[0]).toMatchObject({
      errorCode: 0,
      groupState: expected.state,
      protocolType: expected.protocol,
      protocolData: expected.assignor,
      members: expected.members.map(({ memberId, groupInstanceId, clientId, host }) => ({
        memberId,
        groupInstanceId,
        clientId,
        clientHost: host,
      })),
    })
  })

  it.each(withOffsets)('has the offsets of %s', async (groupId, { offsets }) => {
    const answer = await client.send(offsetFetch, 9, { groups: [{ groupId, topics: null }] })
    const told = answer.groups[0]!.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, metadata }) => [
        `${name}-${partitionIndex}`,
        {
          offset: Number(committedOffset),
          metadata,
          leaderEpoch: committedLeaderEpoch === -1 ? null : committedLeaderEpoch,
        },
      ]),
    )
    expect(Object.fromEntries(told)).toEqual(offsets)
  })

  it.each(['g-txn', 'g-txn-pending-over'])(
    'knows where an open transaction may change an offset of %s',
    async (groupId) => {
      const topics = [{ name: 'inputs', partitionIndexes: [1] }]
      const answer = await client.send(offsetFetch, 9, { groups: [{ groupId, topics }], requireStable: true })
      expect(answer.groups[0]!.topics[0]!.partitions[0]).toMatchObject({ errorCode: 88, committedOffset: -1n })
    },
  )

  it('has not kept a deleted group', async () => {
    const described = await client.send(describeGroups, 6, { groups: ['g-deleted'] })
    expect(described.groups[0]).toMatchObject({ errorCode: 69, groupState: 'Dead' })
  })
})
