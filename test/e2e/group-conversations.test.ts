/**
 * Groups that change their protocol with members in them (KIP-848), and groups that refuse what they are asked, over
 * TCP: what an Apache Kafka 4.3.1 answered to
 * these conversations, and the records that it wrote, batch by batch (`group-conversations.json`), are what we answer and
 * write.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { createBroker } from '../../src/index.ts'
import { assignmentOf, GroupConversation } from '../support/group-conversation.ts'
import { refusals } from '../support/group-refusals.ts'
import { scenes } from '../support/group-scenes.ts'
import { connectTo } from '../support/embedded-client.ts'
import { temporaryFolder } from '../support/server-process.ts'
import type { WireClient } from '../support/wire-client.ts'

const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/wire/group-conversations.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, { readonly said: readonly unknown[]; readonly log: readonly unknown[] }>>

const PARTITIONS = 3
const folder = temporaryFolder()
const settings = {
  'log.dirs': folder.path,
  'group.initial.rebalance.delay.ms': 0,
  'group.consumer.assignment.interval.ms': 0,
  'offsets.topic.num.partitions': PARTITIONS,
}
let broker = createBroker(settings)
const clients: WireClient[] = []

async function connect(): Promise<WireClient> {
  const client = await connectTo(broker.address())
  clients.push(client)
  return client
}

beforeAll(async () => {
  await broker.start()
})

afterAll(async () => {
  for (const client of clients) client.close()
  await broker.close()
  folder.remove()
})

describe('a group that changes its protocol or refuses', () => {
  it.each(Object.keys(recorded))('%s: as observed on 4.3.1', async (name) => {
    const group = new GroupConversation(await connect(), await connect(), name)
    await group.begin()
    await (scenes[name] ?? refusals[name])!(group)
    expect(group.said).toEqual(recorded[name]!.said)
    expect(await group.log(PARTITIONS)).toEqual(recorded[name]!.log)
  })

  it('goes on where it was after a restart', async () => {
    const group = new GroupConversation(await connect(), await connect(), 'restarted')
    await group.begin()
    const { memberId } = await group.join('', {}, 3)
    await group.sync(memberId, 1, { assignments: [{ memberId, assignment: assignmentOf([0, 1, 2, 3]) }] })
    expect(await group.consumeJoin('new')).toMatchObject({ errorCode: 0, memberEpoch: 2 })
    await broker.close()
    broker = createBroker(settings)
    await broker.start()
    const after = new GroupConversation(await connect(), await connect(), 'restarted')
    await after.begin()
    expect((await after.beat(memberId, 1)).errorCode).toBe(27)
    expect(await after.join(memberId)).toMatchObject({ errorCode: 0, generationId: 2, memberId })
    expect(await after.consume('new', 2, after.holding())).toMatchObject({ errorCode: 0, memberEpoch: 2 })
  })
})
