import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Crc32cChecksum } from '../../../src/adapters/system/crc32c-checksum.ts'
import { ManualClock } from '../../../src/adapters/system/manual-clock.ts'
import { portableCrc32c } from '../../../src/adapters/system/portable-crc32c.ts'
import { SystemClock } from '../../../src/adapters/system/system-clock.ts'
import { SystemRandom } from '../../../src/adapters/system/system-random.ts'
import { SystemTimers } from '../../../src/adapters/system/system-timers.ts'

describe('CRC-32C', () => {
  const native = new Crc32cChecksum()

  it('is Castagnoli', () => {
    expect(native.crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  })

  it('is the same in JavaScript, whole and in parts', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (one, two) => {
        const whole = Buffer.concat([one, two])
        expect(portableCrc32c(whole)).toBe(native.crc32c(whole))
        expect(portableCrc32c(two, portableCrc32c(one))).toBe(native.crc32c(whole))
        expect(native.crc32c(two, native.crc32c(one))).toBe(native.crc32c(whole))
      }),
    )
  })
})

describe('system', () => {
  it('tells the time', () => {
    const clock = new SystemClock()
    expect(Math.abs(Number(clock.nowMs()) - Date.now())).toBeLessThan(1000)
    const before = clock.monotonicMs()
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(before)
  })

  it('runs what is due, and nothing that was cancelled', async () => {
    const timers = new SystemTimers()
    const ran: string[] = []
    timers.after(0, () => ran.push('cancelled')).cancel()
    await new Promise<void>((resolve) => {
      timers.after(0, () => ran.push('first'))
      timers.after(1, resolve)
    })
    expect(ran).toEqual(['first'])
  })

  it('draws ids as Kafka does: 22 characters, no dash', () => {
    const random = new SystemRandom()
    for (let i = 0; i < 200; i++) expect(random.uuid()).toMatch(/^[A-Za-z0-9_]{22}$/)
    expect(random.integer(1)).toBe(0)
  })
})

describe('manual time', () => {
  it('runs timers in the order of their time, those of timers included', () => {
    const clock = new ManualClock(1000n)
    const ran: string[] = []
    clock.after(20, () => ran.push(`b ${clock.monotonicMs()}`))
    clock.after(10, () => {
      ran.push(`a ${clock.monotonicMs()}`)
      clock.after(5, () => ran.push(`c ${clock.monotonicMs()}`))
    })
    clock.after(15, () => ran.push('cancelled')).cancel()
    clock.advance(30)
    expect(ran).toEqual(['a 10', 'c 15', 'b 20'])
    expect([clock.nowMs(), clock.monotonicMs(), clock.pending]).toEqual([1030n, 30, 0])
    clock.setNow(5n)
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([5n, 30])
  })
})
