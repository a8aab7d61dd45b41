import { afterEach, describe, expect, it } from '@jest/globals'
import net from 'node:net'
import process from 'node:process'
import type { InboundFrame } from '../../../src/adapters/wire/framer.ts'
import { NO_RESPONSE, type ConnectionInfo } from '../../../src/adapters/wire/handler.ts'
import type { AfterSent, Reply, RequestResponder } from '../../../src/adapters/wire/reply.ts'
import { defaultConnectionLimits } from '../../../src/adapters/wire/tcp-server.ts'
import {
  requestFrame,
  responseChunks,
  startServer,
  TestClient,
  turns,
  until,
  type RunningServer,
} from '../../support/tcp.ts'

/** Answers when the test says so. */
class HeldResponder implements RequestResponder {
  readonly asked: { id: number; bytes: number; connection: ConnectionInfo; answer: (reply: Reply) => void }[] = []

  respond(frame: InboundFrame, connection: ConnectionInfo): Promise<Reply> {
    return new Promise((answer) => {
      this.asked.push({ id: frame.bytes.readInt32BE(4), bytes: frame.bytes.length, connection, answer })
    })
  }

  answer(index: number, reply: Reply = responseChunks(this.asked[index]!.id)): void {
    this.asked[index]!.answer(reply)
  }
}

/** Answers at once, by a rule. */
function answering(rule: (id: number, afterSent: AfterSent, frame: InboundFrame) => Reply): RequestResponder {
  return { respond: (frame, _, afterSent) => rule(frame.bytes.readInt32BE(4), afterSent, frame) }
}

const echo = answering((id) => responseChunks(id))
const ids = (frames: readonly Buffer[]) => frames.map((frame) => frame.readInt32BE(0))

let running: RunningServer | null = null

async function serve(...args: Parameters<typeof startServer>): Promise<RunningServer> {
  running = await startServer(...args)
  return running
}

afterEach(async () => {
  await running?.stop()
  running = null
})

describe('pipelining', () => {
  it('starts requests at once and answers them in their order', async () => {
    const responder = new HeldResponder()
    const { connect } = await serve(responder)
    const client = await connect()
    client.write(Buffer.concat([1, 2, 3, 4].map((id) => requestFrame(id, 100))))
    await until(() => responder.asked.length === 4)
    responder.answer(2)
    responder.answer(3, NO_RESPONSE)
    responder.answer(1)
    await turns()
    expect(client.frames).toEqual([])
    responder.answer(0)
    expect(ids(await client.receive(3))).toEqual([1, 2, 3])
    client.write(requestFrame(5))
    await until(() => responder.asked.length === 5)
    responder.answer(4)
    expect(ids(await client.receive(4))).toEqual([1, 2, 3, 5])
  })

  it('calls the responder in the order of the requests, however the bytes come', async () => {
    const seen: number[] = []
    const { connect } = await serve(
      answering((id) => {
        seen.push(id)
        return responseChunks(id)
      }),
    )
    const client = await connect()
    const stream = Buffer.concat(Array.from({ length: 300 }, (_, id) => requestFrame(id, 8 + ((id * 997) % 9000))))
    for (let at = 0; at < stream.length; at += 70_001) {
      client.write(stream.subarray(at, at + 70_001))
      await turns(1)
    }
    expect(ids(await client.receive(300))).toEqual(Array.from({ length: 300 }, (_, id) => id))
    expect(seen).toEqual(Array.from({ length: 300 }, (_, id) => id))
  })

  it('puts a request together that comes byte by byte', async () => {
    const { connect } = await serve(echo)
    const client = await connect()
    for (const byte of requestFrame(7, 60)) {
      client.write(Buffer.from([byte]))
      await turns(1)
    }
    expect(ids(await client.receive(1))).toEqual([7])
  })

  it('takes no more requests than the bound, pauses the socket, and goes on when there is room', async () => {
    const responder = new HeldResponder()
    const { connect } = await serve(responder, {
      connectionLimits: { ...defaultConnectionLimits, inFlightRequestsMax: 3 },
    })
    const client = await connect()
    const many = Array.from({ length: 200 }, (_, id) => requestFrame(id, 50_000))
    client.write(Buffer.concat(many))
    await turns(200)
    expect(responder.asked.length).toBe(3)
    expect(client.socket.writableLength).toBeGreaterThan(0)
    for (let index = 0; index < 200; index += 1) {
      await until(() => responder.asked.length > index)
      expect(responder.asked.length).toBeLessThanOrEqual(index + 3)
      responder.answer(index)
    }
    expect(ids(await client.receive(200))).toEqual(Array.from({ length: 200 }, (_, id) => id))
  })

  it('bounds the bytes of requests under way, and holds at most one block of more input', async () => {
    const responder = new HeldResponder()
    const { connect, pool } = await serve(responder, {
      connectionLimits: { ...defaultConnectionLimits, inFlightBytesMax: 1_000_000 },
    })
    const before = process.memoryUsage().arrayBuffers
    const client = await connect()
    const frame = requestFrame(1, 400_000)
    for (let index = 0; index < 50; index += 1) client.write(frame)
    await turns(200)
    expect(responder.asked.length).toBe(3)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(6_000_000)
    for (let index = 0; index < 50; index += 1) {
      await until(() => responder.asked.length > index)
      responder.answer(index)
    }
    await client.receive(50)
    expect(pool.idleBytes).toBeGreaterThan(0)
  })

  it('bounds the bytes of all requests under way, but lets each connection have one', async () => {
    const responder = new HeldResponder()
    const { connect } = await serve(responder, { queuedRequestBytesMax: 100_000 })
    const clients = [await connect(), await connect(), await connect()]
    for (const [index, client] of clients.entries()) {
      client.write(Buffer.concat([1, 2, 3].map((id) => requestFrame(10 * index + id, 60_000))))
    }
    await turns(100)
    // The first has one or two under way, the others one each.
    const [first] = responder.asked
    expect(responder.asked.length).toBeLessThanOrEqual(4)
    expect(new Set(responder.asked.map(({ connection }) => connection.id)).size).toBe(3)
    expect(first).toBeDefined()
    for (let index = 0; index < 9; index += 1) {
      await until(() => responder.asked.length > index)
      responder.answer(index)
    }
    for (const [index, client] of clients.entries()) {
      expect(ids(await client.receive(3))).toEqual([1, 2, 3].map((id) => 10 * index + id))
    }
  })
})

describe('slow readers', () => {
  it('stops reading requests while responses pile up, and sends everything in the end', async () => {
    let asked = 0
    const { connect, server } = await serve(
      answering((id) => {
        asked += 1
        return responseChunks(id, 500_000)
      }),
    )
    const slow = await connect()
    slow.socket.pause()
    for (let id = 0; id < 100; id += 1) slow.write(requestFrame(id, 100))
    await turns(200)
    expect(asked).toBeLessThan(100)
    const other = await connect()
    other.write(requestFrame(1))
    await other.receive(1)
    expect(server.connectionCount).toBe(2)
    slow.socket.resume()
    const frames = await slow.receive(100)
    expect(ids(frames)).toEqual(Array.from({ length: 100 }, (_, id) => id))
    expect(frames.every((frame, id) => frame.length === 500_000 && frame[499_999] === id)).toBe(true)
  })

  it('sends many small chunks as they are', async () => {
    const { connect } = await serve(
      answering((id) => {
        const pieces = [1, 2000, 3, 0, 4, 5, 1500, 1]
        const total = pieces.reduce((sum, size) => sum + size, 0)
        const head = Buffer.alloc(8)
        head.writeInt32BE(4 + total)
        head.writeInt32BE(id, 4)
        return [head, ...pieces.map((size, index) => Buffer.alloc(size, index))]
      }),
    )
    const client = await connect()
    client.write(Buffer.concat([requestFrame(1), requestFrame(2)]))
    const frames = await client.receive(2)
    const body = Buffer.concat([1, 2000, 3, 0, 4, 5, 1500, 1].map((size, index) => Buffer.alloc(size, index)))
    expect(ids(frames)).toEqual([1, 2])
    for (const frame of frames) expect(frame.subarray(4).equals(body)).toBe(true)
  })
})

describe('afterSent', () => {
  it('runs once for each response, after it has left', async () => {
    const runs = new Map<number, number>()
    const { connect } = await serve(
      answering((id, afterSent) => {
        afterSent(() => runs.set(id, (runs.get(id) ?? 0) + 1))
        return id === 2 ? NO_RESPONSE : responseChunks(id, 100_000)
      }),
    )
    const client = await connect()
    client.write(Buffer.concat([1, 2, 3].map((id) => requestFrame(id))))
    await client.receive(2)
    await until(() => runs.size === 3)
    expect([...runs]).toEqual(expect.arrayContaining([[1, 1], [2, 1], [3, 1]])) // prettier-ignore
  })

  it('runs once when the client has gone: sent, unsent, unanswered, and registered too late', async () => {
    const runs: string[] = []
    const late: ((reply: Reply) => void)[] = []
    const { connect, server } = await serve({
      respond: (frame, _, afterSent) => {
        const id = frame.bytes.readInt32BE(4)
        afterSent(() => runs.push(`${id}`))
        if (id < 3) return responseChunks(id, 3_000_000)
        return new Promise<Reply>((answer) => {
          late.push((reply) => {
            answer(reply)
            afterSent(() => runs.push(`${id} late`))
          })
        })
      },
    })
    const client = await connect()
    client.socket.pause()
    client.write(Buffer.concat([5, 1, 2].map((id) => requestFrame(id))))
    await until(() => late.length === 1)
    client.socket.resetAndDestroy()
    // The socket of a connection that is not read from notices when it is written to.
    late[0]!(responseChunks(5, 3_000_000))
    await until(() => server.connectionCount === 0)
    await turns()
    expect([...new Set(runs)].sort()).toEqual([...runs].sort())
    expect(runs).toContain('5')
    expect(runs).toContain('5 late')
  })

  it('goes on when one of them throws, and says so', async () => {
    const { connect, log } = await serve(
      answering((id, afterSent) => {
        afterSent(() => {
          throw new Error('clumsy')
        })
        return responseChunks(id)
      }),
    )
    const client = await connect()
    client.write(Buffer.concat([requestFrame(1), requestFrame(2)]))
    expect(ids(await client.receive(2))).toEqual([1, 2])
    await until(() => log.loud.length === 2)
    expect(log.loud[0]!.event).toBe('clean-up after a response failed')
  })
})

describe('closing', () => {
  it('answers what was asked before a request that closes the connection', async () => {
    const responder = new HeldResponder()
    const { connect, log } = await serve(responder)
    const client = await connect()
    client.write(Buffer.concat([1, 2, 3].map((id) => requestFrame(id))))
    await until(() => responder.asked.length === 3)
    responder.answer(1, { close: 'nobody serves this' })
    responder.answer(2)
    await turns()
    expect(client.ending).toBeNull()
    responder.answer(0)
    expect(await client.ended()).toBe('fin')
    expect(ids(client.frames)).toEqual([1])
    expect(log.loud).toEqual([
      {
        level: 'warn',
        event: 'connection closed',
        fields: expect.objectContaining({ reason: 'nobody serves this', client: '/127.0.0.1', listener: 'PLAINTEXT' }),
      },
    ])
  })

  it.each([
    ['a negative size', Buffer.from('ffffffff0000', 'hex'), 'negative'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'HTTP'],
    ['a size above the limit', Buffer.from('06400001', 'hex'), 'socket.request.max.bytes'],
  ])('closes a connection that sends %s, after what came before it', async (_, garbage, reason) => {
    const { connect, log, server } = await serve(echo)
    const client = await connect()
    client.write(Buffer.concat([requestFrame(1), garbage]))
    expect(await client.ended()).toBe('fin')
    expect(ids(client.frames)).toEqual([1])
    expect(log.loud.length).toBe(1)
    expect(String(log.loud[0]!.fields['reason'])).toContain(reason)
    await until(() => server.connectionCount === 0)
  })

  it('keeps a connection that claims the largest request and sends nothing, at no cost', async () => {
    const { connect, server, pool } = await serve(echo)
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect()))
    for (const client of clients) client.write(Buffer.from('06400000', 'hex'))
    await turns(50)
    expect(server.connectionCount).toBe(20)
    expect(pool.inUseBytes).toBeLessThan(20 * 50_000)
  })

  it('sends a client that half-closes what it is owed, and then closes quietly', async () => {
    const responder = new HeldResponder()
    const { connect, log, server } = await serve(responder)
    const client = await connect()
    client.write(Buffer.concat([requestFrame(1), requestFrame(2), requestFrame(3, 50).subarray(0, 20)]))
    client.socket.end()
    await until(() => responder.asked.length === 2)
    await turns()
    responder.answer(1)
    responder.answer(0)
    expect(ids(await client.receive(2))).toEqual([1, 2])
    expect(await client.ended()).toBe('fin')
    await until(() => server.connectionCount === 0)
    expect(log.loud).toEqual([])
  })

  it('is quiet about resets', async () => {
    const { connect, log, server } = await serve(echo)
    const client = await connect()
    client.write(requestFrame(1))
    await client.receive(1)
    client.socket.resetAndDestroy()
    await until(() => server.connectionCount === 0)
    expect(log.loud).toEqual([])
  })
})

describe('limits on connections', () => {
  it('closes connections that were idle for connections.max.idle.ms, with one timer for all', async () => {
    const { connect, time, server } = await serve(echo, { connectionsMaxIdleMs: 8000 })
    expect(time.pending).toBe(0)
    const [idle, busy] = [await connect(), await connect()]
    await until(() => server.connectionCount === 2)
    expect(time.pending).toBe(1)
    for (let second = 1; second <= 8; second += 1) {
      time.advance(1000)
      busy.write(requestFrame(second))
      await busy.receive(second)
    }
    expect(idle.ending).toBeNull()
    time.advance(1000)
    expect(await idle.ended()).toBe('fin')
    expect(busy.ending).toBeNull()
    time.advance(10_000)
    expect(await busy.ended()).toBe('fin')
    await until(() => server.connectionCount === 0)
    expect(time.pending).toBe(0)
  })

  it('lets clients above max.connections wait for a place', async () => {
    const { connect, server } = await serve(echo, { maxConnections: 2 })
    const clients = [await connect(), await connect()]
    await until(() => server.connectionCount === 2)
    const third = await connect()
    third.write(requestFrame(3))
    await turns(50)
    expect(third.frames).toEqual([])
    clients[0]!.socket.destroy()
    expect(ids(await third.receive(1))).toEqual([3])
    expect(server.connectionCount).toBe(2)
  })

  it('refuses clients above max.connections.per.ip, with overrides', async () => {
    const { connect, server, log } = await serve(echo, {
      maxConnectionsPerIp: 1,
      maxConnectionsPerIpOverrides: new Map([['127.0.0.3', 2]]),
    })
    await connect()
    await connect({ localAddress: '127.0.0.2' })
    await connect({ localAddress: '127.0.0.3' })
    await connect({ localAddress: '127.0.0.3' })
    await until(() => server.connectionCount === 4)
    const [again, andAgain] = [await connect(), await connect({ localAddress: '127.0.0.3' })]
    await again.ended()
    await andAgain.ended()
    expect(server.connectionCount).toBe(4)
    expect(log.loud.map(({ fields }) => fields['client'])).toEqual(['/127.0.0.1', '/127.0.0.3'])
  })

  it('holds a thousand idle connections', async () => {
    const { connect, server, time } = await serve(echo, { socketListenBacklogSize: 1000 })
    const clients = await Promise.all(Array.from({ length: 1000 }, () => connect()))
    await until(() => server.connectionCount === 1000)
    expect(time.pending).toBe(1)
    for (const [id, client] of clients.entries()) if (id % 100 === 0) client.write(requestFrame(id))
    for (const [id, client] of clients.entries()) {
      if (id % 100 === 0) expect(ids(await client.receive(1))).toEqual([id])
    }
  })
})

describe('listeners', () => {
  it('serves localhost and all addresses in both families, and knows what the client dialled', async () => {
    const responder = new HeldResponder()
    const { server, port } = await serve(responder, {
      listeners: [
        { name: 'LOCAL', host: 'localhost', port: 0 },
        { name: 'ALL', host: '', port: 0 },
      ],
    })
    const [local, all] = server.listeners
    expect(local!.port).toBe(port)
    expect(all!.port).not.toBe(port)
    const hosts = all!.addresses.includes('::') ? ['127.0.0.1', '::1'] : ['127.0.0.1']
    for (const host of hosts) {
      const client = net.connect(all!.port, host)
      client.write(requestFrame(1))
      const count = responder.asked.length + 1
      await until(() => responder.asked.length === count)
      const { connection } = responder.asked[count - 1]!
      expect(connection).toMatchObject({
        listener: 'ALL',
        localAddress: host,
        localPort: all!.port,
        clientHost: `/${host}`,
        principal: 'User:ANONYMOUS',
      })
      client.destroy()
    }
    const client = net.connect(local!.port, 'localhost')
    client.write(requestFrame(1))
    await until(() => responder.asked.length === hosts.length + 1)
    client.destroy()
  })

  it('says which listener cannot have its port, and leaves nothing open', async () => {
    const { port } = await serve(echo)
    const start = startServer(echo, {
      listeners: [
        { name: 'FIRST', host: '127.0.0.1', port: 0 },
        { name: 'SECOND', host: '127.0.0.1', port },
      ],
    })
    await expect(start).rejects.toThrow(`listener SECOND cannot use 127.0.0.1:${port}: another process`)
  })

  it('takes its ports before it can answer: who connects then is answered once it has started', async () => {
    let begin: () => void = () => undefined
    const begun = new Promise<void>((resolve) => (begin = resolve))
    let early: TestClient | null = null
    running = await startServer(echo, {}, undefined, async (bound) => {
      early = new TestClient(net.connect({ host: '127.0.0.1', port: bound[0]!.port, allowHalfOpen: true }))
      await early.connected
      early.write(requestFrame(1))
      await turns()
      expect(early.frames).toEqual([])
      begin()
    })
    await begun
    expect(ids(await early!.receive(1))).toEqual([1])
    early!.socket.destroy()
  })

  it('rejects a host that does not exist', async () => {
    const start = startServer(echo, { listeners: [{ name: 'X', host: 'no-such-host.invalid', port: 0 }] })
    await expect(start).rejects.toThrow('listener X: the host no-such-host.invalid cannot be resolved')
  })

  it('runs beside another server without noticing it', async () => {
    const first = await serve(answering((id) => responseChunks(id + 100)))
    const second = await startServer(answering((id) => responseChunks(id + 200)))
    const [one, two] = [await first.connect(), await second.connect()]
    one.write(requestFrame(1))
    two.write(requestFrame(1))
    expect(ids(await one.receive(1))).toEqual([101])
    expect(ids(await two.receive(1))).toEqual([201])
    await second.stop()
    one.write(requestFrame(2))
    expect(ids(await one.receive(2))).toEqual([101, 102])
  })
})

describe('stop', () => {
  const resources = () => process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name))

  it('answers what is under way, refuses what is new, and leaves nothing behind', async () => {
    const before = resources()
    const responder = new HeldResponder()
    const { connect, server, time, port } = await serve(responder)
    const [asking, idle] = [await connect(), await connect()]
    asking.write(Buffer.concat([requestFrame(1), requestFrame(2)]))
    await until(() => responder.asked.length === 2)
    const stopped = server.stop(5000)
    expect(await idle.ended()).toBe('fin')
    const refused = net.connect(port, '127.0.0.1')
    await new Promise((resolve) => refused.once('error', resolve))
    asking.write(requestFrame(3))
    await turns()
    expect(responder.asked.length).toBe(2)
    responder.answer(1)
    responder.answer(0, responseChunks(1, 2_000_000))
    expect(ids(await asking.receive(2))).toEqual([1, 2])
    expect(await asking.ended()).toBe('fin')
    // One client hangs up, the other has to be left.
    asking.socket.end()
    await until(() => server.connectionCount === 1)
    time.advance(200)
    await stopped
    idle.socket.destroy()
    expect(server.connectionCount).toBe(0)
    expect(time.pending).toBe(0)
    await until(() => resources().length <= before.length)
  })

  it('drops what is not done by the deadline', async () => {
    const responder = new HeldResponder()
    const { connect, server, time } = await serve(responder)
    const client = await connect()
    client.write(requestFrame(1))
    await until(() => responder.asked.length === 1)
    const stopped = server.stop(5000)
    await turns()
    expect(client.ending).toBeNull()
    time.advance(5000)
    await stopped
    await client.ended()
    expect(time.pending).toBe(0)
    responder.answer(0)
    await turns()
  })

  it('may come before the start, twice, and with clients that wait for a place', async () => {
    const { connect, server } = await serve(echo, { maxConnections: 1 })
    await connect()
    await until(() => server.connectionCount === 1)
    const waiting = await connect()
    await turns()
    await server.stop(0)
    await waiting.ended()
    await server.stop(0)
    expect(server.connectionCount).toBe(0)
  })
})
