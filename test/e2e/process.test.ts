/** The server as a process: how it starts, refuses to start, and stops. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { produce } from '../../src/adapters/wire/apis/00-produce.ts'
import { metadata } from '../../src/adapters/wire/apis/03-metadata.ts'
import { fetch } from '../../src/adapters/wire/apis/01-fetch.ts'
import { createTopics } from '../../src/adapters/wire/apis/19-create-topics.ts'
import { batchOf, fetchFrom, produceBatch, readPartition, textOf, topicIdOf } from '../support/records.ts'
import {
  runServer,
  startServer,
  temporaryFolder,
  writeProperties,
  type RunOptions,
  type ServerProcess,
} from '../support/server-process.ts'
import { decodeResponse, encodeRequest, WireClient } from '../support/wire-client.ts'

let folder: ReturnType<typeof temporaryFolder>
const running: ServerProcess[] = []
const clients: WireClient[] = []

beforeEach(() => {
  folder = temporaryFolder()
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const server of running.splice(0)) await server.kill()
  folder.remove()
})

async function start(args: readonly string[], options: RunOptions = {}): Promise<ServerProcess> {
  const server = await startServer(args, folder.path, options)
  running.push(server)
  return server
}

async function connect({ host, port }: ServerProcess): Promise<WireClient> {
  const client = await WireClient.connect(host, port)
  clients.push(client)
  return client
}

async function createTopic(client: WireClient, name: string): Promise<void> {
  const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  const { topics } = await client.send(createTopics, 7, { topics: [topic], timeoutMs: 5_000 })
  expect(topics[0]!.errorCode).toBe(0)
}

const anyPort = { KAFKA_LISTENERS: 'PLAINTEXT://127.0.0.1:0' }
const eventsOf = (server: ServerProcess, level: string) => server.lines.filter((line) => line.level === level)

describe('starting', () => {
  it('needs no argument: an empty folder gets ./data, formatted for Kafka 4.2 and later', async () => {
    const server = await start([], { env: anyPort })
    const client = await connect(server)
    await createTopic(client, 'first')
    expect((await produceBatch(client, 'first', 0, batchOf(['kept']))).errorCode).toBe(0)
    expect(await server.stop()).toBe(0)
    const data = join(folder.path, 'data')
    expect(readFileSync(join(data, 'meta.properties'), 'utf8')).toMatch(/^node\.id=1$/m)
    expect(readFileSync(join(data, 'first-0', 'partition.metadata'), 'utf8')).toMatch(/^version: 0\ntopic_id: /)
    expect(existsSync(join(data, '.kafka_cleanshutdown'))).toBe(true)

    const again = await start([], { env: anyPort })
    const { records } = await readPartition(await connect(again), 'first', 0)
    expect(records.map(({ value }) => textOf(value))).toEqual(['kept'])
  })

  it('takes keys from the file, then the environment, then --override', async () => {
    const file = writeProperties(folder.path, { 'num.partitions': '2' })
    const partitionsOfNewTopic = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
      const server = await start([file, ...args], { env })
      const client = await connect(server)
      const ask = { topics: [{ name: `made-${String(server.pid)}` }], allowAutoTopicCreation: true }
      await client.send(metadata, 9, { ...ask, includeTopicAuthorizedOperations: false })
      const { topics } = await client.send(metadata, 9, { ...ask, includeTopicAuthorizedOperations: false })
      await server.stop()
      return topics[0]!.partitions.length
    }
    expect(await partitionsOfNewTopic([], {})).toBe(2)
    expect(await partitionsOfNewTopic([], { KAFKA_NUM_PARTITIONS: '3' })).toBe(3)
    expect(await partitionsOfNewTopic(['--override', 'num.partitions=4'], { KAFKA_NUM_PARTITIONS: '3' })).toBe(4)
  })

  it('warns about a key that it does not know, and starts', async () => {
    const server = await start([writeProperties(folder.path, { 'num.partitons': '3' })])
    expect(eventsOf(server, 'warn')).toEqual([
      expect.objectContaining({ warning: expect.stringMatching(/num\.partitons.*server\.properties, line 8/) }),
    ])
  })

  it('is reached at localhost in both address families, and tells each client the address that it dialled', async () => {
    const server = await start([writeProperties(folder.path, { listeners: 'PLAINTEXT://:0,CONTROLLER://localhost:0' })])
    for (const host of ['127.0.0.1', ...((await hasIpv6()) ? ['::1'] : [])]) {
      const client = await WireClient.connect(host, server.port)
      clients.push(client)
      const answer = await client.send(metadata, 9, { topics: [], includeTopicAuthorizedOperations: false })
      expect(answer.brokers).toMatchObject([{ nodeId: 1, host, port: server.port }])
    }
  })

  it('runs from the course’s scripts', async () => {
    const script = fileURLToPath(new URL('../../.codecrafters/run.sh', import.meta.url))
    const server = await start([writeProperties(folder.path)], { program: script })
    expect(await server.stop()).toBe(0)
  })
})

describe('a refused start ends with 1 and one line', () => {
  const refused = async (args: readonly string[], options: RunOptions = {}) => {
    const { code, errors } = await runServer(args, folder.path, options)
    expect(errors.trimEnd().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
    return errors.trimEnd()
  }

  it('for a value that is not one, with key, value, file and line', async () => {
    const file = writeProperties(folder.path, { 'num.io.threads': 'many' })
    const line = await refused([file])
    expect(line).toContain('num.io.threads')
    expect(line).toContain('many')
    expect(line).toContain(`${file}, line 8`)
    expect(existsSync(join(folder.path, 'data'))).toBe(false)
  })

  it('for a value out of range, an unknown option, a missing file', async () => {
    expect(await refused(['--override', 'num.partitions=0'])).toMatch(/0.*num\.partitions.*--override/)
    expect(await refused([], { env: { KAFKA_LOG_SEGMENT_BYTES: '1' } })).toMatch(
      /log\.segment\.bytes.*environment variable KAFKA_LOG_SEGMENT_BYTES/,
    )
    expect(await refused(['--frobnicate'])).toContain('--frobnicate')
    expect(await refused(['absent.properties'])).toContain('absent.properties')
  })

  it('for a place where no directory can be', async () => {
    const file = join(folder.path, 'a-file')
    writeFileSync(file, '')
    const places = [file, join(file, 'below'), ...(existsSync('/proc') ? ['/proc/none/data'] : [])]
    for (const place of places) expect(await refused(['--override', `log.dirs=${place}`])).toContain(place)
  })

  it('for a listener that is not served', async () => {
    const file = writeProperties(folder.path, {
      listeners: 'SASL_SSL://127.0.0.1:0,CONTROLLER://127.0.0.1:0',
      'listener.security.protocol.map': 'SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': 'SASL_SSL',
    })
    expect(await refused([file])).toContain('SASL_SSL')
  })

  it('for a directory that another process holds, which goes on', async () => {
    const file = writeProperties(folder.path)
    const first = await start([file])
    const line = await refused([file])
    expect(line).toContain(join(folder.path, 'data'))
    const client = await connect(first)
    await createTopic(client, 'still-served')
  })

  it('for a port that is taken, and gives the directory back', async () => {
    const file = writeProperties(folder.path)
    const taken = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as net.AddressInfo
    const line = await refused([file, '--override', `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://:0`])
    expect(line).toContain(String(port))
    await new Promise((resolve) => taken.close(resolve))
    await start([file])
  })

  it('for a damaged directory, naming the file, and leaves it as it was', async () => {
    const file = writeProperties(folder.path)
    const server = await start([file])
    await server.stop()
    const meta = join(folder.path, 'data', 'meta.properties')
    writeFileSync(meta, 'version=1\nnode.id=7\ncluster.id=x\n')
    expect(await refused([file])).toContain('meta.properties')
    expect(readFileSync(meta, 'utf8')).toBe('version=1\nnode.id=7\ncluster.id=x\n')
  })
})

describe('stopping', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s under load answers what was taken, and loses nothing', async (signal) => {
    const file = writeProperties(folder.path)
    const server = await start([file])
    const setup = await connect(server)
    await createTopic(setup, 'load')
    const producer = await connect(server)
    let answered = 0
    let refusedAfterStop = 0
    let sent = 0
    const sending: Promise<unknown>[] = []
    const send = async (): Promise<void> => {
      const frame = await producer.sendRaw(produceFrame('load', `value ${sent++}`))
      if (frame === null) refusedAfterStop += 1
      else {
        const { errorCode } = decodeResponse(produce, 11, frame).responses[0]!.partitionResponses[0]!
        if (errorCode === 0) answered += 1
        sending.push(send())
      }
      if (answered === 200) server.signal(signal)
    }
    for (let i = 0; i < 20; i++) sending.push(send())
    expect(await server.exited).toBe(0)
    for (let settled = 0; settled < sending.length; settled++) await sending[settled]
    expect(answered).toBeGreaterThanOrEqual(200)
    expect(refusedAfterStop).toBeLessThanOrEqual(20)

    const { records } = await readPartition(await connect(await start([file])), 'load', 0)
    expect(records.length).toBeGreaterThanOrEqual(answered)
    // every request that was carried out was answered
    expect(records.length).toBe(answered)
    expect(records.map(({ value }) => textOf(value))).toEqual(records.map((_, i) => `value ${i}`))
  })

  it('does not wait for a fetch that waits: it is answered', async () => {
    const server = await start([writeProperties(folder.path)])
    const client = await connect(server)
    await createTopic(client, 'quiet')
    const topicId = await topicIdOf(client, 'quiet')
    const parked = fetchFrom(client, topicId, 0, 0n, { maxWaitMs: 60_000 })
    await topicIdOf(await connect(server), 'quiet')
    const begun = performance.now()
    expect(await server.stop()).toBe(0)
    expect(performance.now() - begun).toBeLessThan(2_000)
    expect((await parked).responses[0]!.partitions[0]!.errorCode).toBe(0)
  })

  it('ends at once on a second signal', async () => {
    const server = await start([writeProperties(folder.path)])
    const client = await connect(server)
    await createTopic(client, 'large')
    await produceBatch(client, 'large', 0, batchOf(['x'.repeat(900_000)]))
    const topicId = await topicIdOf(client, 'large')
    // a client that takes none of its answers holds up a graceful stop for as long as there is grace
    const lazy = net.connect(server.port, server.host).pause()
    await new Promise((resolve) => lazy.once('connect', resolve))
    for (let i = 0; i < 30; i++) lazy.write(fetchFrame(topicId))
    await fetchFrom(client, topicId, 0, 0n)
    const begun = performance.now()
    server.signal('SIGTERM')
    await server.logged('stopping')
    server.signal('SIGINT')
    expect(await server.exited).toBe(130)
    expect(performance.now() - begun).toBeLessThan(2_000)
    lazy.destroy()
  })
})

function produceFrame(name: string, value: string): Buffer {
  return encodeRequest(produce, 11, {
    acks: -1,
    timeoutMs: 5_000,
    topicData: [{ name, partitionData: [{ index: 0, records: batchOf([value]) }] }],
  })
}

function fetchFrame(topicId: string): Buffer {
  return encodeRequest(fetch, 16, {
    maxWaitMs: 0,
    minBytes: 1,
    topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 << 20 }] }],
    forgottenTopicsData: [],
  })
}

function hasIpv6(): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => resolve(false))
    server.listen(0, '::1', () => server.close(() => resolve(true)))
  })
}
