/** Connections that ask too much, too fast, or never to the end; and the order that all of them are promised. */
import net from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { produce } from '../../src/adapters/wire/apis/00-produce.ts'
import { fetch } from '../../src/adapters/wire/apis/01-fetch.ts'
import { apiVersions } from '../../src/adapters/wire/apis/18-api-versions.ts'
import { deleteTopics } from '../../src/adapters/wire/apis/20-delete-topics.ts'
import { TestClient, until } from '../support/tcp.ts'
import { decodeResponse, encodeRequest } from '../support/wire-client.ts'
import { producedBatch } from './support/batches.ts'
import { hostileBroker, type HostileBroker } from './support/hostile-broker.ts'
import { createTopic, fetchRequest, produceRequest, readAll, send } from './support/requests.ts'

const MB = 1024 * 1024
const hello = encodeRequest(apiVersions, 3, { clientSoftwareName: 'x', clientSoftwareVersion: '1' })

let broker: HostileBroker
let sockets: net.Socket[]

beforeEach(async () => {
  sockets = []
  broker = await hostileBroker()
})

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await broker.close()
  expect(broker.uncaught).toEqual([])
})

async function connect(): Promise<net.Socket> {
  const socket = net.connect({ host: broker.host, port: broker.port, noDelay: true })
  sockets.push(socket)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

const external = () => process.memoryUsage().external

describe('memory follows what arrived, not what was claimed', () => {
  it('on 200 connections that announce 100 MB each and send little of it', async () => {
    const before = external()
    for (let count = 0; count < 200; count++) {
      const head = Buffer.alloc(1000)
      head.writeInt32BE(100_000_000)
      ;(await connect()).write(head)
    }
    const client = await broker.connect()
    expect(await createTopic(client, 'well')).toBe(0)
    expect(external() - before).toBeLessThan(30 * MB)
  })

  it('with a request of more items than a broker has any use for', async () => {
    const items = 3_000_000
    const frame = encodeRequest(deleteTopics, 5, { topics: [], topicNames: [], timeoutMs: 1 })
    // the empty list is one byte long and followed by the timeout and the tags
    const list = Buffer.concat([
      Buffer.from([0x81 + (items & 0x7f), 0x80 | ((items >> 7) & 0x7f)]),
      Buffer.from([0x80 | ((items >> 14) & 0x7f), items >> 21]),
    ])
    const request = Buffer.concat([frame.subarray(0, -6), list, Buffer.alloc(items, 1), frame.subarray(-5)])
    request.writeInt32BE(request.length - 4)
    const client = await broker.connect()
    expect(await client.sendRaw(request)).toBeNull()
    expect(broker.log.loud).toMatchObject([
      {
        event: 'connection closed',
        fields: { reason: expect.stringContaining('too many items') as unknown as string },
      },
    ])
  })

  it('with clients that ask for all there is and do not read it', async () => {
    const client = await broker.connect()
    expect(await createTopic(client, 'big')).toBe(0)
    const batch = () => producedBatch({ values: ['x'.repeat(900_000)] })
    for (let count = 0; count < 60; count++) expect(await send(client, 'big', 0, batch())).toBe(BigInt(count))
    const before = external()
    const request = encodeRequest(fetch, 11, fetchRequest('big', 0, 0n, 50 * MB))
    for (let count = 0; count < 15; count++) {
      const socket = await connect()
      socket.pause()
      socket.write(Buffer.concat([request, request]))
    }
    expect(await send(client, 'big', 0, batch())).toBe(60n)
    expect(external() - before).toBeLessThan(100 * MB)
  })
})

describe('order', () => {
  it('of 10,000 pipelined requests that nobody reads is that of their answers', async () => {
    const socket = await connect()
    socket.pause()
    const requests = Array.from({ length: 10_000 }, (_, index) => {
      const request = Buffer.from(hello)
      request.writeInt32BE(index, 8)
      return request
    })
    socket.write(Buffer.concat(requests))
    expect(await createTopic(await broker.connect(), 'well')).toBe(0)
    const client = new TestClient(socket)
    socket.resume()
    const frames = await client.receive(10_000)
    expect(frames.map((frame) => frame.readInt32BE(0))).toEqual(requests.map((_, index) => index))
  })

  it('of what each connection produces is that of the log, with any acks, while partitions open', async () => {
    const setup = await broker.connect()
    expect(await createTopic(setup, 'ordered', 3)).toBe(0)
    const perConnection = 200
    const names = ['a', 'b', 'c', 'd']
    await Promise.all(
      names.map(async (name) => {
        const client = new TestClient(await connect())
        let answered = 0
        const requests = Array.from({ length: perConnection }, (_, index) => {
          const acks = [-1, 1, 0][index % 3]!
          if (acks !== 0) answered += 1
          const records = producedBatch({ values: [`${name} ${index}`] })
          return encodeRequest(produce, 9, produceRequest('ordered', index % 2, records, acks), index)
        })
        client.write(Buffer.concat(requests))
        const frames = await client.receive(answered)
        const ids = frames.map((frame) => frame.readInt32BE(0))
        expect(ids).toEqual([...ids].sort((a, b) => a - b))
        for (const frame of frames) {
          expect(decodeResponse(produce, 9, frame).responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
        }
      }),
    )
    const stored: string[] = []
    for (const partition of [0, 1]) {
      const found = await readAll(setup, 'ordered', partition)
      for (const { value } of found as { value: string }[]) stored.push(value)
    }
    for (const name of names) {
      for (const parity of [0, 1]) {
        const own = stored.filter((value) => value.startsWith(name)).map((value) => Number(value.slice(2)))
        const expected = Array.from({ length: perConnection }, (_, index) => index).filter((i) => i % 2 === parity)
        expect(own.filter((index) => index % 2 === parity)).toEqual(expected)
      }
    }
  })
})

it('connections that come and go by the hundred leave nothing behind', async () => {
  for (let round = 0; round < 20; round++) {
    const some = await Promise.all(Array.from({ length: 15 }, connect))
    some.forEach((socket, index) => {
      if (index % 3 === 0) socket.write(hello)
      if (index % 2 === 0) socket.resetAndDestroy()
      else socket.end()
    })
  }
  const client = await broker.connect()
  expect(await createTopic(client, 'well')).toBe(0)
  await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded || socket.readyState !== 'open'))
  expect(broker.log.loud).toEqual([])
})
