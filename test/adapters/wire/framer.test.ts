import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { FramePool } from '../../../src/adapters/wire/frame-pool.ts'
import { Framer, type InboundFrame } from '../../../src/adapters/wire/framer.ts'

const megabyte = 1024 * 1024

function framed(body: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

function makeFramer(overrides: { frameBytesMax?: number; scratchBytes?: number } = {}) {
  const pool = new FramePool(16 * megabyte)
  const scratch = Buffer.alloc(overrides.scratchBytes ?? 65_536)
  const framer = new Framer({ pool, scratch, frameBytesMax: overrides.frameBytesMax ?? 100 * megabyte })
  return { pool, scratch, framer }
}

/** Reads as a kernel would: as much as the target takes and a read brings. */
function feed(framer: Framer, stream: Uint8Array, readSizes: readonly number[], onRead: () => void = () => undefined) {
  let turn = 0
  for (let at = 0; at < stream.length; turn += 1) {
    const target = framer.target()
    expect(target.length).toBeGreaterThan(0)
    const count = Math.min(target.length, stream.length - at, readSizes[turn % readSizes.length]!)
    target.set(stream.subarray(at, at + count))
    framer.filled(count)
    at += count
    onRead()
  }
}

function takeAll(framer: Framer): InboundFrame[] {
  const frames: InboundFrame[] = []
  for (let frame = framer.next(); frame !== null; frame = framer.next()) frames.push(frame)
  return frames
}

/** A body that says where it came from, so that memory that was reused too early shows. */
function body(index: number, length: number): Buffer {
  const bytes = Buffer.alloc(length, index + 1)
  bytes.writeInt32BE(index)
  return bytes
}

describe('Framer', () => {
  it('gives the same frames for any frames in any chunks', () => {
    const sizes = fc.array(
      fc.oneof(
        fc.integer({ min: 8, max: 40 }),
        fc.integer({ min: 8, max: 6000 }),
        fc.integer({ min: 8, max: 300_000 }),
      ),
      { minLength: 1, maxLength: 12 },
    )
    const reads = fc.array(
      fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 200_000 })),
      { minLength: 1, maxLength: 8 },
    )
    fc.assert(
      fc.property(sizes, reads, fc.boolean(), (bodySizes, readSizes, hold) => {
        const { framer, pool, scratch } = makeFramer({ scratchBytes: 4096 })
        const bodies = bodySizes.map((size, index) => body(index, size))
        const kept: InboundFrame[] = []
        const seen: Buffer[] = []
        feed(
          framer,
          Buffer.concat(bodies.map(framed)),
          readSizes.map((size) => Math.max(size, 200)),
          () => {
            scratch.fill(0xee, 0, framer.midFrame ? 0 : scratch.length)
            for (const frame of takeAll(framer)) {
              if (hold) kept.push(frame)
              else {
                seen.push(Buffer.from(frame.bytes))
                frame.lease.release()
              }
            }
          },
        )
        for (const frame of kept) {
          seen.push(Buffer.from(frame.bytes))
          frame.lease.release()
        }
        expect(seen.length).toBe(bodies.length)
        for (const [index, bytes] of seen.entries()) expect(bytes.equals(bodies[index]!)).toBe(true)
        expect(framer.midFrame).toBe(false)
        expect(framer.target()).toBe(scratch)
        // Everything was given back: no class holds less than what was released into it.
        expect(() => framer.close()).not.toThrow()
        expect(pool.idleBytes).toBeLessThanOrEqual(16 * megabyte)
      }),
      { numRuns: 150 },
    )
  })

  it('puts a frame together byte by byte', () => {
    const { framer, scratch } = makeFramer()
    const bodies = [body(0, 8), body(1, 300), body(2, 9)]
    feed(framer, Buffer.concat(bodies.map(framed)), [1])
    const frames = takeAll(framer)
    expect(frames.map((frame) => Buffer.from(frame.bytes))).toEqual(bodies)
    expect(framer.target()).toBe(scratch)
  })

  it('lets the kernel write the bulk of a large frame where it stays', () => {
    const { framer, scratch } = makeFramer()
    const stream = framed(body(0, 1_000_000))
    feed(framer, stream.subarray(0, 65_536), [65_536])
    expect(framer.target()).not.toBe(scratch)
    expect(framer.target().length).toBeGreaterThanOrEqual(stream.length - 65_536)
    const { buffer } = framer.target()
    feed(framer, stream.subarray(65_536), [500_000])
    expect(framer.next()!.bytes.buffer).toBe(buffer)
  })

  it('takes memory for what arrived, not for what was claimed', () => {
    const { framer } = makeFramer()
    const header = Buffer.alloc(4)
    header.writeInt32BE(100 * megabyte)
    feed(framer, header, [4])
    expect(framer.partialBytes).toBeLessThanOrEqual(8704)
    let arrived = 4
    while (arrived < 8 * megabyte) {
      const target = framer.target()
      expect(framer.partialBytes).toBeLessThanOrEqual(Math.max(8704, 2 * 16 * arrived))
      const count = Math.min(target.length, 1000)
      framer.filled(count)
      arrived += count
    }
    framer.close()
  })

  it('copies at most a fraction of a very large frame while it grows', () => {
    const { framer } = makeFramer()
    const stream = framed(Buffer.alloc(40 * megabyte, 5))
    let moves = 0
    let memory = 0
    feed(framer, stream, [65_536], () => {
      if (framer.ready || framer.partialBytes === memory) return
      memory = framer.partialBytes
      moves += 1
    })
    expect(moves).toBeLessThanOrEqual(3)
    expect(framer.next()!.bytes.equals(stream.subarray(4))).toBe(true)
  })

  it.each([
    [-1, 'negative'],
    [-2147483648, 'negative'],
    [0, 'too short'],
    [3, 'too short'],
    [1001, 'larger than socket.request.max.bytes (1000)'],
    [0x47455420, 'HTTP'],
    [0x16030102, 'TLS'],
  ])('refuses the size %i before it allocates', (size, reason) => {
    const { framer, scratch } = makeFramer({ frameBytesMax: 1000 })
    const header = Buffer.alloc(6)
    header.writeInt32BE(size)
    feed(framer, header, [6])
    expect(framer.failure).toContain(reason)
    expect(framer.next()).toBeNull()
    expect(framer.target()).toBe(scratch)
  })

  it('gives the frames before a bad size first', () => {
    const { framer } = makeFramer()
    const good = [body(0, 20), body(1, 30)]
    feed(framer, Buffer.concat([...good.map(framed), Buffer.from([255, 255, 255, 255, 1, 2, 3])]), [7])
    expect(framer.failure).toBeNull()
    expect(takeAll(framer).map((frame) => Buffer.from(frame.bytes))).toEqual(good)
    expect(framer.failure).toContain('negative')
  })

  it('gives every block back when it is closed in the middle', () => {
    const { framer, pool } = makeFramer()
    feed(framer, Buffer.concat([framed(body(0, 30_000)), framed(body(1, 20_000)), framed(body(2, 900_000))]), [65_536])
    const first = framer.next()!
    framer.close()
    const before = pool.idleBytes
    first.lease.release()
    expect(pool.idleBytes).toBeGreaterThan(before)
    expect(framer.next()).toBeNull()
  })

  it('does not pin a pooled block for a small frame that is kept', () => {
    const { framer, pool } = makeFramer()
    feed(framer, framed(body(0, 100)), [1000])
    framer.next()!.lease.release()
    expect(pool.idleBytes).toBe(0)
  })
})
