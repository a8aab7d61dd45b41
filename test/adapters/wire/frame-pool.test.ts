import { describe, expect, it } from '@jest/globals'
import { FramePool } from '../../../src/adapters/wire/frame-pool.ts'

const megabyte = 1024 * 1024
/** What the pool takes from the system at a time. */
const chunk = 4 * megabyte * (1 + 1 / 16)

describe('FramePool', () => {
  it('gives at least what was asked for, with headers fitting on top of a power of two', () => {
    const pool = new FramePool(16 * megabyte)
    for (const size of [1, 8192, 8704, 8705, 65_536, 70_000, megabyte, megabyte + 100, 4 * megabyte + 1]) {
      expect(pool.take(size).bytes.length).toBeGreaterThanOrEqual(size)
    }
    expect(pool.take(65_536 + 4096).bytes.length).toBe(69_632)
    expect(pool.take(megabyte + 65_536).bytes.length).toBe(megabyte + 65_536)
    expect(pool.take(8705).bytes.length).toBe(17_408)
    expect(pool.take(100 * megabyte).bytes.length).toBe(100 * megabyte)
  })

  it('reuses memory after the last release, and only then', () => {
    const pool = new FramePool(16 * megabyte)
    const frame = pool.take(50_000)
    const idle = pool.idleBytes
    const { bytes } = frame
    frame.retain()
    frame.release()
    expect(pool.take(50_000).bytes).not.toBe(bytes)
    frame.release()
    expect(pool.idleBytes).toBe(idle)
    expect(pool.take(50_000).bytes).toBe(bytes)
  })

  it('takes its own memory for whatever size is wanted next', () => {
    const pool = new FramePool(chunk)
    const small = Array.from({ length: 64 }, () => pool.take(65_536))
    for (const frame of small) frame.release()
    expect(pool.idleBytes).toBe(chunk)
    const large = pool.take(2 * megabyte)
    expect(pool.idleBytes).toBe(chunk - large.bytes.length)
    expect(large.bytes.buffer).toBe(small[0]!.bytes.buffer)
  })

  it('gives memory of its own past its bound, and keeps nothing of that', () => {
    const pool = new FramePool(chunk)
    const within = pool.take(4 * megabyte)
    const beyond = pool.take(8192)
    beyond.release()
    expect(pool.idleBytes).toBe(0)
    within.release()
    pool.take(50 * megabyte).release()
    expect(pool.idleBytes).toBe(chunk)
  })

  it('forgets what was in use when it was cleared', () => {
    const pool = new FramePool(16 * megabyte)
    const frame = pool.take(100_000)
    pool.clear()
    frame.release()
    expect(pool.idleBytes).toBe(0)
  })

  it('throws at a release too many and at a retain too late', () => {
    const pool = new FramePool(16 * megabyte)
    const frame = pool.take(10)
    frame.release()
    expect(() => frame.release()).toThrow('more often')
    expect(() => frame.retain()).toThrow('after its last release')
    expect(pool.idleBytes).toBe(chunk)
  })
})
