/**
 * Damaged requests over real sockets: what real clients said, with bytes changed, cut, joined and made up. The broker
 * goes on, says one line at most about each connection that it closes, and never calls it a failure of its own.
 */
import net from 'node:net'
import { once } from 'node:events'
import { describe, expect, it } from '@jest/globals'
import { apiVersions } from '../../src/adapters/wire/apis/18-api-versions.ts'
import { goldenFiles, goldenFrames } from '../support/golden-frames.ts'
import { hostileBroker, seeded, seeds, type HostileBroker } from './support/hostile-broker.ts'
import { producedBatch } from './support/batches.ts'
import { createTopic, readAll, send } from './support/requests.ts'

const MB = 1024 * 1024
const CONNECTIONS = 400
const golden = goldenFiles().flatMap((file) => goldenFrames(file).map(({ request }) => request))
const odd = [0, 1, 0x7f, 0x80, 0xff, 0xfe]

type Below = (below: number) => number

/** The bytes of one connection: one to four frames, one of which at least is not what it should be. */
function stream(below: Below): Buffer {
  const frames: Buffer[] = []
  const count = 1 + below(4)
  for (let index = 0; index < count; index++) frames.push(sized(frame(below), below))
  return Buffer.concat(frames)
}

function frame(below: Below): Buffer {
  if (below(10) === 0) return Buffer.from(Array.from({ length: below(200) }, () => below(256)))
  const bytes = Buffer.from(golden[below(golden.length)]!)
  for (let changes = below(6); changes > 0; changes--) {
    const at = below(bytes.length)
    switch (below(4)) {
      case 0:
        bytes[at] = below(256)
        break
      case 1:
        bytes[at] = odd[below(odd.length)]!
        break
      case 2:
        if (at + 4 <= bytes.length) bytes.writeInt32BE([0x7fffffff, -1, -2, 0x7fff, 1 << 24][below(5)]!, at)
        break
      default:
        bytes[at] = bytes[at]! ^ (1 << below(8))
    }
  }
  if (below(8) === 0) return bytes.subarray(0, below(bytes.length))
  if (below(8) === 0) return Buffer.concat([bytes, golden[below(golden.length)]!])
  // another version of the same request, or another request altogether
  if (below(6) === 0) bytes.writeInt16BE(below(20), 2)
  if (below(12) === 0) bytes.writeInt16BE(below(95), 0)
  return bytes
}

function sized(bytes: Buffer, below: Below): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(below(20) === 0 ? [0, -1, 0x7fffffff, bytes.length + 7, 3][below(5)]! : bytes.length)
  return Buffer.concat([size, bytes])
}

/** Sends all of it in pieces, then hangs up in one of the ways in which clients do. */
async function attack({ host, port }: HostileBroker, bytes: Buffer, below: Below): Promise<void> {
  const socket = net.connect({ host, port, noDelay: true })
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  socket.on('data', () => undefined)
  await once(socket, 'connect')
  const cut = below(bytes.length + 1)
  socket.write(bytes.subarray(0, cut))
  await new Promise((resolve) => setImmediate(resolve))
  if (below(3) === 0) socket.resetAndDestroy()
  else if (below(2) === 0) socket.end(bytes.subarray(cut))
  else {
    socket.write(bytes.subarray(cut))
    await Promise.race([closed, once(socket, 'data').catch(() => undefined), turns(10)])
    socket.destroy()
  }
  await Promise.race([closed, turns(50)])
  socket.destroy()
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise((resolve) => setImmediate(resolve))
}

/** One record in, and the same record out. */
async function wellBehaved(client: Awaited<ReturnType<HostileBroker['connect']>>, value: string): Promise<void> {
  const { errorCode } = await client.send(apiVersions, 3, { clientSoftwareName: 'well', clientSoftwareVersion: '1' })
  expect(errorCode).toBe(0)
  const offset = await send(client, 'well', 0, producedBatch({ values: [value] }))
  expect(typeof offset).toBe('bigint')
  expect(await readAll(client, 'well', 0, offset as bigint)).toEqual([{ offset, value }])
}

describe('damaged requests', () => {
  it.each(seeds(2))('harm nobody but their sender (seed %i)', async (seed) => {
    const below = seeded(seed)
    const broker = await hostileBroker({ 'num.partitions': 1 })
    try {
      const client = await broker.connect()
      expect(await createTopic(client, 'well')).toBe(0)
      const before = process.memoryUsage().rss
      for (let done = 0; done < CONNECTIONS; done += 10) {
        await Promise.all(Array.from({ length: 10 }, () => attack(broker, stream(below), below)))
        await wellBehaved(client, `after ${done}`)
      }
      expect(broker.uncaught).toEqual([])
      expect(broker.log.lines.filter(({ level }) => level === 'error')).toEqual([])
      const lines = new Map<unknown, number>()
      for (const { fields } of broker.log.loud) {
        lines.set(fields['connection'], (lines.get(fields['connection']) ?? 0) + 1)
      }
      expect([...lines].filter(([, count]) => count > 1)).toEqual([])
      expect(process.memoryUsage().rss - before).toBeLessThan(300 * MB)
    } finally {
      await broker.close()
    }
  })
})
