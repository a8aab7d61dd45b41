/**
 * `kill -9` while members join, leave and commit, again and again on one directory: no acknowledged commit is lost, and
 * the clients go on by themselves.
 *
 *   ODRADEK_SEEDS=20 npm run jest -- test/e2e/group-kill     more rounds
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Consumer as PlatformaticConsumer, stringDeserializers } from '@platformatic/kafka'
import { Kafka, logLevel, type Consumer } from 'kafkajs'
import { offsetCommit } from '../../src/adapters/wire/apis/08-offset-commit.ts'
import { connectTo, makeTopic, put } from '../support/embedded-client.ts'
import { joinClassic, offsetsOf } from '../support/group-lives.ts'
import { seeded } from '../support/killed-producers.ts'
import { startServer, temporaryFolder, writeProperties, type ServerProcess } from '../support/server-process.ts'
import type { WireClient } from '../support/wire-client.ts'

const rounds = Number(process.env['ODRADEK_SEEDS'] ?? 3)
const TOPIC = 'orders'
const groupCount = 20

describe('groups of a broker that is killed', () => {
  const folder = temporaryFolder()
  const random = seeded(7)
  const clients: WireClient[] = []
  /** The newest acknowledged offset of each group. */
  const acknowledged = new Map<string, bigint>()
  let next = 1n
  let server: ServerProcess
  let kafkajs: Consumer
  let platformatic: PlatformaticConsumer<string, string, string, string>
  const read = { kafkajs: new Set<string>(), platformatic: new Set<string>() }
  let look: () => void = () => undefined

  const extra = {
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '5',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'group.consumer.min.heartbeat.interval.ms': '200',
    'group.consumer.heartbeat.interval.ms': '200',
  }

  const connect = async (): Promise<WireClient> => {
    const client = await connectTo(server)
    clients.push(client)
    return client
  }

  /** On the port of the first life: clients know no other. */
  const revive = async (listeners: string): Promise<void> => {
    for (const client of clients.splice(0)) client.close()
    server = await startServer([writeProperties(folder.path, { ...extra, listeners })], folder.path)
  }

  const took = (by: keyof typeof read, value: string): void => {
    read[by].add(value)
    look()
  }

  const bothHaveRead = (value: string): Promise<void> =>
    new Promise((resolve) => {
      look = () => {
        if (read.kafkajs.has(value) && read.platformatic.has(value)) resolve()
      }
      look()
    })

  beforeAll(async () => {
    await revive('PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0')
    await makeTopic(await connect(), TOPIC)
    const retry = { retries: 50, initialRetryTime: 50, maxRetryTime: 300 }
    kafkajs = new Kafka({ brokers: [server.bootstrap], logLevel: logLevel.NOTHING, retry }).consumer({
      groupId: 'kafkajs',
      heartbeatInterval: 200,
      // Now and then it starts over as another member and has to wait until the broker gives up the one that it was.
      sessionTimeout: 1_500,
      maxWaitTimeInMs: 200,
    })
    await kafkajs.connect()
    await kafkajs.subscribe({ topics: [TOPIC], fromBeginning: true })
    const eachMessage = ({ message }: { message: { value: Buffer | null } }) => {
      took('kafkajs', String(message.value))
      return Promise.resolve()
    }
    await kafkajs.run({ autoCommitThreshold: 1, eachMessage })
    platformatic = new PlatformaticConsumer({
      clientId: 'platformatic',
      bootstrapBrokers: [server.bootstrap],
      groupId: 'platformatic',
      groupProtocol: 'consumer',
      deserializers: stringDeserializers,
      retries: 200,
      retryDelay: 100,
    })
    const stream = await platformatic.consume({
      topics: [TOPIC],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: true,
      maxWaitTime: 200,
    })
    stream.on('data', ({ value }) => took('platformatic', value))
    stream.on('error', () => undefined)
  }, 60_000)

  afterAll(async () => {
    for (const client of clients) client.close()
    await Promise.all([kafkajs.disconnect(), (platformatic as { close(force: boolean): Promise<void> }).close(true)])
    await server.kill()
    folder.remove()
  })

  /** Commits ever larger offsets for random groups until the connection breaks. */
  const commit = async (client: WireClient, answered: () => void): Promise<void> => {
    for (;;) {
      const groupId = `committed-${Math.floor(random() * groupCount)}`
      const offset = next++
      const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: `at ${offset}` }]
      const request = { groupId, generationIdOrMemberEpoch: -1, memberId: '', topics: [{ name: TOPIC, partitions }] }
      const answer = await untilClosed(client.send(offsetCommit, 8, request))
      if (answer === null) return
      const code = answer.topics[0]!.partitions[0]!.errorCode
      // The groups are still being read from the log.
      if (code === 14 || code === 16) continue
      expect(code).toBe(0)
      if (offset > (acknowledged.get(groupId) ?? 0n)) acknowledged.set(groupId, offset)
      answered()
    }
  }

  /** Joins one group after the other, each alone, until the connection breaks: there is always a rebalance. */
  const rebalance = async (client: WireClient): Promise<void> => {
    for (let i = 0; ; i++) {
      const joined = joinClassic(client, `rebalanced-${i % groupCount}`, TOPIC, [0], `instance-${i % groupCount}`)
      await untilClosed(joined, /error (14|16)$/)
      if (client.isClosed) return
    }
  }

  it.each(Array.from({ length: rounds }, (_, round) => round))(
    'keep what was acknowledged, and their clients go on, round %d',
    async (round) => {
      const enough = 100 + Math.floor(random() * 1_000)
      let answers = 0
      const answered = (): void => {
        if (++answers === enough) server.signal('SIGKILL')
      }
      const before = `before ${round}`
      await put(await connect(), TOPIC, before)
      if (round === 0) await bothHaveRead(before)
      const committing = await Promise.all(Array.from({ length: 8 }, connect))
      await Promise.all([
        ...committing.map((client) => commit(client, answered)),
        rebalance(await connect()),
        server.exited,
      ])
      const { port } = server
      await revive(`PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:0`)
      const client = await connect()
      for (const [groupId, offset] of acknowledged) {
        const [found] = await offsetsOf(client, groupId)
        expect(found!.committedOffset).toBeGreaterThanOrEqual(offset)
        expect(found!.metadata).toBe(`at ${found!.committedOffset}`)
      }
      const after = `after ${round}`
      await put(client, TOPIC, after)
      await bothHaveRead(before)
      await bothHaveRead(after)
      expect(server.lines.filter(({ level }) => level === 'error')).toEqual([])
    },
    60_000,
  )
})

/** null when the connection was closed, or when the error is one to try again after. */
async function untilClosed<T>(sent: Promise<T>, again = /connection was closed/): Promise<T | null> {
  return sent.catch((error: unknown) => {
    if (/connection was closed/.test(String(error)) || again.test(String(error))) return null
    throw error
  })
}
