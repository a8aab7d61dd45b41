/**
 * `kill -9` under load, again and again on one directory: every promise that was made is kept by the next process.
 *
 *   ODRADEK_SEEDS=50 npm run jest -- test/e2e/kill     50 rounds with fsync off and 50 with it on, instead of 25 each
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { connectTo, makeTopic, put, valuesOf } from '../support/embedded-client.ts'
import { IdempotentProducer, PlainProducer, seeded } from '../support/killed-producers.ts'
import { topicIdOf } from '../support/records.ts'
import { startServer, temporaryFolder, writeProperties, type ServerProcess } from '../support/server-process.ts'
import type { WireClient } from '../support/wire-client.ts'

const rounds = Number(process.env['ODRADEK_SEEDS'] ?? 25)

describe.each([
  ['leaving fsync to the operating system', {}],
  ['with an fsync before each answer', { 'log.flush.interval.messages': '1' }],
])('a broker that is killed under load, %s', (_, flushing) => {
  const folder = temporaryFolder()
  const random = seeded(1)
  const plain = ['a', 'b'].map((topic) => new PlainProducer(topic, 0, random))
  // rolls often: some kills meet a segment that has just begun
  const rolling = new PlainProducer('rolling', 0, random)
  // A snapshot of producers, taken at each roll, names the newest batch of each, in Kafka's format as in Kafka: a kill
  // right after it leaves the four before it unknown, so where segments roll, one at a time is under way.
  const idempotent = [new IdempotentProducer('once', 5), new IdempotentProducer('once-rolling', 1)]
  /** Those that were acknowledged, with their ids. */
  const made = new Map<string, string>()
  let asked = 0
  let properties: string
  let server: ServerProcess
  const clients: WireClient[] = []

  const connect = async (): Promise<WireClient> => {
    const client = await connectTo(server)
    clients.push(client)
    return client
  }

  const revive = async (): Promise<void> => {
    for (const client of clients.splice(0)) client.close()
    server = await startServer([properties], folder.path)
  }

  beforeAll(async () => {
    properties = writeProperties(folder.path, {
      'log.flush.offset.checkpoint.interval.ms': '50',
      ...flushing,
    })
    await revive()
    const client = await connect()
    for (const topic of ['a', 'b', 'once']) await makeTopic(client, topic)
    for (const topic of ['rolling', 'once-rolling']) {
      await makeTopic(client, topic, { 'segment.ms': '20', 'index.interval.bytes': '512' })
    }
  })

  afterAll(async () => {
    for (const client of clients) client.close()
    await server.kill()
    folder.remove()
  })

  /** Creates topics until the connection breaks. */
  const makeTopics = async (client: WireClient): Promise<void> => {
    for (;;) {
      const name = `made-${asked++}`
      const id = await makeTopic(client, name, { 'retention.ms': '-1' }).catch((error: unknown) => {
        if (String(error).includes('connection was closed')) return null
        throw error
      })
      if (id === null) return
      made.set(name, id)
    }
  }

  it.each(Array.from({ length: rounds }, (_, round) => round))('keeps its promises, round %d', async () => {
    const producers = [...plain, rolling]
    let answers = 0
    const enough = 50 + Math.floor(random() * 400)
    const answered = (): void => {
      if (++answers === enough) server.signal('SIGKILL')
    }
    await Promise.all([
      ...producers.map(async (producer) => producer.run(await connect(), 8, answered)),
      ...idempotent.map(async (producer) => producer.run(await connect(), answered)),
      makeTopics(await connect()),
      server.exited,
    ])

    await revive()
    const client = await connect()
    for (const producer of [...producers, ...idempotent]) {
      expect([producer.topic, await producer.broken(client)]).toEqual([producer.topic, null])
    }
    for (const [name, id] of made) expect([name, await topicIdOf(client, name)]).toEqual([name, id])
    const newest = [...made.keys()].at(-1)
    if (newest !== undefined) {
      await put(client, newest, 'still writable')
      expect(await valuesOf(client, newest)).toContain('still writable')
    }
    expect(server.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('has been asked enough', () => {
    expect(plain[0]!.promises).toBeGreaterThan(rounds)
    expect(made.size).toBeGreaterThan(0)
    for (const topic of ['rolling', 'once-rolling']) {
      const files = readdirSync(join(folder.path, 'data', `${topic}-0`))
      expect(files.filter((file) => file.endsWith('.log')).length).toBeGreaterThan(1)
    }
  })
})
