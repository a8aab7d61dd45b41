import { afterEach, describe, expect, it } from '@jest/globals'
import net from 'node:net'
import { copyInto, readInto, type ReadSink } from '../../../src/adapters/wire/socket-reader.ts'
import { turns, until } from '../../support/tcp.ts'

/** Collects what arrives in buffers of an odd size, and stops when the test says so. */
class CollectingSink implements ReadSink {
  readonly arrived: Buffer[] = []
  stopAfterBytes = Infinity
  #target = Buffer.alloc(0)
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  target(): Uint8Array {
    this.#target = Buffer.alloc(7001)
    return this.#target
  }

  filled(count: number): boolean {
    this.arrived.push(this.#target.subarray(0, count))
    this.#bytes += count
    return this.#bytes < this.stopAfterBytes
  }
}

const toClose: { destroy(): void }[] = []

afterEach(() => {
  for (const one of toClose.splice(0)) one.destroy()
})

async function connected(take: typeof readInto, sink: ReadSink): Promise<{ server: net.Socket; client: net.Socket }> {
  const listening = net.createServer({ pauseOnConnect: true, allowHalfOpen: true })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<net.Socket>((resolve) => listening.once('connection', resolve))
  const client = net.connect((listening.address() as net.AddressInfo).port, '127.0.0.1')
  const server = take(await accepted, sink)
  toClose.push(client, server)
  listening.close()
  return { server, client }
}

describe.each([
  ['into our own buffers', readInto],
  ['through data events', copyInto],
])('reading %s', (_, take) => {
  it('brings every byte in order, and the end', async () => {
    const sink = new CollectingSink()
    const { server, client } = await connected(take, sink)
    let ended = false
    server.on('end', () => (ended = true))
    const sent = Buffer.alloc(300_000, 'some bytes that repeat every 47 of them, not 2^n')
    client.write(sent)
    await turns()
    expect(sink.bytes).toBe(0)
    server.resume()
    await until(() => sink.bytes === sent.length)
    expect(Buffer.concat(sink.arrived).equals(sent)).toBe(true)
    client.end()
    await until(() => ended)
    expect(server.writable).toBe(true)
  })

  it('pauses when the sink has had enough, and goes on when it is resumed', async () => {
    const sink = new CollectingSink()
    sink.stopAfterBytes = 50_000
    const { server, client } = await connected(take, sink)
    server.resume()
    client.write(Buffer.alloc(10_000_000, 1))
    await until(() => sink.bytes >= 50_000)
    await turns(50)
    const stoppedAt = sink.bytes
    expect(stoppedAt).toBeLessThan(50_000 + 2 * 65_536)
    await turns(50)
    expect(sink.bytes).toBe(stoppedAt)
    sink.stopAfterBytes = Infinity
    server.resume()
    await until(() => sink.bytes === 10_000_000)
  })

  it('writes on the same socket', async () => {
    const { server, client } = await connected(take, new CollectingSink())
    let received = ''
    client.on('data', (data) => (received += data.toString()))
    server.write('hello')
    await until(() => received === 'hello')
  })
})
