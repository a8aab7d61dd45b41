/** Partitions that move between two log directories while they are written and read, over the wire. */
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import path from 'node:path'
import { createTopics } from '../../src/adapters/wire/apis/19-create-topics.ts'
import { deleteRecords } from '../../src/adapters/wire/apis/21-delete-records.ts'
import { alterReplicaLogDirs } from '../../src/adapters/wire/apis/34-alter-replica-log-dirs.ts'
import { describeLogDirs } from '../../src/adapters/wire/apis/35-describe-log-dirs.ts'
import { createBroker, type Broker } from '../../src/index.ts'
import { connectTo, put, valuesOf } from '../support/embedded-client.ts'
import { temporaryFolder } from '../support/server-process.ts'
import type { WireClient } from '../support/wire-client.ts'

let folder: ReturnType<typeof temporaryFolder>
let broker: Broker
let client: WireClient
const dir = (name: 'a' | 'b'): string => path.join(folder.path, name)

async function start(): Promise<void> {
  broker = await createBroker({ 'node.id': 1, 'log.dirs': `${dir('a')},${dir('b')}` }).start()
  client = await connectTo(broker.address())
}

async function stop(): Promise<void> {
  client.close()
  await broker.close()
}

beforeEach(() => {
  folder = temporaryFolder()
})

afterEach(async () => {
  await stop()
  folder.remove()
})

async function makeTopic(name: string, partitions = 1): Promise<number> {
  const topic = { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }
  const { topics } = await client.send(createTopics, 7, { topics: [topic], timeoutMs: 5_000 })
  return topics[0]!.errorCode
}

/** The error code for partition 0, or the one that is given. */
async function move(topic: string, directory: string, partition = 0): Promise<number> {
  const dirs = [{ path: directory, topics: [{ name: topic, partitions: [partition] }] }]
  const { results } = await client.send(alterReplicaLogDirs, 2, { dirs })
  expect(results).toHaveLength(1)
  expect(results[0]).toMatchObject({ topicName: topic, partitions: [{ partitionIndex: partition }] })
  return results[0]!.partitions[0]!.errorCode
}

/** The directories in which the topic's partition is, and whether as a future replica. */
async function places(topic: string, partition = 0): Promise<[string, boolean][]> {
  const { results } = await client.send(describeLogDirs, 4, { topics: [{ topic, partitions: [partition] }] })
  return results.flatMap(({ logDir, topics }) =>
    topics.flatMap(({ partitions }) => partitions.map((one): [string, boolean] => [logDir, one.isFutureKey])),
  )
}

/** Asks until the partition is in `directory` and nowhere else. */
async function arrived(topic: string, directory: string): Promise<void> {
  for (;;) {
    const found = await places(topic)
    if (found.length === 1 && found[0]![0] === directory) return
  }
}

const other = (directory: string): string => (directory === dir('a') ? dir('b') : dir('a'))
const foldersOf = (directory: string): string[] => readdirSync(directory).filter((name) => name.startsWith('t-'))

it('moves a partition to and fro while it is written, and keeps every record over restarts', async () => {
  await start()
  await makeTopic('t')
  const first = (await places('t'))[0]![0]
  const written: string[] = []
  const write = async (): Promise<void> => {
    const value = `v${written.length}`
    expect(await put(client, 't', value)).toBe(BigInt(written.length))
    written.push(value)
  }
  for (let i = 0; i < 20; i++) await write()
  for (const to of [other(first), first, other(first)]) {
    expect(await move('t', to)).toBe(0)
    for (let i = 0; i < 20; i++) await write()
    await arrived('t', to)
    expect(await valuesOf(client, 't')).toEqual(written)
    expect(foldersOf(to)).toContain('t-0')
    expect(foldersOf(other(to))).not.toContain('t-0')
    await write()
  }
  await stop()
  await start()
  expect((await places('t'))[0]).toEqual([other(first), false])
  expect(await valuesOf(client, 't')).toEqual(written)
  await write()
})

it('keeps deleted what was deleted while it moved', async () => {
  await start()
  await makeTopic('t')
  const first = (await places('t'))[0]![0]
  for (let i = 0; i < 40; i++) await put(client, 't', `v${i}`)
  const deleter = await connectTo(broker.address())
  let low = 0n
  for (const to of [other(first), first]) {
    expect(await move('t', to)).toBe(0)
    const arriving = arrived('t', to)
    for (let i = 0; i < 15; i++) {
      const partitions = [{ partitionIndex: 0, offset: low + 1n }]
      const answer = await deleter.send(deleteRecords, 2, { topics: [{ name: 't', partitions }], timeoutMs: 5_000 })
      expect(answer.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: ++low })
    }
    await arriving
    expect((await valuesOf(client, 't'))[0]).toBe(`v${low}`)
  }
  deleter.close()
  await stop()
  await start()
  expect((await valuesOf(client, 't'))[0]).toBe(`v${low}`)
})

it('completes at the start a move that was interrupted between its two renames', async () => {
  await start()
  await makeTopic('t')
  await put(client, 't', 'a', 'b')
  const from = (await places('t'))[0]![0]
  await move('t', other(from))
  await arrived('t', other(from))
  await stop()
  renameSync(path.join(other(from), 't-0'), path.join(other(from), `t-0.${'0f'.repeat(16)}-future`))
  await start()
  expect(await valuesOf(client, 't')).toEqual(['a', 'b'])
  expect(await places('t')).toEqual([[other(from), false]])
  expect(foldersOf(other(from))).toEqual(['t-0'])
})

it('goes on at the start with a move whose copy is not complete', async () => {
  await start()
  await makeTopic('t')
  await put(client, 't', 'a', 'b')
  const from = (await places('t'))[0]![0]
  await stop()
  mkdirSync(path.join(other(from), `t-0.${'0f'.repeat(16)}-future`))
  await start()
  await arrived('t', other(from))
  expect(await valuesOf(client, 't')).toEqual(['a', 'b'])
  await put(client, 't', 'c')
  expect(await valuesOf(client, 't')).toEqual(['a', 'b', 'c'])
})

it('sets aside a copy whose topic is not known, as Kafka does with stray folders', async () => {
  await start()
  await stop()
  mkdirSync(path.join(dir('b'), `gone-0.${'0f'.repeat(16)}-future`))
  await start()
  await stop()
  await start()
  expect(readdirSync(dir('b')).filter((name) => name.startsWith('gone-'))).toEqual([
    expect.stringMatching(/^gone-0\.[0-9a-f]{32}-stray$/),
  ])
})

it('refuses as Kafka does, and remembers where a partition is wanted that does not exist yet', async () => {
  await start()
  await makeTopic('t')
  const here = (await places('t'))[0]![0]
  expect(await move('t', here)).toBe(0)
  expect(await places('t')).toEqual([[here, false]])
  expect(await move('t', path.join(folder.path, 'nowhere'))).toBe(57)
  expect(await move('t', dir('b'), 7)).toBe(3)
  expect(await move('n'.repeat(240), dir('b'))).toBe(17)
  for (const directory of [dir('b'), dir('a')]) {
    for (const name of ['x', 'y']) {
      const topic = `${name}-${path.basename(directory)}`
      expect(await move(topic, directory)).toBe(3)
      await makeTopic(topic)
      expect(await places(topic)).toEqual([[directory, false]])
    }
  }
  expect(existsSync(path.join(dir('b'), 't-7'))).toBe(false)
})
