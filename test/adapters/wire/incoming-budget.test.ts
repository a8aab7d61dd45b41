import { afterEach, describe, expect, it } from '@jest/globals'
import { FramePool } from '../../../src/adapters/wire/frame-pool.ts'
import { Framer } from '../../../src/adapters/wire/framer.ts'
import { IncomingBudget } from '../../../src/adapters/wire/incoming-budget.ts'
import type { RequestResponder } from '../../../src/adapters/wire/reply.ts'
import { ManualClock } from '../../../src/adapters/system/manual-clock.ts'
import { requestFrame, responseChunks, startServer, turns, until, type RunningServer } from '../../support/tcp.ts'

const kB = 1024
const MB = 1024 * kB
const echo: RequestResponder = { respond: (frame) => responseChunks(frame.bytes.readInt32BE(4)) }
const ids = (frames: readonly Buffer[]) => frames.map((frame) => frame.readInt32BE(0))

let running: RunningServer | null = null

afterEach(async () => {
  await running?.stop()
  running = null
})

describe('requests that have arrived in part', () => {
  it('hold no more memory than the bound, one whole request and a read for each connection', () => {
    const senders = 200
    const frameBytes = 20 * MB
    const budget = new IncomingBudget(4 * MB, new ManualClock())
    const pool = new FramePool(0)
    const scratch = Buffer.alloc(64 * kB)
    const all = Array.from({ length: senders }, () => {
      const arrival = budget.arrival()
      return { arrival, framer: new Framer({ pool, scratch, frameBytesMax: 100 * MB, mayGrow: arrival.mayGrow }) }
    })
    let started = 0
    let most = 0
    // Everybody sends as much as is read, in turn, until only the oldest one is read from.
    for (let round = 0; round < 40; round++) {
      for (const [index, { arrival, framer }] of all.entries()) {
        if (index < started && !arrival.mayRead(true)) continue
        const target = framer.target()
        if (index === started) {
          scratch.writeInt32BE(frameBytes)
          started++
        }
        const count = Math.min(target.length, 64 * kB)
        framer.filled(count)
        arrival.received(count, framer.partialBytes, framer.ready)
        most = Math.max(
          most,
          all.reduce((sum, one) => sum + one.framer.partialBytes, 0),
        )
      }
    }
    expect(started).toBe(senders)
    expect(most).toBeGreaterThan(4 * MB)
    expect(most).toBeLessThanOrEqual(4 * MB + frameBytes * 1.1 + senders * 128 * kB)
    expect(all.filter(({ arrival }) => arrival.mayRead(true))).toEqual([all[0]])
    for (const { arrival } of all) arrival.end()
  })

  it('all finish in the end, though together they are many times the bound', async () => {
    running = await startServer(echo, { queuedRequestBytesMax: 256 * kB })
    const clients = await Promise.all(Array.from({ length: 30 }, () => running!.connect()))
    const frames = clients.map((_, id) => requestFrame(id, 600 * kB))
    for (const [i, client] of clients.entries()) client.write(frames[i]!.subarray(0, 300 * kB))
    await turns()
    for (const [i, client] of clients.entries()) client.write(frames[i]!.subarray(300 * kB))
    for (const [i, client] of clients.entries()) expect(ids(await client.receive(1))).toEqual([i])
    await until(() => running!.time.pending <= 1)
  })

  it('do not keep small requests waiting, and the one that stalls is closed with one line', async () => {
    running = await startServer(echo, { queuedRequestBytesMax: 256 * kB })
    const { connect, time, log } = running
    const stalled = await connect()
    stalled.write(requestFrame(1, 2 * MB).subarray(0, 1 * MB))
    await turns()
    const large = await connect()
    large.write(requestFrame(2, 1 * MB))
    const small = await connect()
    small.write(requestFrame(3))
    expect(ids(await small.receive(1))).toEqual([3])
    await until(() => time.pending > 1)
    expect(large.frames).toEqual([])
    // What it brought while it was watched counts for it: the first look may find that it is on its way.
    while (stalled.ending === null) {
      time.advance(5000)
      await turns()
    }
    expect(ids(await large.receive(1))).toEqual([2])
    const lines = log.lines.filter(({ event }) => event === 'connection closed')
    expect(lines).toEqual([expect.objectContaining({ level: 'warn' })])
  })
})
