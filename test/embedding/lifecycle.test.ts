/** A broker inside another program: started, used, closed, and nothing of it left. */
import { afterEach, describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import {
  ConfigError,
  createBroker,
  MemoryLogStore,
  MemoryMetadataRepository,
  type Broker,
  type Logger,
  type Timers,
} from '../../src/index.ts'
import { connectTo, makeTopic, put, valuesOf } from '../support/embedded-client.ts'
import { fetchFrom } from '../support/records.ts'
import { temporaryFolder } from '../support/server-process.ts'
import type { WireClient } from '../support/wire-client.ts'

const clients: WireClient[] = []
const folders: ReturnType<typeof temporaryFolder>[] = []

afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  for (const folder of folders.splice(0)) folder.remove()
})

async function connect(broker: Broker): Promise<WireClient> {
  const client = await connectTo(broker.address())
  clients.push(client)
  return client
}

function dataFolder(): string {
  const folder = temporaryFolder()
  folders.push(folder)
  return join(folder.path, 'data')
}

/** Timers of Node's, counted while they are under way. */
function countedTimers(): Timers & { readonly pending: Set<object> } {
  const pending = new Set<object>()
  return {
    pending,
    after(delayMs, run) {
      const handle = setTimeout(() => {
        pending.delete(handle)
        run()
      }, delayMs)
      pending.add(handle)
      return {
        cancel: () => {
          clearTimeout(handle)
          pending.delete(handle)
        },
      }
    },
  }
}

function recordingLogger(): Logger & { readonly events: string[] } {
  const events: string[] = []
  const log = (event: string) => void events.push(event)
  return { events, debug: log, info: log, warn: log, error: log }
}

const sockets = (): number => process.getActiveResourcesInfo().filter((name) => /TCP|Pipe|FSReq/.test(name)).length
const openFiles = (): number | null => {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return null // not Linux
  }
}

describe('a broker in memory', () => {
  it('is ready when started, keeps records, and is gone with the block that used it', async () => {
    let address: { readonly host: string; readonly port: number }
    {
      await using broker = await createBroker().start()
      address = broker.address()
      expect(address).toEqual({ host: '127.0.0.1', port: expect.any(Number) })
      const client = await connect(broker)
      await makeTopic(client, 't')
      expect(await put(client, 't', 'a', 'b')).toBe(0n)
      expect(await put(client, 't', 'c')).toBe(2n)
      expect(await valuesOf(client, 't')).toEqual(['a', 'b', 'c'])
    }
    await expect(connectTo(address)).rejects.toThrow('ECONNREFUSED')
  })

  it('registers the port that it got where any would do', async () => {
    const folder = dataFolder()
    await using broker = await createBroker({ 'log.dirs': folder }).start()
    const port = Buffer.alloc(2)
    port.writeUInt16BE(broker.address().port)
    const log = readFileSync(join(folder, '__cluster_metadata-0/00000000000000000000.log'))
    // As the record has it: the host with its length, then the port.
    expect(log.includes(Buffer.concat([Buffer.from('\n127.0.0.1'), port]))).toBe(true)
  })

  it('does not notice another one in the same process', async () => {
    await using one = await createBroker().start()
    await using other = await createBroker().start()
    const clientOfOne = await connect(one)
    const clientOfOther = await connect(other)
    const ids = [await makeTopic(clientOfOne, 'same'), await makeTopic(clientOfOther, 'same')]
    expect(ids[0]).not.toBe(ids[1])
    await put(clientOfOne, 'same', 'to one')
    await put(clientOfOther, 'same', 'to the other', 'twice')
    expect(await valuesOf(clientOfOne, 'same')).toEqual(['to one'])
    expect(await valuesOf(clientOfOther, 'same')).toEqual(['to the other', 'twice'])
    await one.close()
    expect(await put(clientOfOther, 'same', 'still')).toBe(2n)
  })

  it('refuses a wrong configuration at once, by name', () => {
    expect(() => createBroker({ 'num.partitions': 'few' })).toThrow(ConfigError)
    expect(() => createBroker({ 'num.partitions': 'few' })).toThrow(/few.*num\.partitions/)
  })
})

describe('a broker over a directory', () => {
  it('keeps its records from one broker to the next', async () => {
    const config = { 'log.dirs': dataFolder() }
    {
      await using broker = await createBroker(config).start()
      const client = await connect(broker)
      await makeTopic(client, 't')
      await put(client, 't', 'kept')
    }
    await using broker = await createBroker(config).start()
    const client = await connect(broker)
    expect(await valuesOf(client, 't')).toEqual(['kept'])
    expect(await put(client, 't', 'more')).toBe(1n)
  })

  it('keeps a second one from the same directory, and is not disturbed', async () => {
    const config = { 'log.dirs': dataFolder() }
    await using broker = await createBroker(config).start()
    await expect(createBroker(config).start()).rejects.toThrow(config['log.dirs'])
    const client = await connect(broker)
    await makeTopic(client, 't')
  })

  it('lets two brokers have a directory each', async () => {
    await using one = await createBroker({ 'log.dirs': dataFolder() }).start()
    await using other = await createBroker({ 'log.dirs': dataFolder() }).start()
    const [a, b] = [await connect(one), await connect(other)]
    await makeTopic(a, 'same')
    await makeTopic(b, 'same')
    await put(a, 'same', 'x')
    expect(await valuesOf(b, 'same')).toEqual([])
  })
})

describe.each([
  ['memory', () => ({})],
  ['a directory', () => ({ 'log.dirs': dataFolder() })],
] as const)('closing, over %s', (_, config) => {
  it('leaves no handle, timer, file or log line, whatever was under way', async () => {
    const timers = countedTimers()
    const logger = recordingLogger()
    const run = async (): Promise<number> => {
      const broker = await createBroker(config(), { timers, logger }).start()
      const idle = await connectTo(broker.address())
      const client = await connectTo(broker.address())
      const topicId = await makeTopic(client, 't')
      const parked = fetchFrom(idle, topicId, 0, 0n, { maxWaitMs: 60_000 })
      await put(client, 't', 'a')
      await parked
      const parkedStill = fetchFrom(idle, topicId, 0, 1n, { maxWaitMs: 60_000 })
      await valuesOf(client, 't')
      const begun = performance.now()
      await broker.close()
      const took = performance.now() - begun
      expect((await parkedStill).responses[0]!.partitions[0]!.errorCode).toBe(0)
      idle.close()
      client.close()
      return took
    }
    await run()
    await settledSockets()
    const before = { sockets: sockets(), files: openFiles() }
    expect(await run()).toBeLessThan(1_000)
    await settledSockets()
    expect({ sockets: sockets(), files: openFiles() }).toEqual(before)
    expect(timers.pending.size).toBe(0)
    const { length } = logger.events
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(logger.events.slice(length)).toEqual([])
  })

  it('leaks nothing over twenty lives', async () => {
    const life = async (): Promise<void> => {
      await using broker = await createBroker(config()).start()
      const client = await connectTo(broker.address())
      await makeTopic(client, 't')
      await put(client, 't', 'a')
      client.close()
    }
    await life()
    await settledSockets()
    const before = { sockets: sockets(), files: openFiles() }
    for (let i = 0; i < 20; i++) await life()
    await settledSockets()
    expect({ sockets: sockets(), files: openFiles() }).toEqual(before)
  })

  it('may come before the start, during it, and twice', async () => {
    const settings = config()
    const never = createBroker(settings)
    await never.close()
    await expect(never.start()).rejects.toThrow('closed')

    const hasty = createBroker(settings)
    const starting = hasty.start()
    await Promise.all([hasty.close(), hasty.close(), starting.catch(() => undefined)])
    await expect(hasty.start()).rejects.toThrow('closed')
    expect(() => hasty.address()).toThrow('closed')

    await using next = await createBroker(settings).start()
    await expect(next.start()).rejects.toThrow('started')
  })

  it('is not needed after a start that fails: the port is taken, the rest is given back', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as net.AddressInfo
    const settings = config()
    const timers = countedTimers()
    const before = openFiles()
    const broker = createBroker({ ...settings, listeners: `PLAINTEXT://127.0.0.1:${port}` }, { timers })
    await expect(broker.start()).rejects.toThrow(String(port))
    expect(timers.pending.size).toBe(0)
    expect(openFiles()).toBe(before)
    await broker.close()
    await new Promise((resolve) => taken.close(resolve))
    await using next = await createBroker(settings).start()
    await makeTopic(await connect(next), 't')
  })
})

describe('a start that fails', () => {
  it('gives its reason and the directory back, whichever part it is that fails', async () => {
    const settings = { 'log.dirs': dataFolder() }
    const metadata = new MemoryMetadataRepository(
      { uuid: () => 'x', integer: () => 0 },
      { nodeId: 1, endPoints: () => [], rack: null, minInsyncReplicas: 1 },
    )
    metadata.start = () => Promise.reject(new Error('no metadata today'))
    await expect(createBroker(settings, { metadata }).start()).rejects.toThrow('no metadata today')
    await using next = await createBroker(settings).start()
    await makeTopic(await connect(next), 't')
  })

  it('gives its own reason also when closing what had started fails too', async () => {
    const logStore = new MemoryLogStore({ integer: () => 0 })
    logStore.close = () => Promise.reject(new Error('closing failed too'))
    const metadata = new MemoryMetadataRepository(
      { uuid: () => 'x', integer: () => 0 },
      { nodeId: 1, endPoints: () => [], rack: null, minInsyncReplicas: 1 },
    )
    metadata.start = () => Promise.reject(new Error('no metadata today'))
    const logger = recordingLogger()
    await expect(createBroker({}, { logStore, metadata, logger }).start()).rejects.toThrow('no metadata today')
    expect(logger.events).toEqual(['closing failed'])
  })
})

/** Sockets of either side close in turns of the event loop after `close` and `destroy` have returned. */
async function settledSockets(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}
