/** Consumer groups (KIP-848) in a directory that a real Kafka 4.3.1 wrote: as that Kafka described them, and alive. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { consumerGroupDescribe } from '../../src/adapters/wire/apis/69-consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../src/adapters/wire/apis/68-consumer-group-heartbeat.ts'
import type { Broker } from '../../src/bootstrap/broker.ts'
import { createBroker } from '../../src/bootstrap/create-broker.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { WireClient } from '../support/wire-client.ts'

const golden = join(import.meta.dirname, '..', 'fixtures', 'golden', 'groups-txns')

interface ExpectedGroup {
  readonly type: string
  readonly state: string
  readonly assignor: string
  readonly groupEpoch: number
  readonly targetAssignmentEpoch: number
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly clientId: string
    readonly host: string
    readonly memberEpoch: number
  }[]
}

const { groups } = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8')) as {
  readonly groups: Readonly<Record<string, ExpectedGroup>>
}
const consumerGroups = Object.entries(groups).filter(([, { type }]) => type === 'Consumer')

describe('consumer groups of a real broker', () => {
  const folder = temporaryFolder()
  let broker: Broker
  let client: WireClient

  beforeAll(async () => {
    cpSync(join(golden, 'data'), join(folder.path, 'data'), { recursive: true })
    // Long enough for the members, which nobody plays, to stay.
    const session = {
      'group.consumer.session.timeout.ms': 1_800_000,
      'group.consumer.max.session.timeout.ms': 1_800_000,
    }
    broker = await createBroker({
      'log.dirs': join(folder.path, 'data'),
      'offsets.retention.minutes': 20_000_000,
      ...session,
    }).start()
    const { host, port } = broker.address()
    client = await WireClient.connect(host, port)
    const groupIds = consumerGroups.map(([groupId]) => groupId)
    for (;;) {
      const described = await client.send(consumerGroupDescribe, 1, { groupIds, includeAuthorizedOperations: false })
      if (described.groups.every(({ errorCode }) => errorCode === 0)) break
    }
  })

  afterAll(async () => {
    client.close()
    await broker.close()
    folder.remove()
  })

  it.each(consumerGroups)('describes %s', async (groupId, expected) => {
    const asked = { groupIds: [groupId], includeAuthorizedOperations: true }
    const described = await client.send(consumerGroupDescribe, 1, asked)
    const inputs = { topicPartitions: [expect.objectContaining({ topicName: 'inputs', partitions: [0, 1] })] }
    expect(described.groups[0]).toMatchObject({
      errorCode: 0,
      errorMessage: null,
      groupState: expected.state,
      groupEpoch: expected.groupEpoch,
      assignmentEpoch: expected.targetAssignmentEpoch,
      assignorName: expected.assignor,
      authorizedOperations: 3400,
      members: expected.members.map(({ memberId, groupInstanceId, clientId, host, memberEpoch }) => ({
        memberId,
        instanceId: groupInstanceId,
        clientId,
        clientHost: host,
        memberEpoch,
        assignment: inputs,
        targetAssignment: inputs,
        memberType: 1,
      })),
    })
  })

  it('goes on with a member at the epoch that it has', async () => {
    const memberId = groups['g-live-848']!.members[0]!.memberId
    const heartbeat = { groupId: 'g-live-848', memberId, rebalanceTimeoutMs: -1, topicPartitions: null }
    expect(await client.send(consumerGroupHeartbeat, 1, { ...heartbeat, memberEpoch: 2 })).toMatchObject({
      errorCode: 0,
      memberEpoch: 2,
      assignment: null,
    })
    expect(await client.send(consumerGroupHeartbeat, 1, { ...heartbeat, memberEpoch: 3 })).toMatchObject({
      errorCode: 110,
    })
  })

  it('gives a static member that comes back what it had', async () => {
    const back = {
      groupId: 'g-static-848',
      memberId: 'come-back',
      memberEpoch: 0,
      instanceId: 'inst-848',
      rebalanceTimeoutMs: 1000,
      subscribedTopicNames: ['inputs'],
      topicPartitions: [],
    }
    const answer = await client.send(consumerGroupHeartbeat, 1, back)
    expect(answer).toMatchObject({ errorCode: 0, memberEpoch: 2 })
    expect(answer.assignment?.topicPartitions).toMatchObject([{ partitions: [0, 1] }])
  })
})
