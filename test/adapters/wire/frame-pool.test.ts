import { describe, expect, it } from '@jest/globals'
import { FramePool } from '../../../src/adapters/wire/frame-pool.ts'

const megabyte = 1024 * 1024

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
    const { bytes } = frame
    frame.retain()
    frame.release()
    expect(pool.take(50_000).bytes).not.toBe(bytes)
    frame.release()
    expect(pool.idleBytes).toBe(bytes.length)
    expect(pool.take(50_000).bytes).toBe(bytes)
    expect(pool.idleBytes).toBe(0)
  })

  it('keeps no more idle memory than its one bound allows, over all classes', () => {
    const pool = new FramePool(2 * megabyte)
    const frames = [megabyte, megabyte, 65_536, 65_536, 300_000, 8192].map((size) => pool.take(size))
    for (const frame of frames) frame.release()
    expect(pool.idleBytes).toBeGreaterThan(megabyte)
    expect(pool.idleBytes).toBeLessThanOrEqual(2 * megabyte)
    pool.clear()
    expect(pool.idleBytes).toBe(0)
  })

  it('keeps what is in use now rather than what was in use before', () => {
    const pool = new FramePool(2 * megabyte)
    const before = Array.from({ length: 7 }, () => pool.take(262_144))
    for (const frame of before) frame.release()
    const large = pool.take(megabyte)
    large.release()
    expect(pool.idleBytes).toBeLessThanOrEqual(2 * megabyte)
    expect(pool.take(megabyte).bytes).toBe(large.bytes)
  })

  it('keeps nothing of frames above the largest class', () => {
    const pool = new FramePool(100 * megabyte)
    pool.take(50 * megabyte).release()
    expect(pool.idleBytes).toBe(0)
  })

  it('throws at a release too many and at a retain too late', () => {
    const pool = new FramePool(16 * megabyte)
    const frame = pool.take(10)
    frame.release()
    expect(() => frame.release()).toThrow('more often')
    expect(() => frame.retain()).toThrow('after its last release')
    expect(pool.idleBytes).toBe(8704)
  })
})
